/// @file
/// subpy for C++17: many isolated Python interpreters in one program.
///
/// @code
/// subpy::Runtime runtime;
/// subpy::Interpreter interpreter;
/// try {
///   interpreter.run("print('Hello from', __name__)");
/// } catch (const subpy::Error &error) {
///   std::cerr << error.traceback();
/// }
/// @endcode
///
/// Header only, over the C calls of subpy.h alone; a call that succeeds costs what the C call does.
///
/// Conventions:
///  - What fails throws subpy::Error, and then nothing has happened. The few functions that are
///    `noexcept` don't fail.
///  - `std::string_view`s that go out end in a NUL, so their `data()` is a C string.
///  - Any thread may call anything. An object of this header is as any other in C++: while one
///    thread moves, assigns or destroys it, no other may use it. Interpreter says what else holds.

#ifndef SUBPY_HPP
#define SUBPY_HPP

#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "subpy.hpp needs C++17 or later"
#endif
#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "subpy.hpp reports errors by exceptions; without them, use subpy.h"
#endif

#include <subpy.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subpy {

// Errors. -----------------------------------------------------------------------------------------

/// Why a call failed. Plain data: it can be read in any thread, and outlives the interpreter and
/// the runtime. Copies share it, and copying doesn't throw.
class Error : public std::exception {
public:
  /// Copies what a C call reported, and frees that.
  ///
  /// @param error Not NULL; taken over, also if this throws `std::bad_alloc`.
  explicit Error(subpy_error *error) : data_(std::make_shared<const Data>(Handle(error))) {}

  /// An error that is no Python exception, made by the host or by this header.
  Error(subpy_status status, std::string_view message)
      : data_(std::make_shared<const Data>(status, message)) {}

  /// The status of the call that failed; never #SUBPY_OK.
  subpy_status status() const noexcept { return data_->status; }

  /// What went wrong, for a human: for an exception, what `str()` says of it.
  /// Valid as long as this error or a copy of it.
  std::string_view message() const noexcept { return data_->message; }

  /// The Python exception's type, as a traceback names it: "ValueError", "package.module.Oops".
  /// Empty if the error is no Python exception. Valid as long as this error or a copy of it.
  std::string_view type() const noexcept { return data_->type; }

  /// The traceback as Python prints it, with causes and notes; its lines end in "\n". Empty if
  /// there is none. Valid as long as this error or a copy of it.
  std::string_view traceback() const noexcept { return data_->traceback; }

  /// The exit code of a #SUBPY_ERR_EXIT, as the shell would see it: 0 to 255. 0 for other errors.
  int exit_code() const noexcept { return data_->exit_code; }

  /// "ValueError: the message", or "SUBPY_ERR_BUSY: the message" if it is no Python exception.
  /// Valid as long as this error or a copy of it.
  const char *what() const noexcept override { return data_->what.c_str(); }

private:
  struct Free {
    void operator()(subpy_error *error) const noexcept { subpy_error_free(error); }
  };
  using Handle = std::unique_ptr<subpy_error, Free>;

  struct Data {
    explicit Data(const Handle &error)
        : status(subpy_error_status(error.get())), exit_code(subpy_error_exit_code(error.get())),
          type(subpy_error_type(error.get())), message(subpy_error_message(error.get())),
          traceback(subpy_error_traceback(error.get())), what(line()) {}

    Data(subpy_status s, std::string_view text)
        : status(s), exit_code(0), message(text), what(line()) {}

    std::string line() const {
      const std::string name = type.empty() ? subpy_status_name(status) : type;
      return message.empty() ? name : name + ": " + message;
    }

    subpy_status status;
    int exit_code;
    std::string type;
    std::string message;
    std::string traceback;
    std::string what;
  };

  std::shared_ptr<const Data> data_;
};

namespace detail {

/// Throws what a C call reported, if it failed.
inline void check(subpy_status status, subpy_error *error) {
  if (status != SUBPY_OK) {
    throw Error(error);
  }
}

/// Makes a C call, whose last argument is the place for its error.
template <typename... Parameters, typename... Arguments>
void call(subpy_status (*function)(Parameters...), Arguments... arguments) {
  subpy_error *error = nullptr;
  const subpy_status status = function(arguments..., &error);
  check(status, error);
}

} // namespace detail

// What there is. ----------------------------------------------------------------------------------

/// The version of the library: "0.1.0", as #SUBPY_VERSION is that of the header. Static.
inline std::string_view version() noexcept { return subpy_version(); }

/// The version of the Python library that is loaded: "3.13.0". Valid as long as the process.
inline std::string_view python_version() noexcept { return subpy_python_version(); }

/// Whether the Python that is loaded can do something.
inline bool supports(subpy_feature feature) noexcept {
  return subpy_supports(static_cast<uint32_t>(feature));
}

