/// @file
/// The callbacks for what scripts write and read. Internal to subpy.hpp.

#ifndef SUBPY_STREAMS_HPP
#define SUBPY_STREAMS_HPP

#include <subpy/interpreter_config.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// The callbacks of one interpreter, and the exception that one of them has thrown. C keeps the
/// address of this object.
class Streams {
public:
  explicit Streams(InterpreterConfig &&config)
      : stdout_(std::move(config.on_stdout)), stderr_(std::move(config.on_stderr)),
        stdin_(std::move(config.on_stdin)) {}
  Streams(const Streams &) = delete;
  Streams &operator=(const Streams &) = delete;
  ~Streams() { delete thrown_.load(std::memory_order_acquire); }

  static void write_stdout(void *user, const char *text, std::size_t length) noexcept {
    Streams &streams = *static_cast<Streams *>(user);
    streams.write(streams.stdout_, {text, length});
  }

  static void write_stderr(void *user, const char *text, std::size_t length) noexcept {
    Streams &streams = *static_cast<Streams *>(user);
    streams.write(streams.stderr_, {text, length});
  }

  static std::size_t read_stdin(void *user, char *buffer, std::size_t length) noexcept {
    Streams &streams = *static_cast<Streams *>(user);
    std::size_t read = 0;
    if (!streams.closed_.load(std::memory_order_acquire)) {
      guard([&] { read = streams.stdin_(buffer, length); },
            [&] { streams.keep(std::current_exception()); });
    }
    return read;
  }

  /// Throws away what is written from now on, and gives nothing to read.
  void close() noexcept { closed_.store(true, std::memory_order_release); }

  bool has_thrown() const noexcept { return thrown_.load(std::memory_order_acquire) != nullptr; }

  /// Returns the first exception since the last call, or NULL.
  std::exception_ptr take_thrown() noexcept {
    const std::unique_ptr<std::exception_ptr> thrown(
        thrown_.exchange(nullptr, std::memory_order_acq_rel));
    return thrown ? *thrown : nullptr;
  }

private:
  void write(const InterpreterConfig::Write &callback, std::string_view text) noexcept {
    if (closed_.load(std::memory_order_acquire)) {
      return;
    }
    guard([&] { callback(text); }, [&] { keep(std::current_exception()); });
  }

  void keep(std::exception_ptr exception) noexcept {
    auto *mine = new (std::nothrow) std::exception_ptr(std::move(exception));
    std::exception_ptr *none = nullptr;
    if (!thrown_.compare_exchange_strong(none, mine, std::memory_order_acq_rel)) {
      delete mine;
    }
  }

  const InterpreterConfig::Write stdout_;
  const InterpreterConfig::Write stderr_;
  const InterpreterConfig::Read stdin_;
  std::atomic<bool> closed_{false};
  /// This object owns it. It is atomic, as two threads may write to stdout and stderr at once.
  std::atomic<std::exception_ptr *> thrown_{nullptr};
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
