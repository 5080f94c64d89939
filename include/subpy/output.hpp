/// @file
/// The callbacks for the output of scripts. Internal to subpy.hpp.

#ifndef SUBPY_OUTPUT_HPP
#define SUBPY_OUTPUT_HPP

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
class Output {
public:
  Output(InterpreterConfig::Write on_stdout, InterpreterConfig::Write on_stderr)
      : stdout_(std::move(on_stdout)), stderr_(std::move(on_stderr)) {}
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;
  ~Output() { delete thrown_.load(std::memory_order_acquire); }

  static void write_stdout(void *user, const char *text, std::size_t length) noexcept {
    Output &output = *static_cast<Output *>(user);
    output.write(output.stdout_, {text, length});
  }

  static void write_stderr(void *user, const char *text, std::size_t length) noexcept {
    Output &output = *static_cast<Output *>(user);
    output.write(output.stderr_, {text, length});
  }

  /// Throws away what is written from now on.
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
  std::atomic<bool> closed_{false};
  /// This object owns it. It is atomic, as two threads may write to stdout and stderr at once.
  std::atomic<std::exception_ptr *> thrown_{nullptr};
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