/// The name of a status: "SUBPY_ERR_BUSY". Static.
inline std::string_view status_name(subpy_status status) noexcept {
  return subpy_status_name(status);
}

// The runtime. ------------------------------------------------------------------------------------

/// How Python is started; the fields mean what those of ::subpy_runtime_config do. An empty string
/// stands for its NULL.
struct RuntimeConfig {
  /// What Python takes for its `argv[0]` when it looks for its home. Empty: not set.
  std::string program_name;
  /// The prefix of the Python installation ("/usr"). Empty: the one that libpython belongs to.
  std::string home;
  /// A Python executable; with the one of a virtual environment, its site-packages work. Empty: the
  /// one that libpython belongs to.
  std::string executable;
  /// Directories or zip files that are searched before the standard library, in this order. Each
  /// one has to exist.
  std::vector<std::string> module_search_paths;
  /// PYTHON* variables and the user's site-packages are ignored.
  bool isolated = true;
  /// Python's signal handlers are installed, in the place of the host's.
  bool install_signal_handlers = false;
  /// `site` is imported, so site-packages work.
  bool import_site = true;
  /// Code may be run in the main interpreter.
  bool allow_main = false;
};

/// Python, initialized for as long as this lives: one count of subpy_initialize(), given back by
/// the destructor. Libraries in one host may each have one. Move-only.
///
/// Interpreters should be destroyed before the last Runtime: it destroys those that are left, and
/// what their objects still own then stays allocated (see ~Interpreter()).
class Runtime {
public:
  /// Joins what is initialized already, whatever its configuration; else initializes with the
  /// defaults, as subpy_initialize() with NULL.
  ///
  /// @throws Error as subpy_initialize().
  Runtime() { initialize(nullptr); }

  /// Initializes Python, or joins it if it is initialized with this same configuration.
  ///
  /// @param config Copied.
  /// @throws Error as subpy_initialize().
  explicit Runtime(const RuntimeConfig &config) {
    std::vector<const char *> paths;
    paths.reserve(config.module_search_paths.size());
    for (const std::string &path : config.module_search_paths) {
      paths.push_back(c_string(path, "module_search_paths"));
    }
    const auto optional = [](const std::string &text, const char *name) {
      return text.empty() ? nullptr : c_string(text, name);
    };
    subpy_runtime_config c = SUBPY_RUNTIME_CONFIG_INIT;
    c.program_name = optional(config.program_name, "program_name");
    c.home = optional(config.home, "home");
    c.executable = optional(config.executable, "executable");
    c.module_search_paths = paths.data();
    c.module_search_paths_count = paths.size();
    c.isolated = config.isolated;
    c.install_signal_handlers = config.install_signal_handlers;
    c.import_site = config.import_site;
    c.allow_main = config.allow_main;
    initialize(&c);
  }

  /// Takes the count of `other`, which holds none afterwards.
  Runtime(Runtime &&other) noexcept : holds_(std::exchange(other.holds_, false)) {}

  /// Gives the own count back, as the destructor does, and takes that of `other`.
  Runtime &operator=(Runtime &&other) noexcept {
    Runtime taken(std::move(other));
    std::swap(holds_, taken.holds_);
    return *this;
  }

  /// As finalize(), but never throws: where that would fail with #SUBPY_ERR_BUSY, because an
  /// interpreter is in use or a Python thread still runs, Python stays initialized until the
  /// process ends, which does no harm. Hosts that have to know call finalize().
  ~Runtime() {
    if (holds_) {
      subpy_finalize(nullptr);
    }
  }

  /// Gives the count back; the last one destroys the remaining interpreters and finalizes Python,
  /// unless the host started it. This object holds none afterwards.
  /// Does nothing if it holds none already.
  ///
  /// @throws Error as subpy_finalize(). After #SUBPY_ERR_BUSY it still holds its count, and can be
  ///         asked again.
  void finalize() {
    if (!holds_) {
      return;
    }
    subpy_error *error = nullptr;
    const subpy_status status = subpy_finalize(&error);
    holds_ = status == SUBPY_ERR_BUSY;
    detail::check(status, error);
  }

  /// Whether Python is initialized, by whomever, as far as subpy is concerned.
  static bool is_initialized() noexcept { return subpy_is_initialized(); }

private:
  static const char *c_string(const std::string &text, const char *name) {
    if (text.find('\0') != std::string::npos) {
      throw Error(SUBPY_ERR_INVALID_ARGUMENT, std::string(name) + " has a NUL character");
    }
    return text.c_str();
  }

  void initialize(const subpy_runtime_config *config) {
    detail::call(subpy_initialize, config);
    holds_ = true;
  }

  bool holds_ = false;
};

// Interpreters by their id. -----------------------------------------------------------------------

