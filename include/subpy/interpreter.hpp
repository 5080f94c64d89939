/// @file
/// An interpreter.

#ifndef SUBPY_INTERPRETER_HPP
#define SUBPY_INTERPRETER_HPP

#include <subpy/arguments.hpp>
#include <subpy/c_string.hpp>
#include <subpy/host_function.hpp>
#include <subpy/interpreter_config.hpp>
#include <subpy/output.hpp>
#include <subpy/result.hpp>
#include <subpy/run_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// How much memory an interpreter has, in bytes.
struct MemoryUsage {
  /// What it has now.
  std::uint64_t current = 0;
  /// The most that it has had at once.
  std::uint64_t peak = 0;
};

namespace detail {

/// Fails with what came out of a call that ran Python code, if it failed: what C reported, what a
/// callback of the host's has thrown, or the first with the second nested.
inline Returns<void> fail(subpy_status status, subpy_error *error, Output *output,
                          const CRunOptions *options) {
  std::exception_ptr thrown = output ? output->take_thrown() : nullptr;
  if (!thrown && options) {
    thrown = options->thrown();
  }
  if (thrown) {
    rethrow(thrown, status, error);
  }
  return check(status, error);
}

} // namespace detail

/// An interpreter, which is destroyed with this object. Move-only; a moved-from one holds none.
///
/// *Threads*: all but moving, release() and destroying may be called in any thread, in several at
/// once; one thing runs at a time, the others fail with #SUBPY_ERR_BUSY. interrupt(), is_running(),
/// stats() and memory_usage() wait for nothing. Different interpreters run at once, in parallel
/// where each has its own GIL.
///
/// *Callbacks* (InterpreterConfig::on_stdout, InterpreterConfig::on_stderr) are called in the
/// thread that wrote, which holds no GIL and no lock; each never twice at once, but the two may be
/// called at the same time if scripts have threads. They may use other interpreters. They are moved
/// into this object, and live until the interpreter is destroyed.
///
/// *Exceptions of callbacks* don't reach the script, which runs on, and whose later output still is
/// delivered. The first one is kept until the run ends, and then is thrown by run() (or call(),
/// eval() and whatever else runs Python code). If the run fails, too, then run() throws the Error
/// with the callback's exception nested in it: see `std::rethrow_if_nested`. One from a Python
/// thread that writes between runs is thrown by the next run(), one from output while the
/// interpreter is destroyed by destroy(); the destructor drops it.
class Interpreter {
public:
#if SUBPY_EXCEPTIONS
  /// Creates an interpreter with the defaults. It stays idle until something is run in it.
  ///
  /// @throws Error as subpy_create().
  Interpreter() { start(nullptr); }

  /// Creates an interpreter.
  ///
  /// @param config Its callbacks are kept: move it in to spare a copy.
  /// @throws Error as subpy_create().
  explicit Interpreter(InterpreterConfig config) { start_with(std::move(config)); }
#endif

  /// Makes what the constructor without arguments makes. Without exceptions, this is the only way.
  ///
  /// @throws Error as subpy_create().
  static Returns<Interpreter> create() {
    Interpreter made(NONE);
    SUBPY_TRY(made.start(nullptr));
    return made;
  }

  /// Makes what the constructor with a config makes. Without exceptions, this is the only way.
  ///
  /// @param config Its callbacks are kept: move it in to spare a copy.
  /// @throws Error as subpy_create().
  static Returns<Interpreter> create(InterpreterConfig config) {
    Interpreter made(NONE);
    SUBPY_TRY(made.start_with(std::move(config)));
    return made;
  }

  /// Takes an interpreter over by its id, to destroy it: one that C code has created, or that
  /// release() has given up. The id is not looked at before it is used.
  static Interpreter adopt(subpy_id id) noexcept { return Interpreter(id); }

  /// Takes the interpreter of `other`, which holds none afterwards.
  Interpreter(Interpreter &&other) noexcept
      : id_(std::exchange(other.id_, NONE)), output_(std::move(other.output_)) {}

