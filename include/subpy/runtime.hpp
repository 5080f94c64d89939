/// @file
/// Python, initialized.

#ifndef SUBPY_RUNTIME_HPP
#define SUBPY_RUNTIME_HPP

#include <subpy/c_string.hpp>
#include <subpy/host_function.hpp>
#include <subpy/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

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
  /// The memory of each interpreter is counted, for Interpreter::memory_usage() and
  /// InterpreterConfig::memory_limit.
  bool account_memory = false;
  /// SIGPIPE is ignored from now on, unless the host has a handler for it.
  bool ignore_sigpipe = false;
};

/// Python, initialized for as long as this lives: one count of subpy_initialize(), given back by
/// the destructor. Libraries in one host may each have one. Move-only.
///
/// Interpreters should be destroyed before the last Runtime: it destroys those that are left, and
/// what their objects still own then stays allocated (see ~Interpreter()).
class Runtime {
public:
#if SUBPY_EXCEPTIONS
  /// Joins what is initialized already, whatever its configuration; else initializes with the
  /// defaults, as subpy_initialize() with NULL.
  ///
  /// @throws Error as subpy_initialize().
  Runtime() { start(nullptr); }

  /// Initializes Python, or joins it if it is initialized with this same configuration.
  ///
  /// @param config Copied.
  /// @throws Error as subpy_initialize().
  explicit Runtime(const RuntimeConfig &config) { start_with(config); }
#endif

  /// Makes what the constructor without arguments makes. Without exceptions, this is the only way.
  ///
  /// @throws Error as subpy_initialize().
  static Returns<Runtime> initialize() {
    Runtime made(Nothing{});
    SUBPY_TRY(made.start(nullptr));
    return made;
  }

  /// Makes what the constructor with a config makes. Without exceptions, this is the only way.
  ///
  /// @param config Copied.
  /// @throws Error as subpy_initialize().
  static Returns<Runtime> initialize(const RuntimeConfig &config) {
    Runtime made(Nothing{});
    SUBPY_TRY(made.start_with(config));
    return made;
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
  Returns<void> finalize() {
    if (!holds_) {
      return Returns<void>();
    }
    subpy_error *error = nullptr;
    const subpy_status status = subpy_finalize(&error);
    holds_ = status == SUBPY_ERR_BUSY;
    return detail::check(status, error);
  }

  /// Defines a function of the host's in every interpreter that is created from now on, until
  /// Python is finalized: Interpreter::define() says the rest. It may be called in several threads
  /// at once.
  ///
  /// @throws Error as subpy_define_function_with() with #SUBPY_EVERYWHERE.
  template <typename Function>
  Returns<void> define(CString module, CString name, Function &&function,
                       const FunctionOptions &options = {}) const {
    return detail::define(SUBPY_EVERYWHERE, module, name, std::forward<Function>(function),
                          options);
  }

  /// Whether Python is initialized, by whomever, as far as subpy is concerned.
  static bool is_initialized() noexcept { return subpy_is_initialized(); }

private:
  struct Nothing {};
  explicit Runtime(Nothing) noexcept {}

  /// A text of the config as C has it: NULL if it is empty.
  static Returns<void> set(const char *&field, const std::string &text, const char *name) {
    if (text.find('\0') != std::string::npos) {
      SUBPY_FAIL(Error(SUBPY_ERR_INVALID_ARGUMENT, std::string(name) + " has a NUL character"));
    }
    field = text.empty() ? nullptr : text.c_str();
    return Returns<void>();
  }

  Returns<void> start_with(const RuntimeConfig &config) {
    std::vector<const char *> paths;
    paths.reserve(config.module_search_paths.size());
    for (const std::string &path : config.module_search_paths) {
      SUBPY_TRY(set(paths.emplace_back(), path, "module_search_paths"));
    }
    subpy_runtime_config c = SUBPY_RUNTIME_CONFIG_INIT;
    SUBPY_TRY(set(c.program_name, config.program_name, "program_name"));
    SUBPY_TRY(set(c.home, config.home, "home"));
    SUBPY_TRY(set(c.executable, config.executable, "executable"));
    c.module_search_paths = paths.data();
    c.module_search_paths_count = paths.size();
    c.isolated = config.isolated;
    c.install_signal_handlers = config.install_signal_handlers;
    c.import_site = config.import_site;
    c.allow_main = config.allow_main;
    c.account_memory = config.account_memory;
    c.ignore_sigpipe = config.ignore_sigpipe;
    return start(&c);
  }

  Returns<void> start(const subpy_runtime_config *config) {
    SUBPY_TRY(detail::call(subpy_initialize, config));
    holds_ = true;
    return Returns<void>();
  }

  bool holds_ = false;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
