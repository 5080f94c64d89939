/// @file
/// An interpreter.

#ifndef SUBPY_INTERPRETER_HPP
#define SUBPY_INTERPRETER_HPP

#include <subpy/arguments.hpp>
#include <subpy/c_string.hpp>
#include <subpy/entered.hpp>
#include <subpy/host_function.hpp>
#include <subpy/interpreter_config.hpp>
#include <subpy/modules.hpp>
#include <subpy/object.hpp>
#include <subpy/result.hpp>
#include <subpy/run_options.hpp>
#include <subpy/streams.hpp>
#include <subpy/times.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// How much memory an interpreter has, in bytes.
struct MemoryUsage {
  /// How much it has now.
  std::uint64_t current = 0;
  /// The most that it has had at once.
  std::uint64_t peak = 0;
};

/// How an interpreter is destroyed. Each field means what the one of ::subpy_destroy_options means.
struct DestroyOptions {
  /// How long to wait for the Python threads of the scripts to end. `std::chrono::milliseconds::max()`: until they
  /// have ended.
  std::chrono::milliseconds wait{0};
  /// true: those that are left then are asked to end, as by Interpreter::stop_threads().
  bool stop_threads = false;
  /// true: with Backend::process, the process is killed first, as by Interpreter::kill().
  bool kill = false;
};

namespace detail {

/// Fails with the error of a C call, or with what a callback has thrown. If there are both, the
/// exception of the callback is nested in the Error.
inline Returns<void> fail(subpy_status status, subpy_error *error, Streams *streams,
                          const CRunOptions *options) {
  std::exception_ptr thrown = streams ? streams->take_thrown() : nullptr;
  if (!thrown && options) {
    thrown = options->thrown();
  }
  if (thrown) {
    rethrow(thrown, status, error);
  }
  return check(status, error);
}

} // namespace detail

/// An interpreter. The destructor destroys it. The object can be moved, not copied. An object that
/// was moved from holds no interpreter.
///
/// **Threads.** Several threads may make calls at once, save moving, release() and destroying. An
/// interpreter has one run at a time: in another thread a second one is #SUBPY_ERR_BUSY. interrupt(),
/// kill(), is_running(), stats() and memory_usage() wait for nothing. Different interpreters run at the same time, in
/// parallel where each has its own GIL.
///
/// **Callbacks.** The library calls InterpreterConfig::on_stdout and InterpreterConfig::on_stderr
/// in the thread that wrote, which holds neither a GIL nor a lock of subpy then. Each of them is
/// never called twice at once, but both may be called at the same time. They may use
/// interpreters, also this one. This object owns them until the interpreter is destroyed.
///
/// **Exceptions of callbacks.** The script runs on, and its later output is delivered. The object
/// keeps the first exception until the run ends. Then run(), call() or eval() throws it. If the run
/// fails, too, the call throws an Error that has the exception nested in it: see
/// `std::rethrow_if_nested`. An exception between two runs is thrown by the next run. While the
/// interpreter is destroyed, destroy() throws the exception, and the destructor drops it.
class Interpreter {
public:
#if SUBPY_EXCEPTIONS
  /// Creates an interpreter with the defaults. It stays idle until something runs in it.
  ///
  /// @throws Error as subpy_create().
  Interpreter() { start(nullptr); }

  /// Creates an interpreter.
  ///
  /// @param config The object keeps its callbacks. Moving it in saves a copy.
  /// @throws Error as subpy_create().
  explicit Interpreter(InterpreterConfig config) { start_with(std::move(config)); }
#endif

  /// Creates an interpreter with the defaults, as the constructor does.
  ///
  /// @throws Error as subpy_create().
  static Returns<Interpreter> create() {
    Interpreter made(NONE);
    SUBPY_TRY(made.start(nullptr));
    return made;
  }

  /// Creates an interpreter, as the constructor does.
  ///
  /// @param config The object keeps its callbacks. Moving it in saves a copy.
  /// @throws Error as subpy_create().
  static Returns<Interpreter> create(InterpreterConfig config) {
    Interpreter made(NONE);
    SUBPY_TRY(made.start_with(std::move(config)));
    return made;
  }

