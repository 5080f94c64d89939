/// @file
/// What an interpreter is like.

#ifndef SUBPY_INTERPRETER_CONFIG_HPP
#define SUBPY_INTERPRETER_CONFIG_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

inline constexpr subpy_interpreter_config INTERPRETER_DEFAULTS = SUBPY_INTERPRETER_CONFIG_INIT;

} // namespace detail

/// What stands behind an interpreter.
enum class Backend : std::uint32_t {
  /// An interpreter of CPython's in this process.
  local = SUBPY_BACKEND_LOCAL,
  /// A process of its own: nothing that a script does there can end the host.
  process = SUBPY_BACKEND_PROCESS,
};

/// What an interpreter is like. Each field means what the one of ::subpy_interpreter_config means.
struct InterpreterConfig {
  /// Receives text that a script wrote to sys.stdout or sys.stderr: UTF-8, never split inside of a
  /// character, never empty, valid during the call. Interpreter says more about it.
  using Write = std::function<void(std::string_view)>;
  /// Gives what a script reads from sys.stdin: writes up to `length` bytes to `buffer`, and returns how many. 0: there is
  /// no more.
  using Read = std::function<std::size_t(char *buffer, std::size_t length)>;

  /// What stands behind the interpreter.
  Backend backend = Backend::local;
  /// Whose GIL the interpreter uses.
  subpy_gil gil = SUBPY_GIL_DEFAULT;
  /// true: `os.fork()` is not refused.
  bool allow_fork = false;
  /// true: `os.execv()` works.
  bool allow_exec = false;
  /// true: scripts may start threads.
  bool allow_threads = true;
  /// true: the threads of scripts may be daemon threads.
  bool allow_daemon_threads = true;
  /// Receives what scripts write to `sys.stdout`. Empty: the process's stdout does.
  /// If that is closed when the interpreter is created, `sys.stdout` is None, and print() does nothing.
  Write on_stdout;
  /// Receives what scripts write to `sys.stderr`. Empty: the process's stderr does,
  /// or nothing, as above.
  Write on_stderr;
  /// How many strings' compiled code is kept, so that they are not compiled again. 0: none.
  std::size_t code_cache_entries = detail::INTERPRETER_DEFAULTS.code_cache_entries;
  /// How large the sources of kept code may be together, in bytes. 0: none is kept.
  std::size_t code_cache_bytes = detail::INTERPRETER_DEFAULTS.code_cache_bytes;
  /// How much memory the interpreter may take, in bytes. 0: as much as there is. At the limit a
  /// script gets a MemoryError, which it can catch. It needs RuntimeConfig::account_memory.
  std::uint64_t memory_limit = 0;
  /// true: its environment is the process's. false: a copy of that, of its own.
  bool share_environment = false;
  /// true: on_stdout and on_stderr receive all bytes as they are. false: they receive UTF-8, and a script that writes
  /// other bytes gets a ValueError.
  bool output_bytes = false;
  /// true: scripts may create interpreters, and run code in them: they have the package `subpy`.
  bool allow_interpreters = false;
  /// true: these know all interpreters of the process. It needs allow_interpreters.
  bool know_all_interpreters = false;
  /// How many interpreters there may be at once that scripts have created. 0 stands for 16.
  std::uint32_t interpreter_limit = 0;
  /// How much CPU time each run may use, with the threads of scripts. 0: as much as it likes. Past it the run is
  /// #SUBPY_ERR_LIMIT.
  std::chrono::milliseconds cpu_limit{0};
  /// How much each run may write to `sys.stdout` and `sys.stderr`, in bytes. 0: as much as it likes. Past it the run is
  /// #SUBPY_ERR_LIMIT.
  std::uint64_t output_limit = 0;
  /// How many threads scripts may have at once. 0: as many as the system allows.
  std::uint32_t thread_limit = 0;
  /// How deep scripts may let calls be nested. 0: as they like.
  std::uint32_t recursion_limit = 0;
  /// true: with Backend::process, its process may leave a core file where it crashes, and debuggers may look into it.
  bool core_dumps = false;
  /// `sys.argv`: the name of a program, and its arguments. Empty: Python's own.
  std::vector<std::string> argv;
  /// Directories or zip files, which imports search first. Each one has to exist.
  std::vector<std::string> search_paths;
  /// Gives what scripts read from `sys.stdin`. Empty: the process's stdin does.
  Read on_stdin;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
