/// @file
/// How a string is run and a function is called.

#ifndef SUBPY_RUN_OPTIONS_HPP
#define SUBPY_RUN_OPTIONS_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// How a string is run; the fields mean what those of ::subpy_run_options do. It is not copied: it
/// has to live until the run returns, and so do its strings.
struct RunOptions {
  /// Asked when the time is over: for how long may the run go on, after `elapsed` so far? Zero or
  /// less: it is interrupted. `std::chrono::milliseconds::max()`: it goes on without a limit.
  ///
  /// Called in a thread of subpy's that serves all limits: it has to be quick, and must not call
  /// subpy. If it throws, the run is interrupted, and throws that exception when it has ended.
  using Deadline =
      std::function<std::chrono::milliseconds(subpy_id, std::chrono::milliseconds elapsed)>;

  /// What tracebacks call the code. NULL: "<string>", "<string-2>" and so on.
  const char *filename = nullptr;
  /// How long it may take. When the time is over the script gets a KeyboardInterrupt, and the run
  /// throws an Error of #SUBPY_ERR_TIMEOUT. Zero: as long as it likes; less: no time at all.
  std::chrono::milliseconds timeout{0};
  /// Asked when the time is over, instead of interrupting at once; needs a `timeout`. Empty: it is
  /// interrupted.
  Deadline deadline{};
  /// The time of a run without a limit is measured, too: see Interpreter::stats().
  bool measure = false;
};

/// How an expression is evaluated or a function is called.
struct CallOptions : RunOptions {
  /// How the result becomes a value: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or
  /// several of them, for those who ask for a subpy::Value. Other types have those that they need.
  std::uint32_t flags = 0;
};

namespace detail {

/// The options of one run, as C has them, and the exception that the deadline has thrown.
class CRunOptions {
public:
  explicit CRunOptions(const RunOptions &options) : options_(options) {
    c_.filename = options.filename;
    c_.timeout_ms = milliseconds(options.timeout);
    c_.deadline_fn = options.deadline ? &CRunOptions::ask : nullptr;
    c_.deadline_user = this;
    c_.measure = options.measure;
  }
  CRunOptions(const CRunOptions &) = delete;
  CRunOptions &operator=(const CRunOptions &) = delete;

  const subpy_run_options *get() const noexcept { return &c_; }

  /// To be asked when the run has returned.
  const std::exception_ptr &thrown() const noexcept { return thrown_; }

private:
  static std::uint64_t milliseconds(std::chrono::milliseconds timeout) noexcept {
    return timeout.count() < 0 ? 1 : static_cast<std::uint64_t>(timeout.count());
  }

  static std::uint64_t ask(void *user, subpy_id id, std::uint64_t elapsed_ms) noexcept {
    using std::chrono::milliseconds;
    CRunOptions &self = *static_cast<CRunOptions *>(user);
    const auto most = static_cast<std::uint64_t>(milliseconds::max().count());
    const auto work = [&]() -> std::uint64_t {
      const auto elapsed = static_cast<milliseconds::rep>(std::min(elapsed_ms, most));
      const milliseconds more = self.options_.deadline(id, milliseconds(elapsed));
      return more == milliseconds::max()
                 ? SUBPY_FOREVER
                 : static_cast<std::uint64_t>(std::max(more, milliseconds(0)).count());
    };
    return guard(work, [&]() -> std::uint64_t {
      self.thrown_ = std::current_exception();
      return 0;
    });
  }

  const RunOptions &options_;
  subpy_run_options c_ = SUBPY_RUN_OPTIONS_INIT;
  std::exception_ptr thrown_;
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