/// The id of the main interpreter: 0.
///
/// @throws Error as subpy_get_main().
inline subpy_id main_id() {
  subpy_id id = 0;
  detail::call(subpy_get_main, &id);
  return id;
}

/// The interpreter whose code runs in the calling thread now, for a function of the host that a
/// script has called; `nullopt` outside of any.
///
/// @throws Error as subpy_get_current(), but for #SUBPY_ERR_NOT_FOUND.
inline std::optional<subpy_id> current() {
  subpy_id id = 0;
  subpy_error *error = nullptr;
  const subpy_status status = subpy_get_current(&id, &error);
  if (status == SUBPY_ERR_NOT_FOUND) {
    subpy_error_free(error);
    return std::nullopt;
  }
  detail::check(status, error);
  return id;
}

/// The ids of all interpreters, the main one included, in ascending order.
///
/// @throws Error as subpy_list_all().
inline std::vector<subpy_id> list_all() {
  std::vector<subpy_id> ids(16);
  for (;;) {
    std::size_t count = 0;
    detail::call(subpy_list_all, ids.data(), ids.size(), &count);
    const bool all = count <= ids.size();
    ids.resize(count);
    if (all) {
      return ids;
    }
  }
}

// Interpreters. -----------------------------------------------------------------------------------

namespace detail {

inline constexpr subpy_interpreter_config INTERPRETER_DEFAULTS = SUBPY_INTERPRETER_CONFIG_INIT;

} // namespace detail

/// What an interpreter is like; the fields mean what those of ::subpy_interpreter_config do.
struct InterpreterConfig {
  /// Takes a piece of a script's output: UTF-8, never split inside a character, never empty, valid
  /// during the call. See Interpreter for its threads and its exceptions.
  using Write = std::function<void(std::string_view)>;

  /// Whose GIL it uses.
  subpy_gil gil = SUBPY_GIL_DEFAULT;
  /// `os.fork()` works.
  bool allow_fork = false;
  /// `os.execv()` works.
  bool allow_exec = false;
  /// Scripts may start threads.
  bool allow_threads = true;
  /// Those may be daemon threads.
  bool allow_daemon_threads = false;
  /// Takes what scripts write to `sys.stdout`. Empty: the process's stdout does.
  Write on_stdout;
  /// Takes what scripts write to `sys.stderr`. Empty: the process's stderr does.
  Write on_stderr;
  /// How many strings' compiled code is kept, so that they are not compiled again; 0: none.
  std::size_t code_cache_entries = detail::INTERPRETER_DEFAULTS.code_cache_entries;
  /// How large their sources may be together, in bytes; 0: none is kept.
  std::size_t code_cache_bytes = detail::INTERPRETER_DEFAULTS.code_cache_bytes;
};

/// How a string is run; the fields mean what those of ::subpy_run_options do. It owns nothing: the
/// strings are the caller's, and have to live until run() returns.
struct RunOptions {
  /// What tracebacks call the code. NULL: "<string>", "<string-2>" and so on.
  const char *filename = nullptr;
};

namespace detail {

/// The callbacks of one interpreter, at an address that C can keep, and the exception that one of
/// them has thrown.
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

  /// From now on, what is written is thrown away.
  void close() noexcept { closed_.store(true, std::memory_order_release); }

  bool has_thrown() const noexcept { return thrown_.load(std::memory_order_acquire) != nullptr; }

  /// The first exception since the last call.
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
    try {
      callback(text);
    } catch (...) {
      keep(std::current_exception());
    }
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
  /// Owned. Atomic, because stdout and stderr may be written in two threads at once.
  std::atomic<std::exception_ptr *> thrown_{nullptr};
};

/// Throws what came out of a run or a destroy: what the C call reported, what a callback has
/// thrown, or the first with the second nested.
inline void fail(subpy_status status, subpy_error *error, Output *output) {
  const std::exception_ptr thrown = output ? output->take_thrown() : nullptr;
  if (!thrown) {
    check(status, error);
    return;
  }
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    if (status == SUBPY_OK) {
      throw;
    }
    std::throw_with_nested(Error(error));
  }
}

} // namespace detail

/// An interpreter, which is destroyed with this object. Move-only; a moved-from one holds none.
///
/// *Threads*: run(), is_running() and stats() may be called in any thread, in several at once; one
/// run at a time, the others fail with #SUBPY_ERR_BUSY. Different interpreters run at once, in
/// parallel where each has its own GIL.
///
/// *Callbacks* (InterpreterConfig::on_stdout, InterpreterConfig::on_stderr) are called in the
/// thread that wrote, which holds no GIL and no lock; each never twice at once, but the two may be
/// called at the same time if scripts have threads. They may use other interpreters. They are moved
/// into this object, and live until the interpreter is destroyed.
///
/// *Exceptions of callbacks* don't reach the script, which runs on, and whose later output still is
/// delivered. The first one is kept until the run ends, and then is thrown by run(). If the run
/// fails, too, then run() throws the Error with the callback's exception nested in it: see
/// `std::rethrow_if_nested`. One from a Python thread that writes between runs is thrown by the
/// next run(), one from output while the interpreter is destroyed by destroy(); the destructor
/// drops it.
class Interpreter {
public:
  /// Creates an interpreter with the defaults. It stays idle until something is run in it.
  ///
  /// @throws Error as subpy_create().
  Interpreter() { detail::call(subpy_create, nullptr, &id_); }

