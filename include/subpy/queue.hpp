/// @file
/// Queues between the host, scripts and interpreters.

#ifndef SUBPY_QUEUE_HPP
#define SUBPY_QUEUE_HPP

#include <subpy/arguments.hpp>
#include <subpy/times.hpp>
#include <subpy/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A queue of values, between threads of the host and interpreters. Copies stand for the same queue.
///
/// @code
/// subpy::Queue jobs(100);
/// python.set("jobs", jobs); // scripts: for job in jobs: ...
/// jobs.put("a job");
/// jobs.close();
/// @endcode
///
/// Any thread may make any call, at any time. Who waits holds no GIL.
class Queue {
public:
  /// For a wait: until it is over.
  static constexpr std::chrono::milliseconds FOREVER = std::chrono::milliseconds::max();

  /// Makes a queue that holds so many items at most. 0: any number.
  explicit Queue(std::size_t capacity = 0) noexcept {
    subpy_queue_config config = SUBPY_QUEUE_CONFIG_INIT;
    config.capacity = capacity;
    subpy_queue_create(&config, &queue_, nullptr);
  }

  /// Makes another hold on a queue of C's.
  explicit Queue(const subpy_queue *queue) noexcept : queue_(subpy_queue_retain(queue)) {}

  /// Stands for the same queue.
  Queue(const Queue &other) noexcept : Queue(other.queue_) {}
  /// Takes the queue of `other`, which has none afterwards.
  Queue(Queue &&other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
  /// Stands for the queue of `other`.
  Queue &operator=(Queue other) noexcept {
    std::swap(queue_, other.queue_);
    return *this;
  }
  /// Gives the hold up. The queue lives as long as a script, a value or another object has it.
  ~Queue() { subpy_queue_free(queue_); }

  /// Puts a copy of a value into the queue.
  ///
  /// @param value Anything that crosses to Python.
  /// @param wait  How long to wait for room.
  /// @throws Error as subpy_queue_put(): #SUBPY_ERR_BUSY if the time is over, #SUBPY_ERR_NOT_FOUND
  ///         if the queue is closed.
  template <typename T>
  Returns<void> put(const T &value, std::chrono::milliseconds wait = FOREVER) const {
    const detail::Arguments<T> argument(value);
    return detail::call(subpy_queue_put, queue_, argument.data(), detail::wait_ms(wait));
  }

  /// Takes the next item out.
  ///
  /// @tparam T    What the item becomes. If it is none, it is lost.
  /// @param  wait How long to wait for an item.
  /// @throws Error as subpy_queue_get(): #SUBPY_ERR_BUSY if the time is over, #SUBPY_ERR_NOT_FOUND
  ///         if the queue is closed and empty; #SUBPY_ERR_NOT_SHAREABLE also if the item is no T.
  template <typename T = Value> Returns<T> get(std::chrono::milliseconds wait = FOREVER) const {
    detail::OwnedValue item;
    SUBPY_TRY(detail::call(subpy_queue_get, queue_, item.place(), detail::wait_ms(wait)));
    return item.to<T>();
  }

  /// How many items there are.
  std::size_t size() const noexcept { return subpy_queue_length(queue_); }

  /// Closes the queue: nothing can be put any more. What is there can still be got.
  void close() const noexcept { subpy_queue_close(queue_); }

  /// The queue of C's. This object has a hold on it.
  subpy_queue *c() const noexcept { return queue_; }

  /// Whether two objects stand for the same queue.
  friend bool operator==(const Queue &a, const Queue &b) noexcept { return a.queue_ == b.queue_; }
  /// Whether two objects stand for two queues.
  friend bool operator!=(const Queue &a, const Queue &b) noexcept { return a.queue_ != b.queue_; }

private:
  subpy_queue *queue_ = nullptr;
};

namespace detail {

template <> struct Crossing<Queue> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Queue &queue, Builder &) {
    return subpy_from_queue(queue.c());
  }

  static std::optional<Queue> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_QUEUE) {
      mismatch.note(value, "a Queue");
      return std::nullopt;
    }
    return Queue(subpy_value_queue(&value));
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
