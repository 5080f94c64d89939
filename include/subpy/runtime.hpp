/// @file
/// The runtime: starting and ending Python.

#ifndef SUBPY_RUNTIME_HPP
#define SUBPY_RUNTIME_HPP

#include <subpy/c_string.hpp>
#include <subpy/host_function.hpp>
#include <subpy/modules.hpp>
#include <subpy/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// The version of the library: "0.2.0". #SUBPY_VERSION is the version of the header. The string is
/// static.
inline std::string_view version() noexcept { return subpy_version(); }

/// The version of the Python library that is loaded, such as "3.13.0". The string lives as long as
/// the process.
inline std::string_view python_version() noexcept { return subpy_python_version(); }

/// Whether the library and the Python that is loaded can do something.
inline bool supports(subpy_feature feature) noexcept {
  return subpy_supports(static_cast<uint32_t>(feature));
}

/// The name of a status, such as "SUBPY_ERR_BUSY". The string is static.
inline std::string_view status_name(subpy_status status) noexcept {
  return subpy_status_name(status);
}

// The runtime. ------------------------------------------------------------------------------------

/// Serves as the program of interpreters with Backend::process, if this process was started for that; else nothing
/// happens. A program that has the static library in it calls it first in its `main`: see RuntimeConfig::worker.
inline void worker_main(int argc, char *const *argv) { subpy_worker_main(argc, argv); }

/// How Python is started. Each field means what the one of ::subpy_runtime_config means.
struct RuntimeConfig {
  /// Told what no call can say: a line of UTF-8 without its end, valid during the call. Runtime says more about it.
  using Log = std::function<void(std::string_view)>;

  /// What Python takes for its `argv[0]` when it looks for its home. Empty: it is not set.
  std::string program_name;
  /// The prefix of the Python installation, such as "/usr". Empty: the one that libpython belongs
  /// to.
  std::string home;
  /// A Python executable. With the executable of a virtual environment, the environment's
  /// site-packages work. Empty: the executable that libpython belongs to.
  std::string executable;
  /// Directories or zip files. Each one has to exist. Python searches them in this order, before
  /// the standard library.
  std::vector<std::string> module_search_paths;
  /// true: the PYTHON* variables and the user's site-packages are ignored.
  bool isolated = true;
  /// true: Python installs its signal handlers. false: the host keeps its own.
  bool install_signal_handlers = false;
  /// true: Python imports `site`, so site-packages work.
  bool import_site = true;
  /// true: code may run in the main interpreter.
  bool allow_main = false;
  /// true: the memory of each interpreter is counted. Interpreter::memory_usage() and
  /// InterpreterConfig::memory_limit need it.
  bool account_memory = false;
  /// true: SIGPIPE and SIGXFSZ are ignored until the end, each unless the host does something about it.
  bool ignore_sigpipe = true;
  /// true: scripts of the main interpreter may create interpreters.
  bool allow_interpreters = false;
  /// How many of these there may be at once. 0 stands for 16.
  std::uint32_t interpreter_limit = 0;
  /// true: the code of Python's library stays as it is, so that an interrupt ends few waits in C. See
  /// subpy_runtime_config::forbid_patches.
  bool forbid_patches = false;
  /// The signal that ends waits in C. 0 stands for a real-time signal that nobody handles.
  int wait_signal = 0;
  /// true: each call goes by the stack that it comes on, however small that is. See
  /// subpy_runtime_config::forbid_stack_switches.
  bool forbid_stack_switches = false;
  /// Names of modules that each interpreter with Backend::process has from its start. They are imported once for all of
  /// them, and not in this process.
  std::vector<std::string> preload;
  /// The program of interpreters with Backend::process. Empty: the one that is installed with the library. A program
  /// that has the static library in it gives its own path, and calls worker_main() first in its `main`.
  std::string worker;
  /// Told what no call can say, such as that a process has ended which nobody waits for. Empty: nobody is told.
  Log log;
};

namespace detail {

/// The log of the runtime. C keeps the address of this object.
class Log {
public:
  explicit Log(RuntimeConfig::Log log) : log_(std::move(log)) {}
  Log(const Log &) = delete;
  Log &operator=(const Log &) = delete;

  static void say(void *user, const char *message) noexcept {
    guard([&] { static_cast<Log *>(user)->log_(message); }, [] {});
  }

private:
  const RuntimeConfig::Log log_;
};

} // namespace detail

/// Keeps Python initialized as long as it lives. It holds one count of subpy_initialize(), and the
/// destructor gives that back. Each library in a host may have a Runtime of its own. The object can
/// be moved, not copied.
///
/// The last Runtime destroys the interpreters that are left. What their objects own then stays
/// allocated (see ~Interpreter()), so a host should destroy them before.
///
/// **The log.** The library calls RuntimeConfig::log in a thread of its own or in one of the host's that calls subpy,
/// several at once. That thread holds no GIL. The log must not call subpy. What it throws is dropped: there is no call
/// that could throw it. The object that has started Python owns the log. It stays allocated if somebody else still holds
/// a count when that object gives its own back. A config with a log joins no Python that is initialized, since no two
/// logs are the same.
class Runtime {
public:
#if SUBPY_EXCEPTIONS
  /// Initializes Python with the defaults, or joins it if it is initialized, whatever its config:
  /// subpy_initialize() with NULL.
  ///
  /// @throws Error as subpy_initialize().
  Runtime() { start(nullptr); }