  /// Creates an interpreter.
  ///
  /// @param config Its callbacks are kept: move it in to spare a copy.
  /// @throws Error as subpy_create().
  explicit Interpreter(InterpreterConfig config) {
    subpy_interpreter_config c = SUBPY_INTERPRETER_CONFIG_INIT;
    c.gil = static_cast<uint32_t>(config.gil);
    c.allow_fork = config.allow_fork;
    c.allow_exec = config.allow_exec;
    c.allow_threads = config.allow_threads;
    c.allow_daemon_threads = config.allow_daemon_threads;
    c.code_cache_entries = config.code_cache_entries;
    c.code_cache_bytes = config.code_cache_bytes;
    if (config.on_stdout || config.on_stderr) {
      c.stdout_fn = config.on_stdout ? &detail::Output::write_stdout : nullptr;
      c.stderr_fn = config.on_stderr ? &detail::Output::write_stderr : nullptr;
      output_ = std::make_unique<detail::Output>(std::move(config.on_stdout),
                                                 std::move(config.on_stderr));
      c.output_user = output_.get();
    }
    detail::call(subpy_create, &c, &id_);
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
  /// @throws Error as subpy_run(): #SUBPY_ERR_EXCEPTION for a Python exception, #SUBPY_ERR_EXIT for
  ///         SystemExit; #SUBPY_ERR_NOT_FOUND if this object holds no interpreter.
  /// @throws anything that a callback has thrown.
  void run(std::string_view code) { run_c(nullptr, code); }

  /// As run(std::string_view), with options.
  void run(std::string_view code, const RunOptions &options) {
    subpy_run_options c = SUBPY_RUN_OPTIONS_INIT;
    c.filename = options.filename;
    run_c(&c, code);
  }

  /// Whether a run is under way. The answer may be old by the time it arrives.
  ///
  /// @throws Error as subpy_is_running().
  bool is_running() const {
    bool running = false;
    detail::call(subpy_is_running, id_, &running);
    return running;
  }

  /// What the interpreter has done so far.
  ///
  /// @throws Error as subpy_stats().
  subpy_interpreter_stats stats() const {
    subpy_interpreter_stats stats = SUBPY_INTERPRETER_STATS_INIT;
    detail::call(subpy_stats, id_, &stats);
    return stats;
  }

  /// Finalizes the interpreter: its `atexit` functions run, its modules and objects go, its
  /// callbacks are destroyed. This object holds none afterwards.
  ///
  /// @throws Error as subpy_destroy(): #SUBPY_ERR_BUSY if it runs now, or Python threads of its
  ///         scripts still do. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown; the interpreter is destroyed then.
  void destroy() {
    detail::call(subpy_destroy, id_);
    end();
  }

  /// As destroy(), but waits for the Python threads of its scripts to end.
  ///
  /// @param wait How long at most; nothing else can be run in the interpreter meanwhile.
  /// @throws Error as subpy_destroy_wait(): #SUBPY_ERR_BUSY if threads still run when the time is
  ///         over. This object still holds the interpreter then.
  /// @throws anything that a callback has thrown; the interpreter is destroyed then.
  void destroy(std::chrono::milliseconds wait) {
    constexpr std::chrono::milliseconds none(0), most(UINT32_MAX);
    detail::call(subpy_destroy_wait, id_,
                 static_cast<uint32_t>(std::clamp(wait, none, most).count()));
    end();
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

  void run_c(const subpy_run_options *options, std::string_view code) {
    // Copied first: a callback may move this object.
    detail::Output *const output = output_.get();
    const char *const text = code.data() ? code.data() : "";
    subpy_error *error = nullptr;
    const subpy_status status = subpy_run(id_, options, text, code.size(), &error);
    if (status != SUBPY_OK || (output && output->has_thrown())) {
      detail::fail(status, error, output);
    }
  }

  /// The interpreter is destroyed.
  void end() {
    id_ = NONE;
    const std::unique_ptr<detail::Output> output = std::move(output_);
    detail::fail(SUBPY_OK, nullptr, output.get());
  }

  subpy_id id_ = NONE;
  std::unique_ptr<detail::Output> output_;
};

} // namespace subpy

#endif // SUBPY_HPP