  /// Destroys the own interpreter, as the destructor does, and takes that of `other`.
  Interpreter &operator=(Interpreter &&other) noexcept {
    Interpreter taken(std::move(other));
    std::swap(id_, taken.id_);
    std::swap(output_, taken.output_);
    return *this;
  }

  /// As destroy(), but never throws. Where that would fail, because the interpreter runs (also
  /// where the caller is inside of it), Python threads of its scripts still do, or the last Runtime
  /// is gone already, then the interpreter is left to subpy_finalize(): what its scripts still
  /// write is thrown away, and the callbacks stay allocated; one that is being called at this very
  /// moment is not waited for. Hosts that run scripts which start threads call
  /// destroy(std::chrono::milliseconds).
  ~Interpreter() {
    if (id_ == NONE) {
      return;
    }
    const subpy_status status = subpy_destroy(id_, nullptr);
    if (output_ && status != SUBPY_OK && status != SUBPY_ERR_NOT_FOUND) {
      output_->close();
      static_cast<void>(output_.release()); // Python may still call into it
    }
  }

  /// Runs a program in the interpreter's `__main__`, in the calling thread, which waits for it.
  /// What it returns is thrown away; `__main__` keeps its names from run to run. Its output is
  /// delivered before this returns.
  ///
  /// @param code UTF-8, without NUL characters. Not kept.
  /// @throws Error as subpy_run_string_with(): #SUBPY_ERR_EXCEPTION for a Python exception, #SUBPY_ERR_EXIT for
  ///         SystemExit; #SUBPY_ERR_NOT_FOUND if this object holds no interpreter.
  /// @throws anything that a callback has thrown.
  Returns<void> run(std::string_view code) { return run_c(code, nullptr); }

  /// As run(std::string_view), with options.
  ///
  /// @throws Error as subpy_run_string_with(), with #SUBPY_ERR_TIMEOUT if the time was over.
  /// @throws anything that the deadline or a callback has thrown.
  Returns<void> run(std::string_view code, const RunOptions &options) {
    detail::CRunOptions c(options);
    return run_c(code, &c);
  }