  /// The main interpreter, which becomes like this: see subpy_configure_main(). It lives on when the object is destroyed, and
  /// what its scripts write is thrown away then.
  ///
  /// @param config The object keeps its callbacks, and they stay allocated for ever.
  /// @throws Error as subpy_configure_main().
  static Returns<Interpreter> main(InterpreterConfig config) {
    Interpreter main(0);
    SUBPY_TRY(main.make(std::move(config), [](const subpy_interpreter_config *c) {
      return detail::call(subpy_configure_main, c);
    }));
    return main;
  }

  /// Makes an object that owns an interpreter that C code has created, or that release() has given
  /// up. This call does not check the id.
  static Interpreter adopt(subpy_id id) noexcept { return Interpreter(id); }

  /// Takes the interpreter of `other`. `other` holds none afterwards.
  Interpreter(Interpreter &&other) noexcept
      : id_(std::exchange(other.id_, NONE)), streams_(std::move(other.streams_)) {}

  /// Destroys the interpreter of this object, as the destructor does, and takes that of `other`.
  Interpreter &operator=(Interpreter &&other) noexcept {
    Interpreter taken(std::move(other));
    std::swap(id_, taken.id_);
    std::swap(streams_, taken.streams_);
    return *this;
  }

  /// Destroys the interpreter as destroy() does, but never fails.
  ///
  /// If destroy() would fail, the interpreter stays until subpy_finalize(). That is so if it runs
  /// now (also if the caller is inside of it), and if Python threads of its scripts still run. What
  /// its scripts write from then on is thrown away. Its callbacks stay allocated, also if the last
  /// Runtime is gone. The destructor does not wait for a callback that is called right now. A host
  /// whose scripts start threads should call destroy(std::chrono::milliseconds).
  ~Interpreter() {
    if (id_ == NONE) {
      return;
    }
    const subpy_status status = subpy_destroy(id_, nullptr);
    if (streams_ && status != SUBPY_OK && status != SUBPY_ERR_NOT_FOUND) {
      streams_->close();
      static_cast<void>(streams_.release()); // Python may still call into it
    }
  }

  /// Runs a program in the interpreter's `__main__`, in the calling thread. The call returns when
  /// the program has ended and its output is delivered. The value of the program is thrown away.
  /// `__main__` keeps its names from run to run.
  ///
  /// @param code The program: UTF-8, without NUL characters. The library does not keep it.
  /// @throws Error as subpy_run_string_with(): #SUBPY_ERR_EXCEPTION for a Python exception,
  ///         #SUBPY_ERR_EXIT for SystemExit, #SUBPY_ERR_NOT_FOUND if this object holds no
  ///         interpreter.
  /// @throws anything that a callback has thrown.
  Returns<void> run(std::string_view code) { return run_c(code, nullptr); }

  /// Runs a program as run(std::string_view) does, with options.
  ///
  /// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
  /// @param options See RunOptions.
  /// @throws Error as run(std::string_view), and #SUBPY_ERR_TIMEOUT if the time was over.
  /// @throws anything that the deadline or a callback has thrown.
  Returns<void> run(std::string_view code, const RunOptions &options) {
    detail::CRunOptions c(options);
    return run_c(code, &c);
  }