  /// Initializes Python, or joins it if it is initialized with the same config.
  ///
  /// @param config The library copies it.
  /// @throws Error as subpy_initialize().
  explicit Runtime(const RuntimeConfig &config) { start_with(config); }
#endif

  /// Initializes Python with the defaults, or joins it, as the constructor does.
  ///
  /// @throws Error as subpy_initialize().
  static Returns<Runtime> initialize() {
    Runtime made(Nothing{});
    SUBPY_TRY(made.start(nullptr));
    return made;
  }

  /// Initializes Python, or joins it, as the constructor does.
  ///
  /// @param config The library copies it.
  /// @throws Error as subpy_initialize().
  static Returns<Runtime> initialize(const RuntimeConfig &config) {
    Runtime made(Nothing{});
    SUBPY_TRY(made.start_with(config));
    return made;
  }

  /// Takes the count of `other`. `other` holds none afterwards.
  Runtime(Runtime &&other) noexcept
      : holds_(std::exchange(other.holds_, false)), log_(std::move(other.log_)) {}

  /// Gives back the count of this object, as the destructor does, and takes that of `other`.
  Runtime &operator=(Runtime &&other) noexcept {
    Runtime taken(std::move(other));
    std::swap(holds_, taken.holds_);
    std::swap(log_, taken.log_);
    return *this;
  }

  /// Gives the count back as finalize() does, but never fails. If finalize() would fail with
  /// #SUBPY_ERR_BUSY, Python stays initialized until the process ends, which does no harm.
  ~Runtime() {
    if (holds_) {
      subpy_finalize(nullptr);
      end_log();
    }
  }

  /// Gives the count back. The last one destroys the interpreters that are left and finalizes
  /// Python, unless the host has started it. This object holds no count afterwards. If it held none
  /// before, nothing happens.
  ///
  /// @throws Error as subpy_finalize(). After #SUBPY_ERR_BUSY this object still holds its count,
  ///         and the call can be made again.
  Returns<void> finalize() {
    if (!holds_) {
      return Returns<void>();
    }
    subpy_error *error = nullptr;
    const subpy_status status = subpy_finalize(&error);
    holds_ = status == SUBPY_ERR_BUSY;
    if (!holds_) {
      end_log();
    }
    return detail::check(status, error);
  }

  /// Defines a function of the host's in each interpreter that is created from now on, until Python
  /// is finalized: see Interpreter::define(). Several threads may call the function at once.
  ///
  /// @throws Error as subpy_define_function_with() with #SUBPY_EVERYWHERE.
  template <typename Function>
  Returns<void> define(CString module, CString name, Function &&function,
                       const FunctionOptions &options = {}) const {
    return detail::define(SUBPY_EVERYWHERE, module, name, std::forward<Function>(function),
                          options);
  }

  /// Adds a module from memory to each interpreter that is created from now on, until Python is finalized: see
  /// Interpreter::add_module().
  ///
  /// @throws Error as subpy_add_module() with #SUBPY_EVERYWHERE.
  Returns<void> add_module(CString name, std::string_view source,
                           const char *filename = nullptr) const {
    SUBPY_TRY(name.check());
    return detail::add_module(SUBPY_EVERYWHERE, name, source, filename);
  }

  /// Whether subpy is initialized, by this object or by another caller of subpy_initialize().
  static bool is_initialized() noexcept { return subpy_is_initialized(); }

private:
  struct Nothing {};
  explicit Runtime(Nothing) noexcept {}

  Returns<void> start_with(const RuntimeConfig &config) {
    std::vector<const char *> paths, preload;
    SUBPY_TRY(detail::set(paths, config.module_search_paths, "module_search_paths"));
    SUBPY_TRY(detail::set(preload, config.preload, "preload"));
    subpy_runtime_config c = SUBPY_RUNTIME_CONFIG_INIT;
    SUBPY_TRY(detail::set(c.program_name, config.program_name, "program_name"));
    SUBPY_TRY(detail::set(c.home, config.home, "home"));
    SUBPY_TRY(detail::set(c.executable, config.executable, "executable"));
    c.module_search_paths = paths.data();
    c.module_search_paths_count = paths.size();
    c.isolated = config.isolated;
    c.install_signal_handlers = config.install_signal_handlers;
    c.import_site = config.import_site;
    c.allow_main = config.allow_main;
    c.account_memory = config.account_memory;
    c.ignore_sigpipe = config.ignore_sigpipe;
    c.allow_interpreters = config.allow_interpreters;
    c.interpreter_limit = config.interpreter_limit;
    c.forbid_patches = config.forbid_patches;
    c.wait_signal = config.wait_signal;
    c.forbid_stack_switches = config.forbid_stack_switches;
    c.preload = preload.data();
    c.preload_count = preload.size();
    SUBPY_TRY(detail::set(c.worker, config.worker, "worker"));
    if (config.log) {
      log_ = std::make_unique<detail::Log>(config.log);
      c.log_fn = &detail::Log::say;
      c.log_user = log_.get();
    }
    return start(&c);
  }

  Returns<void> start(const subpy_runtime_config *config) {
    SUBPY_TRY(detail::call(subpy_initialize, config));
    holds_ = true;
    return Returns<void>();
  }

  /// Lets go of the log when the count was given back.
  void end_log() noexcept {
    if (subpy_is_initialized()) {
      static_cast<void>(log_.release()); // the library may still call it
    } else {
      log_.reset();
    }
  }

  bool holds_ = false;
  std::unique_ptr<detail::Log> log_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