  /// Evaluates an expression in `__main__`: `python.eval<int>("6 * 7")`.
  ///
  /// @tparam T What its value is to become; void: it is thrown away.
  /// @param expression UTF-8, without NUL characters. Not kept.
  /// @param options    How.
  /// @throws Error as run(), and #SUBPY_ERR_NOT_SHAREABLE if the value is no T, or has no form
  ///         outside of its interpreter; the message says where in it: `result["a"][3]`.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T = Value>
  Returns<T> eval(std::string_view expression, const CallOptions &options) {
    return exchange<T>(&options, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      return eval_c(id, c, expression, out, error);
    });
  }

  /// As above, with the defaults.
  template <typename T = Value> Returns<T> eval(std::string_view expression) {
    return exchange<T>(nullptr, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      return eval_c(id, c, expression, out, error);
    });
  }

  /// Calls a function: `python.call<std::string>("greet", "you", subpy::kw("times", 3))`.
  ///
  /// @tparam T What the result is to become; void: it is thrown away.
  /// @param callable `name` for one in `__main__`, or `package.module:qualified.name`.
  /// @param args     The arguments; those that are named come last: see kw(). Copied, but for a
  ///                 HostBuffer's memory.
  /// @throws Error as subpy_call_with(), and #SUBPY_ERR_NOT_SHAREABLE if the result is no T.
  /// @throws anything that a callback has thrown.
  template <typename T = Value, typename... Args>
  Returns<T> call(CString callable, const Args &...args) {
    SUBPY_TRY(callable.check());
    const detail::Arguments<Args...> arguments(args...);
    if constexpr (arguments.any_named) {
      return call_with<T>(nullptr, callable, arguments);
    } else {
      return exchange<T>(nullptr, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
        return c ? subpy_call_with(id, c, callable.get(), arguments.data(), arguments.size(), out,
                                   error)
                 : subpy_call(id, callable.get(), arguments.data(), arguments.size(), out, error);
      });
    }
  }

  /// As above, with options.
  ///
  /// @throws anything that the deadline has thrown, too.
  template <typename T = Value, typename... Args>
  Returns<T> call(const CallOptions &options, CString callable, const Args &...args) {
    SUBPY_TRY(callable.check());
    return call_with<T>(&options, callable, detail::Arguments<Args...>(args...));
  }

  /// Gives a value a name in `__main__`: `python.set("n", 5)`.
  ///
  /// @param name  An identifier.
  /// @param value Copied, but for a HostBuffer's memory.
  /// @throws Error as subpy_set().
  template <typename T> Returns<void> set(CString name, const T &value) {
    SUBPY_TRY(name.check());
    const detail::Arguments<T> argument(value);
    return execute(nullptr, [&](subpy_id id, subpy_error **error) {
      return subpy_set(id, name.get(), argument.data(), error);
    });
  }

  /// The value that a name has in `__main__`: `python.get<std::vector<double>>("xs")`.
  ///
  /// @tparam T     What it is to become.
  /// @param name   The name; built-in ones don't count.
  /// @param flags  Those of CallOptions::flags.
  /// @throws Error as subpy_get_with(): #SUBPY_ERR_NOT_FOUND if there is no such name;
  ///         #SUBPY_ERR_NOT_SHAREABLE if its value is no T, too.
  template <typename T = Value> Returns<T> get(CString name, std::uint32_t flags = 0) {
    SUBPY_TRY(name.check());
    detail::OwnedValue result;
    SUBPY_TRY(execute(nullptr, [&](subpy_id id, subpy_error **error) {
      subpy_call_options c = SUBPY_CALL_OPTIONS_INIT;
      c.flags = flags | detail::flags_of<T>;
      return c.flags ? subpy_get_with(id, &c, name.get(), result.place(), error)
                     : subpy_get(id, name.get(), result.place(), error);
    }));
    return result.to<T>();
  }

  /// Runs a program in `__main__` after adding names, and hands back all names that are there then,
  /// but those that start with `__` and those whose value has no form outside of the interpreter.
  ///
  /// @tparam T What the dict of names is to become; void: it is thrown away.
  /// @param code    UTF-8, without NUL characters. Not kept.
  /// @param names   A dict, which is copied, or nullptr.
  /// @param options How.
  /// @throws Error as subpy_run_string_unrestricted_with(), and #SUBPY_ERR_NOT_SHAREABLE if the dict is no T.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T = Value, typename Names = std::nullptr_t>
  Returns<T> run_unrestricted(std::string_view code, const Names &names = {},
                              const CallOptions &options = {}) {
    const detail::Arguments<Names> argument(names);
    return exchange<T>(&options, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      const bool none = argument.data()->kind == SUBPY_NONE;
      return subpy_run_string_unrestricted_with(id, c, code.data() ? code.data() : "", code.size(),
                                                none ? nullptr : argument.data(), out, error);
    });
  }

  /// Defines a function of the host's in a module, which scripts import as any other; it is made if
  /// there is none of that name.
  ///
  /// @code
  /// python.define("host", "log", [&](std::string_view text) { lines.emplace_back(text); });
  /// @endcode
  ///
  /// Each parameter takes one positional argument, converted as results are; `std::string_view`,
  /// Bytes, Span and View are not copied, and valid until the function returns. Those at the end
  /// that are `std::optional` may be left out. A last Args takes all arguments that are left, a
  /// Kwargs the keyword arguments. A wrong argument is a TypeError in the script. What the function
  /// returns is converted, too; void is None.
  ///
  /// What it throws becomes a Python exception: a PythonError is of its type; an Error of a Python
  /// exception is of that type again; `std::invalid_argument`, `std::domain_error`,
  /// `std::length_error` and `std::range_error` are a ValueError, `std::out_of_range` an
  /// IndexError, `std::overflow_error` an OverflowError, `std::bad_alloc` a MemoryError,
  /// `std::system_error` an OSError, and anything else a RuntimeError.
  ///
  /// It is called in the thread that runs the script, or in a Python thread of it, with the GIL
  /// unless `options` say otherwise. It may use other interpreters; its own is #SUBPY_ERR_BUSY.
  ///
  /// @param module   "host", "app.host".
  /// @param name     The function's name in it. A function that is there already is replaced.
  /// @param function A function, or an object with one call operator: a lambda. Moved or copied,
  /// and
  ///                 destroyed as soon as no script can call it any more.
  /// @param options  How.
  /// @throws Error as subpy_define_function_with().
  template <typename Function>
  Returns<void> define(CString module, CString name, Function &&function,
                       const FunctionOptions &options = {}) {
    return detail::define(id_, module, name, std::forward<Function>(function), options);
  }

  /// Asks the run that is under way to end: the script gets a KeyboardInterrupt, again and again
  /// until it ends, and its run throws an Error of #SUBPY_ERR_INTERRUPTED. Nothing happens if there
  /// is none. For other threads than the one that runs; subpy_interrupt() says how fast it is.
  ///
  /// @throws Error as subpy_interrupt().
  Returns<void> interrupt() const { return detail::call(subpy_interrupt, id_); }

  /// Whether a run is under way. The answer may be old by the time it arrives.
  ///
  /// @throws Error as subpy_is_running().
  Returns<bool> is_running() const {
    bool running = false;
    SUBPY_TRY(detail::call(subpy_is_running, id_, &running));
    return running;
  }

  /// What the interpreter has done so far.
  ///
  /// @throws Error as subpy_stats().
  Returns<subpy_interpreter_stats> stats() const {
    subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
    SUBPY_TRY(detail::call(subpy_stats, id_, &stats));
    return stats;
  }

  /// How much memory its Python objects have.
  ///
  /// @throws Error as subpy_memory_usage(): #SUBPY_ERR_UNSUPPORTED unless
  ///         RuntimeConfig::account_memory is set.
  Returns<MemoryUsage> memory_usage() const {
    MemoryUsage usage;
    SUBPY_TRY(detail::call(subpy_memory_usage, id_, &usage.current, &usage.peak));
    return usage;
  }

  /// Finalizes the interpreter: its `atexit` functions run, its modules and objects go, its
  /// callbacks are destroyed. This object holds none afterwards.
  ///
  /// @throws Error as subpy_destroy(): #SUBPY_ERR_BUSY if it runs now, or Python threads of its
  ///         scripts still do. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown; the interpreter is destroyed then.
  Returns<void> destroy() {
    SUBPY_TRY(detail::call(subpy_destroy, id_));
    return end();
  }

  /// As destroy(), but waits for the Python threads of its scripts to end.
  ///
  /// @param wait How long at most; nothing else can be run in the interpreter meanwhile.
  /// @throws Error as subpy_destroy_with(): #SUBPY_ERR_BUSY if threads still run when the time is
  ///         over. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown; the interpreter is destroyed then.
  Returns<void> destroy(std::chrono::milliseconds wait) {
    subpy_destroy_options c = SUBPY_DESTROY_OPTIONS_INIT;
    c.wait_ms =
        wait == std::chrono::milliseconds::max()
            ? SUBPY_FOREVER
            : static_cast<std::uint64_t>(std::max(wait, std::chrono::milliseconds(0)).count());
    SUBPY_TRY(detail::call(subpy_destroy_with, id_, &c));
    return end();
  }

  /// Gives the interpreter up without destroying it: subpy_destroy() or the last Runtime does. Its
  /// callbacks stay in use until then, and allocated for good.
  ///
  /// @return Its id; -1 if this object holds none.
  [[nodiscard]] subpy_id release() noexcept {
    static_cast<void>(output_.release());
    return std::exchange(id_, NONE);
  }

  /// Its id; -1 if this object holds no interpreter.
  subpy_id id() const noexcept { return id_; }

  /// Whether this object holds an interpreter.
  explicit operator bool() const noexcept { return id_ != NONE; }