  /// Evaluates an expression in `__main__`: `python.eval<int>("6 * 7")`.
  ///
  /// @tparam T What the value becomes. void: it is thrown away.
  /// @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
  /// @param options    See CallOptions.
  /// @throws Error as run(), and #SUBPY_ERR_NOT_SHAREABLE if the value is no T, or has no form
  ///         outside of its interpreter. The message says where it is: `result["a"][3]`.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T = Value>
  Returns<T> eval(std::string_view expression, const CallOptions &options) {
    return exchange<T>(&options, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      return eval_c(id, c, expression, out, error);
    });
  }

  /// Evaluates an expression with the default options.
  ///
  /// @throws Error as the call with options.
  template <typename T = Value> Returns<T> eval(std::string_view expression) {
    return exchange<T>(nullptr, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      return eval_c(id, c, expression, out, error);
    });
  }

  /// Calls a function: `python.call<std::string>("greet", "you", subpy::kw("times", 3))`.
  ///
  /// @tparam T What the result becomes. void: it is thrown away.
  /// @param callable A `name` in `__main__`, or `package.module:qualified.name`.
  /// @param args     The arguments. Keyword arguments come last: see kw(). The library copies them,
  ///                 save the memory of a HostBuffer.
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

  /// Calls a function with options.
  ///
  /// @throws Error as the call without options.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T = Value, typename... Args>
  Returns<T> call(const CallOptions &options, CString callable, const Args &...args) {
    SUBPY_TRY(callable.check());
    return call_with<T>(&options, callable, detail::Arguments<Args...>(args...));
  }

  /// Gives a value a name in `__main__`: `python.set("n", 5)`.
  ///
  /// @param name  The name: an identifier.
  /// @param value The value. The library copies it, save the memory of a HostBuffer.
  /// @throws Error as subpy_set().
  template <typename T> Returns<void> set(CString name, const T &value) {
    SUBPY_TRY(name.check());
    const detail::Arguments<T> argument(value);
    return execute(nullptr, [&](subpy_id id, subpy_error **error) {
      return subpy_set(id, name.get(), argument.data(), error);
    });
  }

  /// Gives a value a name, with options: in a namespace, say.
  ///
  /// @throws Error as the call without options.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T>
  Returns<void> set(CString name, const T &value, const CallOptions &options) {
    SUBPY_TRY(name.check());
    const detail::Arguments<T> argument(value);
    return exchange<void>(&options, nullptr, [&](subpy_id id, auto *c, auto *, auto **error) {
      return subpy_set_with(id, c, name.get(), argument.data(), error);
    });
  }

  /// Reads the value that a name has in `__main__`: `python.get<std::vector<double>>("xs")`.
  ///
  /// @tparam T     What the value becomes.
  /// @param name   The name. Names of builtins are not found.
  /// @param flags  See CallOptions::flags.
  /// @throws Error as subpy_get_with(): #SUBPY_ERR_NOT_FOUND if there is no such name,
  ///         #SUBPY_ERR_NOT_SHAREABLE also if the value is no T.
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

  /// Reads the value of a name, with options: in a namespace, say.
  ///
  /// @throws Error as the call without options.
  /// @throws anything that the deadline or a callback has thrown.
  template <typename T = Value> Returns<T> get(CString name, const CallOptions &options) {
    SUBPY_TRY(name.check());
    return exchange<T>(&options, nullptr, [&](subpy_id id, auto *c, auto *out, auto **error) {
      return subpy_get_with(id, c, name.get(), out, error);
    });
  }

  /// The object that a name has: `python.object("handler")(1, "two")`.
  ///
  /// @param name    The name. Names of builtins are not found.
  /// @param options The namespace and the limits: see RunOptions.
  /// @throws Error as subpy_get_object_with(): #SUBPY_ERR_NOT_FOUND if there is no such name.
  /// @throws anything that the deadline or a callback has thrown.
  Returns<Object> object(CString name, const RunOptions &options = {}) {
    SUBPY_TRY(name.check());
    return object_of(options, [&](subpy_id id, auto *c, subpy_object *out, auto **error) {
      return subpy_get_object_with(id, c, name.get(), out, error);
    });
  }

  /// The object that an expression gives, whatever it is.
  ///
  /// @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
  /// @param options    See RunOptions.
  /// @throws Error as run().
  /// @throws anything that the deadline or a callback has thrown.
  Returns<Object> eval_object(std::string_view expression, const RunOptions &options = {}) {
    return object_of(options, [&](subpy_id id, auto *c, subpy_object *out, auto **error) {
      const char *const text = expression.data() ? expression.data() : "";
      return subpy_eval_object_with(id, c, text, expression.size(), out, error);
    });
  }

  /// Compiles a program, for Object::run().
  ///
  /// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
  /// @param options What tracebacks call it: see RunOptions.
  /// @throws Error as run(): #SUBPY_ERR_EXCEPTION if it can't be compiled.
  /// @throws anything that the deadline or a callback has thrown.
  Returns<Object> compile(std::string_view code, const RunOptions &options = {}) {
    return object_of(options, [&](subpy_id id, auto *c, subpy_object *out, auto **error) {
      return subpy_compile(id, c, code.data() ? code.data() : "", code.size(), out, error);
    });
  }

  /// Runs a program that is in a file, as `python PATH` does.
  ///
  /// @param path    The file: UTF-8. It may be a folder or a zip file with a `__main__.py`.
  /// @param options See FileOptions.
  /// @throws Error as subpy_run_file_with(): #SUBPY_ERR_NOT_FOUND also if there is no such file.
  /// @throws anything that the deadline or a callback has thrown.
  Returns<void> run_file(CString path, const FileOptions &options = {}) {
    SUBPY_TRY(path.check());
    std::vector<const char *> argv;
    subpy_file_options c = SUBPY_FILE_OPTIONS_INIT;
    if (options.argv) {
      SUBPY_TRY(detail::set(argv, *options.argv, "argv"));
      argv.push_back(nullptr); // so that it has an address if there are none
      c.argv = argv.data();
      c.argc = argv.size() - 1;
    }
    detail::CRunOptions run(options);
    c.run = run.get();
    c.is_module = options.is_module;
    return execute(&run, [&](subpy_id id, subpy_error **error) {
      return subpy_run_file_with(id, &c, path.get(), error);
    });
  }

  /// Imports a module as `import MODULE` does, and gives it no name.
  ///
  /// @param module The module: "package.module".
  /// @throws Error as subpy_import(): #SUBPY_ERR_NOT_FOUND also if there is no such module.
  /// @throws anything that a callback has thrown.
  Returns<void> import_module(CString module) {
    SUBPY_TRY(module.check());
    return execute(nullptr, [&](subpy_id id, subpy_error **error) {
      return subpy_import(id, module.get(), error);
    });
  }

  /// Adds a module from memory, which imports find before those in files. See subpy_add_module().
  ///
  /// @param name     Its name: "settings" or "app.settings".
  /// @param source   Its source: UTF-8. The library copies it.
  /// @param filename What tracebacks call it, and its `__file__`. NULL: "<NAME>", and it has no `__file__`.
  /// @throws Error as subpy_add_module().
  Returns<void> add_module(CString name, std::string_view source, const char *filename = nullptr) {
    SUBPY_TRY(name.check());
    return detail::add_module(id_, name, source, filename);
  }

  /// Adds a namespace: globals of their own over the same imported modules. See subpy_add_namespace().
  ///
  /// @code
  /// python.add_namespace("plugin");
  /// subpy::RunOptions options;
  /// options.in_namespace = "plugin";
  /// python.run("x = 1", options);
  /// @endcode
  ///
  /// @param name The name: one that a Python module can have, without dots.
  /// @throws Error as subpy_add_namespace().
  Returns<void> add_namespace(CString name) {
    SUBPY_TRY(name.check());
    return execute(nullptr, [&](subpy_id id, subpy_error **error) {
      return subpy_add_namespace(id, name.get(), error);
    });
  }

  /// Removes a namespace, and the names in it, with what only they had.
  ///
  /// @param name The namespace.
  /// @throws Error as subpy_remove_namespace().
  Returns<void> remove_namespace(CString name) {
    SUBPY_TRY(name.check());
    return execute(nullptr, [&](subpy_id id, subpy_error **error) {
      return subpy_remove_namespace(id, name.get(), error);
    });
  }

  /// Runs a program in `__main__`, after adding names, and returns the names that are there then.
  /// Names that start with `__` don't come back. Neither do names whose value has no form outside
  /// of the interpreter.
  ///
  /// @tparam T What the dict of names becomes. void: it is thrown away.
  /// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
  /// @param names   A dict of names, which the library copies. nullptr: none.
  /// @param options See CallOptions.
  /// @throws Error as subpy_run_string_unrestricted_with(), and #SUBPY_ERR_NOT_SHAREABLE if the
  ///         dict is no T.
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

  /// Defines a function of the host's in a module. The module is imported, or made if there is none
  /// of that name. Scripts import it as any other module.
  ///
  /// @code
  /// python.define("host", "log", [&](std::string_view text) { lines.emplace_back(text); });
  /// @endcode
  ///
  /// **Arguments.** Each parameter takes one positional argument, converted as a result is. A
  /// `std::string_view`, Bytes, Span or View is no copy, and is valid until the function returns.
  /// `std::optional` parameters at the end may be left out. After these, an Args takes all
  /// positional arguments that are left, and a Kwargs takes the keyword arguments. A wrong argument
  /// is a TypeError in the script.
  ///
  /// **Result.** What the function returns is converted, too. void becomes None.
  ///
  /// **Exceptions.** What the function throws becomes a Python exception. So does the error of a
  /// Result that it returns.
  ///
  /// | C++ | Python |
  /// |---|---|
  /// | PythonError | its type |
  /// | Error | the type of its Python exception; else TimeoutError, MemoryError or RuntimeError |
  /// | `std::invalid_argument`, `domain_error`, `length_error`, `range_error` | ValueError |
  /// | `std::out_of_range` | IndexError |
  /// | `std::overflow_error` | OverflowError |
  /// | `std::bad_alloc` | MemoryError |
  /// | `std::system_error` | OSError |
  /// | anything else | RuntimeError |
  ///
  /// @code
  /// python.define("host", "half", [](int n) -> subpy::Result<int> {
  ///   if (n % 2 != 0) {
  ///     return subpy::PythonError("builtins.ValueError", "n is odd");
  ///   }
  ///   return n / 2;
  /// });
  /// @endcode
  ///
  /// **Threads.** The library calls the function in the thread that runs the script, or in a Python
  /// thread of the script. The GIL is held, unless FunctionOptions::release_gil is set. The
  /// function may use interpreters, also the one that calls it.
  ///
  /// @param module   The module: "host" or "app.host".
  /// @param name     The function's name in it. A function of that name is replaced.
  /// @param function A function, or an object with one call operator, such as a lambda. The library
  ///                 moves or copies it, and destroys it when no script can call it any more.
  /// @param options  See FunctionOptions.
  /// @throws Error as subpy_define_function_with().
  template <typename Function>
  Returns<void> define(CString module, CString name, Function &&function,
                       const FunctionOptions &options = {}) {
    return detail::define(id_, module, name, std::forward<Function>(function), options);
  }

  /// Asks the run that is under way in another thread to end. The script gets a KeyboardInterrupt
  /// until it ends, and its run fails with #SUBPY_ERR_INTERRUPTED. If nothing runs, nothing
  /// happens. subpy_interrupt() says more.
  ///
  /// @throws Error as subpy_interrupt().
  Returns<void> interrupt() const { return detail::call(subpy_interrupt, id_); }

  /// Ends an interpreter with Backend::process at once, whatever it does: its process is killed. A call that waits for
  /// it fails with #SUBPY_ERR_LOST, and so does each one from then on, but for destroying it.
  ///
  /// @throws Error as subpy_kill(): #SUBPY_ERR_UNSUPPORTED for one with Backend::local.
  Returns<void> kill() const { return detail::call(subpy_kill, id_); }

  /// Whether something runs in the interpreter. The answer may be old by the time it arrives.
  ///
  /// @throws Error as subpy_is_running().
  Returns<bool> is_running() const {
    bool running = false;
    SUBPY_TRY(detail::call(subpy_is_running, id_, &running));
    return running;
  }

  /// Tells what the interpreter has done so far.
  ///
  /// @throws Error as subpy_stats().
  Returns<subpy_interpreter_stats> stats() const {
    subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
    SUBPY_TRY(detail::call(subpy_stats, id_, &stats));
    return stats;
  }

  /// How much memory the interpreter has: see subpy_memory_usage().
  ///
  /// @throws Error as subpy_memory_usage(): #SUBPY_ERR_UNSUPPORTED unless
  ///         RuntimeConfig::account_memory is set.
  Returns<MemoryUsage> memory_usage() const {
    MemoryUsage usage;
    SUBPY_TRY(detail::call(subpy_memory_usage, id_, &usage.current, &usage.peak));
    return usage;
  }

  /// Takes over an interpreter that a script has created, as subpy_take_over() does. The object that is returned holds it.
  ///
  /// @throws Error as subpy_take_over().
  static Returns<Interpreter> take_over(subpy_id id) {
    SUBPY_TRY(detail::call(subpy_take_over, id));
    return Interpreter(id);
  }

  /// Asks the Python threads that its scripts have started to end, and waits for that: see subpy_stop_threads().
  ///
  /// @param wait How long. `std::chrono::milliseconds::max()`: until they have ended.
  /// @return How many have not ended.
  /// @throws Error as subpy_stop_threads().
  Returns<std::size_t> stop_threads(std::chrono::milliseconds wait) const {
    std::size_t left = 0;
    SUBPY_TRY(detail::call(subpy_stop_threads, id_, detail::wait_ms(wait), &left));
    return left;
  }

  /// The calling thread stays in it until what this returns is destroyed: each call that it makes meanwhile costs less, and
  /// other threads have no turn. In Backend::local the thread holds its GIL.
  ///
  /// @param wait How long to wait for its turn. `std::chrono::milliseconds::max()`: however long that takes.
  /// @throws Error as subpy_enter(): #SUBPY_ERR_UNSUPPORTED for an interpreter that shares its GIL; #SUBPY_ERR_NOT_PERMITTED in a
  ///         host function.
  Returns<Entered> enter(std::chrono::milliseconds wait = std::chrono::milliseconds::zero()) const {
    subpy_enter_options c = SUBPY_ENTER_OPTIONS_INIT;
    c.wait_ms = detail::wait_ms(wait);
    SUBPY_TRY(detail::call(subpy_enter, id_, &c));
    return Entered(id_);
  }

  /// The names of the Python threads that its scripts have started by `threading` and that still run.
  ///
  /// @throws Error as subpy_thread_names().
  Returns<std::vector<std::string>> thread_names() const {
    std::size_t count = 0;
    SUBPY_TRY(detail::call(subpy_thread_names, id_, nullptr, 0, &count));
    std::vector<subpy_value> values(count);
    SUBPY_TRY(detail::call(subpy_thread_names, id_, values.data(), values.size(), &count));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(count, values.size()); i++) {
      names.emplace_back(subpy_value_text(&values[i]));
      subpy_value_clear(&values[i]);
    }
    return names;
  }

  /// Finalizes the interpreter. Its `atexit` functions run, and its modules, objects and callbacks
  /// go. This object holds no interpreter afterwards.
  ///
  /// @throws Error as subpy_destroy(): #SUBPY_ERR_BUSY if the interpreter runs now, or if Python
  ///         threads of its scripts still run. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown. The interpreter is destroyed then.
  Returns<void> destroy() {
    SUBPY_TRY(detail::call(subpy_destroy, id_));
    return end();
  }

  /// Waits for the Python threads of the scripts to end, and destroys the interpreter. Nothing else
  /// can run in it meanwhile.
  ///
  /// @param wait         How long to wait. `std::chrono::milliseconds::max()`: until they have ended.
  /// @param stop_threads true: those that are left then are asked to end, as by stop_threads().
  /// @throws Error as subpy_destroy_with(): #SUBPY_ERR_BUSY if threads still run when the time is
  ///         over. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown. The interpreter is destroyed then.
  Returns<void> destroy(std::chrono::milliseconds wait, bool stop_threads = false) {
    DestroyOptions options;
    options.wait = wait;
    options.stop_threads = stop_threads;
    return destroy(options);
  }

  /// Destroys the interpreter, with options.
  ///
  /// @param options See DestroyOptions.
  /// @throws Error as the call without options, and #SUBPY_ERR_UNSUPPORTED for DestroyOptions::kill with Backend::local.
  /// @throws anything that a callback has thrown. The interpreter is destroyed then.
  Returns<void> destroy(const DestroyOptions &options) {
    subpy_destroy_options c = SUBPY_DESTROY_OPTIONS_INIT;
    c.wait_ms = detail::wait_ms(options.wait);
    c.stop_threads = options.stop_threads;
    c.kill = options.kill;
    SUBPY_TRY(detail::call(subpy_destroy_with, id_, &c));
    return end();
  }

  /// Gives the interpreter up without destroying it. subpy_destroy() or the last Runtime destroys
  /// it. Its callbacks are called until then, and stay allocated for ever.
  ///
  /// @return The interpreter's id; -1 if this object holds none.
  [[nodiscard]] subpy_id release() noexcept {
    static_cast<void>(streams_.release());
    return std::exchange(id_, NONE);
  }

  /// The interpreter's id; -1 if this object holds none.
  subpy_id id() const noexcept { return id_; }

  /// Whether this object holds an interpreter.
  explicit operator bool() const noexcept { return id_ != NONE; }

