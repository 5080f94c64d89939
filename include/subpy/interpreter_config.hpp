/// @file
/// What an interpreter is like.

#ifndef SUBPY_INTERPRETER_CONFIG_HPP
#define SUBPY_INTERPRETER_CONFIG_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

inline constexpr subpy_interpreter_config INTERPRETER_DEFAULTS = SUBPY_INTERPRETER_CONFIG_INIT;

} // namespace detail

/// What an interpreter is like; the fields mean what those of ::subpy_interpreter_config do.
struct InterpreterConfig {
  /// Takes a piece of a script's output: UTF-8, never split inside a character, never empty, valid
  /// during the call. See Interpreter for its threads and its exceptions.
  using Write = std::function<void(std::string_view)>;

  /// What stands behind it.
  subpy_backend backend = SUBPY_BACKEND_LOCAL;
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
  /// How much memory it may take, in bytes; 0: as much as there is. At the limit a script gets a
  /// MemoryError, which it can catch. Needs RuntimeConfig::account_memory.
  std::uint64_t memory_limit = 0;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