private:
  static constexpr subpy_id NONE = -1;

  explicit Interpreter(subpy_id id) noexcept : id_(id) {}

  Returns<void> start_with(InterpreterConfig config) {
    subpy_interpreter_config c = SUBPY_INTERPRETER_CONFIG_INIT;
    c.backend = static_cast<uint32_t>(config.backend);
    c.gil = static_cast<uint32_t>(config.gil);
    c.allow_fork = config.allow_fork;
    c.allow_exec = config.allow_exec;
    c.allow_threads = config.allow_threads;
    c.allow_daemon_threads = config.allow_daemon_threads;
    c.code_cache_entries = config.code_cache_entries;
    c.code_cache_bytes = config.code_cache_bytes;
    c.memory_limit = config.memory_limit;
    if (config.on_stdout || config.on_stderr) {
      c.stdout_fn = config.on_stdout ? &detail::Output::write_stdout : nullptr;
      c.stderr_fn = config.on_stderr ? &detail::Output::write_stderr : nullptr;
      output_ = std::make_unique<detail::Output>(std::move(config.on_stdout),
                                                 std::move(config.on_stderr));
      c.output_user = output_.get();
    }
    return start(&c);
  }

  Returns<void> start(const subpy_interpreter_config *config) {
    subpy_id id = NONE;
    SUBPY_TRY(detail::call(subpy_create, config, &id));
    id_ = id;
    return Returns<void>();
  }

  Returns<void> run_c(std::string_view code, const detail::CRunOptions *options) {
    return execute(options, [&](subpy_id id, subpy_error **error) {
      const char *const text = code.data() ? code.data() : "";
      return subpy_run_string_with(id, options ? options->get() : nullptr, text, code.size(),
                                   error);
    });
  }

  static subpy_status eval_c(subpy_id id, const subpy_call_options *options,
                             std::string_view expression, subpy_value *out, subpy_error **error) {
    const char *const text = expression.data() ? expression.data() : "";
    return subpy_eval_with(id, options, text, expression.size(), out, error);
  }

  template <typename T, typename Arguments>
  Returns<T> call_with(const CallOptions *options, CString callable, const Arguments &arguments) {
    return exchange<T>(options, arguments.keywords(),
                       [&](subpy_id id, auto *c, auto *out, auto **error) {
                         return subpy_call_with(id, c, callable.get(), arguments.data(),
                                                arguments.size(), out, error);
                       });
  }

  /// Makes a C call that has options and a result; no options are NULL for it, if T needs none.
  template <typename T, typename Call>
  Returns<T> exchange(const CallOptions *options, const subpy_value *keywords, Call call) {
    if (options) {
      detail::CRunOptions run(*options);
      return exchange<T>(options->flags, &run, keywords, call);
    }
    return exchange<T>(0, nullptr, keywords, call);
  }

  template <typename T, typename Call>
  Returns<T> exchange(std::uint32_t flags, const detail::CRunOptions *run,
                      const subpy_value *keywords, Call call) {
    subpy_call_options c = SUBPY_CALL_OPTIONS_INIT;
    c.flags = flags | detail::flags_of<T>;
    c.keywords = keywords;
    c.run = run ? run->get() : nullptr;
    const bool defaults = c.flags == 0 && !keywords && !run;
    const auto *const options = defaults ? nullptr : &c;
    if constexpr (std::is_void_v<T>) {
      return execute(run, [&](subpy_id id, subpy_error **error) {
        return call(id, options, static_cast<subpy_value *>(nullptr), error);
      });
    } else {
      detail::OwnedValue result;
      SUBPY_TRY(execute(run, [&](subpy_id id, subpy_error **error) {
        return call(id, options, result.place(), error);
      }));
      return result.template to<T>();
    }
  }

  /// Makes a C call that runs Python code, and throws what came of it.
  template <typename Call>
  Returns<void> execute(const detail::CRunOptions *options, Call call) const {
    // Copied first: a callback may move this object.
    detail::Output *const output = output_.get();
    subpy_error *error = nullptr;
    const subpy_status status = call(id_, &error);
    if (status != SUBPY_OK || (output && output->has_thrown()) || (options && options->thrown())) {
      return detail::fail(status, error, output, options);
    }
    return Returns<void>();
  }

  /// The interpreter is destroyed.
  Returns<void> end() {
    id_ = NONE;
    const std::unique_ptr<detail::Output> output = std::move(output_);
    return detail::fail(SUBPY_OK, nullptr, output.get(), nullptr);
  }

  subpy_id id_ = NONE;
  std::unique_ptr<detail::Output> output_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