private:
  static constexpr subpy_id NONE = -1;

  explicit Interpreter(subpy_id id) noexcept : id_(id) {}

  Returns<void> start_with(InterpreterConfig config) {
    return make(std::move(config), [this](const subpy_interpreter_config *c) { return start(c); });
  }

  Returns<void> start(const subpy_interpreter_config *config) {
    subpy_id id = NONE;
    SUBPY_TRY(detail::call(subpy_create, config, &id));
    id_ = id;
    return Returns<void>();
  }

  /// Makes a C call that takes a config.
  template <typename Call> Returns<void> make(InterpreterConfig config, Call call) {
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
    c.share_environment = config.share_environment;
    c.output_bytes = config.output_bytes;
    c.allow_interpreters = config.allow_interpreters ? 1 + config.know_all_interpreters : 0;
    c.interpreter_limit = config.interpreter_limit;
    c.cpu_limit_ms = detail::limit_ms(config.cpu_limit);
    c.output_limit = config.output_limit;
    c.thread_limit = config.thread_limit;
    c.recursion_limit = config.recursion_limit;
    c.core_dumps = config.core_dumps;
    std::vector<const char *> argv, search_paths;
    SUBPY_TRY(detail::set(argv, config.argv, "argv"));
    SUBPY_TRY(detail::set(search_paths, config.search_paths, "search_paths"));
    c.argv = argv.data();
    c.argc = argv.size();
    c.search_paths = search_paths.data();
    c.search_paths_count = search_paths.size();
    if (config.on_stdout || config.on_stderr || config.on_stdin) {
      // What C keeps is the address of the object on the heap.
      c.stdout_fn = config.on_stdout ? &detail::Streams::write_stdout : nullptr;
      c.stderr_fn = config.on_stderr ? &detail::Streams::write_stderr : nullptr;
      c.stdin_fn = config.on_stdin ? &detail::Streams::read_stdin : nullptr;
      streams_ = std::make_unique<detail::Streams>(std::move(config));
      c.output_user = c.stdin_user = streams_.get();
    }
    return call(&c);
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

  /// Makes a C call that has options and a result. It passes NULL if the options are the defaults.
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

  /// Makes a C call that gives an object.
  template <typename Call> Returns<Object> object_of(const RunOptions &options, Call call) const {
    detail::CRunOptions run(options);
    subpy_object object = 0;
    SUBPY_TRY(execute(&run, [&](subpy_id id, subpy_error **error) {
      return call(id, run.get(), &object, error);
    }));
    return Object(object);
  }

  /// Makes a C call that runs Python code. Fails if the call fails, or if a callback has thrown.
  template <typename Call>
  Returns<void> execute(const detail::CRunOptions *options, Call call) const {
    // The pointer is copied first, as a callback may move this object.
    detail::Streams *const streams = streams_.get();
    subpy_error *error = nullptr;
    const subpy_status status = call(id_, &error);
    if (status != SUBPY_OK || (streams && streams->has_thrown()) ||
        (options && options->thrown())) {
      return detail::fail(status, error, streams, options);
    }
    return Returns<void>();
  }

  /// Lets go of an interpreter that is destroyed.
  Returns<void> end() {
    id_ = NONE;
    const std::unique_ptr<detail::Streams> streams = std::move(streams_);
    return detail::fail(SUBPY_OK, nullptr, streams.get(), nullptr);
  }

  subpy_id id_ = NONE;
  std::unique_ptr<detail::Streams> streams_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
