/// @file
/// How a program is run, and how a function is called.

#ifndef SUBPY_RUN_OPTIONS_HPP
#define SUBPY_RUN_OPTIONS_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>
#include <subpy/times.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// How a program is run. Each field means what the one of ::subpy_run_options means. The options
/// and their strings have to live until the run returns.
struct RunOptions {
  /// A function that is asked what becomes of a run whose time is over. It returns for how long the
  /// run may go on. Zero or less: the run is interrupted. `std::chrono::milliseconds::max()`: the
  /// run goes on without a limit.
  ///
  /// The library calls it in a thread of its own, which serves the limits of all runs. It has to be
  /// quick, and must not call subpy. If it throws, the run is interrupted, and throws the exception
  /// when it has ended.
  using Deadline =
      std::function<std::chrono::milliseconds(subpy_id, std::chrono::milliseconds elapsed)>;

  /// What tracebacks call the code. NULL: "<string>", "<string-2>", and so on.
  const char *filename = nullptr;
  /// How long the run may take. When the time is over, the script gets a KeyboardInterrupt, and the
  /// run fails with #SUBPY_ERR_TIMEOUT. Zero: as long as it likes. Less than zero: no time at all.
  std::chrono::milliseconds timeout{0};
  /// Asked when the time is over. It needs a `timeout`. Empty: the run is interrupted at once.
  Deadline deadline{};
  /// true: the time of the run is measured, for Interpreter::stats(). false: only the time of a run
  /// with a limit is.
  bool measure = false;
  /// How much CPU time the run may use, if that is less than InterpreterConfig::cpu_limit. Zero: as the interpreter
  /// has it.
  std::chrono::milliseconds cpu_limit{0};
  /// How much the run may write, in bytes, if that is less than InterpreterConfig::output_limit. 0: as the
  /// interpreter has it.
  std::uint64_t output_limit = 0;
  /// With Backend::process: how long after a time limit that the script has ignored its process is killed, so that the
  /// run fails with #SUBPY_ERR_LOST. Zero stands for a second. Less than zero: it is killed at once.
  /// `std::chrono::milliseconds::max()`: it is not killed.
  std::chrono::milliseconds kill_after{0};
  /// The namespace in which it is done, of Interpreter::add_namespace(). NULL: `__main__`.
  const char *in_namespace = nullptr;
  /// How long the call waits for its turn while the interpreter runs in another thread; then it fails with #SUBPY_ERR_BUSY.
  /// First come, first served. `timeout` starts when the run does. Zero or less: not at all.
  /// `std::chrono::milliseconds::max()`: however long that takes.
  std::chrono::milliseconds wait{0};
};

/// How an expression is evaluated or a function is called.
struct CallOptions : RunOptions {
  /// How the result becomes a Value: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or
  /// several of them. Other types set the flags that they need.
  std::uint32_t flags = 0;
};

/// How a file or a module is run as a program. RunOptions::filename has to be NULL.
struct FileOptions : RunOptions {
  /// What follows the program in `sys.argv`. `nullopt`: what follows there before the call.
  std::optional<std::vector<std::string>> argv;
  /// true: it is the name of a module, which is run as `python -m` does.
  bool is_module = false;
};

namespace detail {

/// The options of one run in the form that C takes, and the exception that the deadline has thrown.
class CRunOptions {
public:
  explicit CRunOptions(const RunOptions &options) : options_(options) {
    c_.filename = options.filename;
    c_.timeout_ms = limit_ms(options.timeout);
    c_.deadline_fn = options.deadline ? &CRunOptions::ask : nullptr;
    c_.deadline_user = this;
    c_.measure = options.measure;
    c_.cpu_limit_ms = limit_ms(options.cpu_limit);
    c_.output_limit = options.output_limit;
    c_.kill_after_ms = limit_ms(options.kill_after);
    c_.in_namespace = options.in_namespace;
    c_.wait_ms = wait_ms(options.wait);
  }
  CRunOptions(const CRunOptions &) = delete;
  CRunOptions &operator=(const CRunOptions &) = delete;

  const subpy_run_options *get() const noexcept { return &c_; }

  /// What the deadline has thrown. Valid when the run has returned.
  const std::exception_ptr &thrown() const noexcept { return thrown_; }

private:
  static std::uint64_t ask(void *user, subpy_id id, std::uint64_t elapsed_ms) noexcept {
    using std::chrono::milliseconds;
    CRunOptions &self = *static_cast<CRunOptions *>(user);
    const auto most = static_cast<std::uint64_t>(milliseconds::max().count());
    const auto work = [&]() -> std::uint64_t {
      const auto elapsed = static_cast<milliseconds::rep>(std::min(elapsed_ms, most));
      return wait_ms(self.options_.deadline(id, milliseconds(elapsed)));
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
