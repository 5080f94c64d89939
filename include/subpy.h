/**
 * @file
 * subpy: many isolated Python interpreters in one C or C++ program.
 *
 * Conventions of every function:
 *  - One that can fail returns a ::subpy_status and takes, last, a place for an error: NULL to
 *    ignore it; otherwise it is always written: NULL on success, and on failure an error that the
 *    caller frees with subpy_error_free().
 *  - Strings that come in are UTF-8, end in a NUL, and are the caller's. Strings that go out belong
 *    to what they were asked of.
 *  - Any thread may make any call, one that Python has never seen, too. A thread that holds a Python
 *    thread state of its own (the host embeds Python itself, or is inside of a callback) gets it
 *    back as it was.
 *  - No lock of subpy is held while Python code or a callback runs, or while a GIL is awaited.
 *
 * This file is generated from crates/ffi by cbindgen: `make header`.
 */


#ifndef SUBPY_H
#define SUBPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** The version of this header; subpy_version() is that of the library. */
#define SUBPY_VERSION "0.1.0"
#define SUBPY_VERSION_MAJOR 0 /**< As a number. */
#define SUBPY_VERSION_MINOR 1 /**< As a number. */
#define SUBPY_VERSION_PATCH 0 /**< As a number. */

/** The defaults of a ::subpy_runtime_config. */
#define SUBPY_RUNTIME_CONFIG_INIT                                                                  \
  { sizeof(subpy_runtime_config), NULL, NULL, NULL, NULL, 0, 1, 0, 1, 0, 0, 0 }

/** The defaults of a ::subpy_interpreter_config. */
#define SUBPY_INTERPRETER_CONFIG_INIT                                                              \
  { sizeof(subpy_interpreter_config), SUBPY_GIL_DEFAULT, 0, 0, 1, 0, NULL, NULL, NULL, 256,       \
    4194304, 0 }

/** The defaults of a ::subpy_run_options. */
#define SUBPY_RUN_OPTIONS_INIT                                                                     \
  { sizeof(subpy_run_options), NULL, 0, NULL, NULL, 0 }

/** To be filled by subpy_stats(). */
#define SUBPY_INTERPRETER_STATS_INIT                                                               \
  { sizeof(subpy_interpreter_stats), 0, 0, 0, 0, 0, 0 }

/** The defaults of a ::subpy_call_options. */
#define SUBPY_CALL_OPTIONS_INIT                                                                    \
  { sizeof(subpy_call_options), 0, NULL, NULL }

/** The id for subpy_define_function() that stands for every interpreter created from now on. */
#define SUBPY_EVERYWHERE INT64_MIN

/** The defaults of a ::subpy_function_options. */
#define SUBPY_FUNCTION_OPTIONS_INIT                                                                \
  { sizeof(subpy_function_options), NULL, NULL, 0, 0 }

/** The defaults of a ::subpy_buffer_info: no bytes, read-only. */
#define SUBPY_BUFFER_INFO_INIT                                                                     \
  { sizeof(subpy_buffer_info), NULL, 0, 0, 0, NULL, 0, NULL, NULL, NULL, NULL }

/**
 * What a ::subpy_deadline_fn returns for a run that may go on for ever.
 */
#define SUBPY_NO_DEADLINE UINT64_MAX

/**
 * How deep values may be nested: a list in a list is nested two deep.
 */
#define SUBPY_MAX_DEPTH 256

/**
 * A flag: an int past 64 bits becomes a #SUBPY_BIG_INT, a str with lone surrogates a #SUBPY_WTF8.
 * Without it, they are #SUBPY_ERR_NOT_SHAREABLE.
 */
#define SUBPY_LOSSLESS_TEXT 1

/**
 * A flag: `bytes` become a #SUBPY_BUFFER, without a copy. Without it, they are copied.
 */
#define SUBPY_PIN_BYTES 2

/**
 * A flag: memory whose items are not in C's order without gaps comes out, too, with
 * subpy_buffer_info::strides set. Without it, it is #SUBPY_ERR_NOT_SHAREABLE.
 */
#define SUBPY_STRIDED 4

/**
 * What a call returns: #SUBPY_OK, or why nothing was done.
 */
typedef enum subpy_status {
  /**
   * Done.
   */
  SUBPY_OK = 0,
  /**
   * An argument is wrong: NULL, not UTF-8, out of range. The message names it.
   */
  SUBPY_ERR_INVALID_ARGUMENT = 1,
  /**
   * Before subpy_initialize() or after the last subpy_finalize().
   */
  SUBPY_ERR_NOT_INITIALIZED = 2,
  /**
   * No such interpreter: the id was never given out, or was destroyed. No such name.
   */
  SUBPY_ERR_NOT_FOUND = 3,
  /**
   * The interpreter runs right now, or Python threads of its scripts still do.
   */
  SUBPY_ERR_BUSY = 4,
  /**
   * The call is not for this interpreter, or contradicts what was set before.
   */
  SUBPY_ERR_NOT_PERMITTED = 5,
  /**
   * This Python can't do it.
   */
  SUBPY_ERR_UNSUPPORTED = 6,
  /**
   * The script raised an exception: see subpy_error_type() and subpy_error_traceback().
   */
  SUBPY_ERR_EXCEPTION = 7,
  /**
   * The script raised SystemExit: see subpy_error_exit_code().
   */
  SUBPY_ERR_EXIT = 8,
  /**
   * The run was interrupted.
   */
  SUBPY_ERR_INTERRUPTED = 9,
  /**
   * The run took longer than it was given.
   */
  SUBPY_ERR_TIMEOUT = 10,
  /**
   * A value has no form outside of its interpreter.
   */
  SUBPY_ERR_NOT_SHAREABLE = 11,
  /**
   * No memory left.
   */
  SUBPY_ERR_NO_MEMORY = 12,
  /**
   * A defect of subpy itself: please report it with the message.
   */
  SUBPY_ERR_INTERNAL = 13,
} subpy_status;

/**
 * Whose GIL an interpreter uses: the values of subpy_interpreter_config::gil.
 */
typedef enum subpy_gil {
  /**
   * Its own where this Python has that (3.12 and later), else the shared one.
   */
  SUBPY_GIL_DEFAULT = 0,
  /**
   * Its own: it runs in parallel with all others. #SUBPY_ERR_UNSUPPORTED below Python 3.12.
   */
  SUBPY_GIL_OWN = 1,
  /**
   * The main interpreter's: it takes turns with others, and extension modules that know nothing
   * of subinterpreters, such as numpy, load.
   */
  SUBPY_GIL_SHARED = 2,
} subpy_gil;

/**
 * What a Python can or can't do: for subpy_supports().
 */
typedef enum subpy_feature {
  /**
   * Interpreters with a GIL of their own, which run in parallel: Python 3.12 and later.
   */
  SUBPY_FEATURE_OWN_GIL = 1,
  /**
   * allow_fork, allow_exec, allow_threads and allow_daemon_threads are enforced: 3.12 and later.
   */
  SUBPY_FEATURE_RESTRICTIONS = 2,
  /**
   * The memory of interpreters can be counted and limited: 3.12 and later.
   */
  SUBPY_FEATURE_MEMORY_ACCOUNTS = 3,
} subpy_feature;

/**
 * The kinds of a ::subpy_value.
 */
typedef enum subpy_kind {
  /**
   * None.
   */
  SUBPY_NONE = 0,
  /**
   * A bool: `as.boolean`.
   */
  SUBPY_BOOL = 1,
  /**
   * An int of 64 bits: `as.integer`.
   */
  SUBPY_INT = 2,
  /**
   * A float: `as.real`.
   */
  SUBPY_FLOAT = 3,
  /**
   * A str: `as.text`, in UTF-8.
   */
  SUBPY_STR = 4,
  /**
   * Bytes: `as.text`.
   */
  SUBPY_BYTES = 5,
  /**
   * A tuple: `as.items`.
   */
  SUBPY_TUPLE = 6,
  /**
   * A list: `as.items`.
   */
  SUBPY_LIST = 7,
  /**
   * A dict: `as.items`, keys and values in turn, in the dict's order.
   */
  SUBPY_DICT = 8,
  /**
   * Memory that is shared: `as.buffer`.
   */
  SUBPY_BUFFER = 9,
  /**
   * An int of any size: `as.text`, as Python's `int(text, 0)` reads it. From Python, where
   * #SUBPY_LOSSLESS_TEXT was asked for: an int past 64 bits, in hexadecimal ("-0x1f").
   */
  SUBPY_BIG_INT = 10,
  /**
   * A str with lone surrogates: `as.text`, in UTF-8, but for them, which take three bytes each, as
   * other characters of their size do ("WTF-8"). From Python, only where #SUBPY_LOSSLESS_TEXT was
   * asked for.
   */
  SUBPY_WTF8 = 11,
} subpy_kind;

/**
 * Why a call failed. Owned by the caller, freed with subpy_error_free(). Plain data: it can be
 * read in any thread, after the interpreter is destroyed and after subpy_finalize().
 */
typedef struct subpy_error subpy_error;

/**
 * A call of a host function: to be answered by subpy_host_return() or subpy_host_raise(). It is valid
 * until the function returns, in the thread that it was called in.
 */
typedef struct subpy_host_call subpy_host_call;

/**
 * An interpreter. 0 is the main one; an id is never given out twice in a process.
 */
typedef int64_t subpy_id;

/**
 * The text or the bytes of a ::subpy_value.
 */
typedef struct subpy_text_data {
  /**
   * The first byte. What the library hands out ends in a NUL that is not counted; what the host
   * passes need not. May be NULL if the length is 0.
   */
  const char *data;
  /**
   * How many bytes.
   */
  size_t length;
} subpy_text_data;

/**
 * The items of a ::subpy_value.
 */
typedef struct subpy_items {
  /**
   * The first item. Of a dict: the first key, then its value, the second key, and so on. May be
   * NULL if the length is 0.
   */
  const struct subpy_value *data;
  /**
   * How many items; of a dict: how many pairs.
   */
  size_t length;
} subpy_items;

/**
 * Called by the library once, when it does not need something of the host's any more.
 *
 * @param user What the host handed over with it.
 *
 * Called in the thread that let go of it, which holds neither a GIL nor a lock of subpy. It may call
 * subpy. It must not leave by an exception or longjmp.
 */
typedef void (*subpy_drop_fn)(void *user);

/**
 * Memory that the host and Python share. Start from #SUBPY_BUFFER_INFO_INIT.
 *
 * From the host to Python it becomes a memoryview, without a copy. Each call that takes the value
 * calls `release` once, whatever becomes of the call: when Python's last view of the memory is gone,
 * when the interpreter has ended, or, if there never was a view, before the call returns. Until then
 * the memory has to stay where it is: that is the host's side of it.
 *
 * From Python to the host it is the memory of a Python object, which stays in place until
 * subpy_value_clear(); for an argument of a host function, until that returns. The host may pass such a
 * value on: in its own interpreter it is a view of the object again; another interpreter shares the
 * memory, which then stays in place until the views there are gone, too. As long as it has to, its
 * interpreter can't be destroyed.
 */
typedef struct subpy_buffer_info {
  /**
   * `sizeof(subpy_buffer_info)`.
   */
  size_t struct_size;
  /**
   * The first byte. May be NULL if the length is 0.
   */
  void *data;
  /**
   * The size of all items in bytes.
   */
  size_t length;
  /**
   * 1: it may be written to, by the side that gets it. 0 (the default): it may only be read.
   */
  uint8_t writable;
  /**
   * The size of an item in bytes. 0 (the default): as the format says, for those that are one letter
   * of Python's `struct` module.
   */
  size_t item_size;
  /**
   * What an item is, as Python's `struct` module has it: "d", "<i4". NULL (the default): "B",
   * bytes. Copied by the library.
   */
  const char *format;
  /**
   * How many dimensions; 0 (the default): one, of all items.
   */
  size_t dimensions;
  /**
   * How many items each dimension has. May be NULL if `dimensions` is 0. Copied by the library.
   */
  const ptrdiff_t *shape;
  /**
   * NULL: the items are in C's order, with no gaps. Else how many bytes lie between the items of
   * each dimension: only from Python, and only if #SUBPY_STRIDED was asked for.
   */
  const ptrdiff_t *strides;
  /**
   * Called when the library does not need the memory any more; NULL: nothing is. From Python: the
   * library's own, not to be called.
   */
  subpy_drop_fn release;
  /**
   * Handed to `release`. From Python: the library's own.
   */
  void *user;
} subpy_buffer_info;

/**
 * What a ::subpy_value is: the field that its kind names.
 */
typedef union subpy_data {
  /**
   * Of #SUBPY_INT.
   */
  int64_t integer;
  /**
   * Of #SUBPY_FLOAT.
   */
  double real;
  /**
   * Of #SUBPY_BOOL.
   */
  bool boolean;
  /**
   * Of #SUBPY_STR, #SUBPY_BYTES, #SUBPY_BIG_INT and #SUBPY_WTF8.
   */
  struct subpy_text_data text;
  /**
   * Of #SUBPY_TUPLE, #SUBPY_LIST and #SUBPY_DICT.
   */
  struct subpy_items items;
  /**
   * Of #SUBPY_BUFFER.
   */
  const struct subpy_buffer_info *buffer;
} subpy_data;

/**
 * A value: plain data, made by the helpers (subpy_int() and the others) or by hand. It points to its
 * text and its items; copying it copies neither.
 *
 * One that the library has handed out owns what it points to, until subpy_value_clear().
 */
typedef struct subpy_value {
  /**
   * One of ::subpy_kind: which field of `as` counts.
   */
  uint32_t kind;
  /**
   * The library's own; 0 in a value that the host builds.
   */
  uint32_t owned;
  /**
   * What it is.
   */
  union subpy_data as;
} subpy_value;

/**
 * A function of the host's, called by a script.
 *
 * @param user  What subpy_define_function() got.
 * @param call  The call: to answer it. The last answer counts; without one, it is None.
 * @param args  The positional arguments; they belong to the library and are valid until the function
 *              returns. Not NULL where `nargs` is not 0.
 * @param nargs How many there are.
 *
 * Called in the thread that runs the script, or a Python thread of it, with the interpreter's GIL,
 * unless subpy_function_options::release_gil is set; it may be called in several threads at once then.
 * It should not wait while it has the GIL: what it waits for may need the interpreter, or another one
 * that shares the GIL. It may call subpy for other interpreters; its own is #SUBPY_ERR_BUSY. It must not leave by an exception or
 * longjmp.
 */
typedef void (*subpy_host_fn)(void *user,
                              struct subpy_host_call *call,
                              const struct subpy_value *args,
                              size_t nargs);

/**
 * How a function is defined. Fill it with #SUBPY_FUNCTION_OPTIONS_INIT, then change what you need. The
 * strings are copied.
 */
typedef struct subpy_function_options {
  /**
   * `sizeof(subpy_function_options)`.
   */
  size_t struct_size;
  /**
   * Its `__doc__`, which `help()` shows. NULL: none.
   */
  const char *doc;
  /**
   * Its parameters, as Python writes them: "(level, text, *, end='\\n')". `help()` and
   * `inspect.signature()` show them; the function is called with whatever the script passes. NULL:
   * "(*args, **kwargs)".
   */
  const char *signature;
  /**
   * 1: the GIL is released while the function works, so other Python threads of the interpreter run
   * meanwhile. 0 (the default): it is held.
   */
  uint8_t release_gil;
  /**
   * How arguments become values: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several
   * of them; 0 (the default): none. An argument that can't become a value is a TypeError in the
   * script; the function is not called then.
   */
  uint32_t flags;
} subpy_function_options;

/**
 * Takes a piece of a script's output.
 *
 * @param user   subpy_interpreter_config::output_user.
 * @param text   UTF-8, never split inside a character, not terminated; valid during the call.
 * @param length Its length in bytes; never 0.
 *
 * Called in the thread that wrote, which holds neither a GIL nor a lock of subpy; never twice at
 * once for one stream of an interpreter. It may call subpy for other interpreters. It must not
 * leave by an exception or longjmp.
 */
typedef void (*subpy_write_fn)(void *user, const char *text, size_t length);

/**
 * What an interpreter is like. Fill it with #SUBPY_INTERPRETER_CONFIG_INIT, then change what you
 * need.
 */
typedef struct subpy_interpreter_config {
  /**
   * `sizeof(subpy_interpreter_config)`.
   */
  size_t struct_size;
  /**
   * One of ::subpy_gil.
   */
  uint32_t gil;
  /**
   * 1: `os.fork()` is not refused. 0 (the default): it raises RuntimeError. Python 3.12 and later;
   * before, it is never refused. (Python ends the child of a fork outside of the main interpreter
   * with exit code 1; `subprocess` works, it needs no fork of this kind.)
   */
  uint8_t allow_fork;
  /**
   * 1: `os.execv()` works. 0 (the default): it raises RuntimeError. As above.
   */
  uint8_t allow_exec;
  /**
   * 1 (the default): scripts may start threads. 0: they can't; #SUBPY_ERR_UNSUPPORTED below
   * Python 3.12.
   */
  uint8_t allow_threads;
  /**
   * 1: those may be daemon threads. 0 (the default): they can't. Needs `allow_threads`. Python
   * 3.12 and later; before, they always can.
   */
  uint8_t allow_daemon_threads;
  /**
   * Takes what scripts write to `sys.stdout`. NULL: the process's stdout does.
   */
  subpy_write_fn stdout_fn;
  /**
   * Takes what scripts write to `sys.stderr`. NULL: the process's stderr does.
   */
  subpy_write_fn stderr_fn;
  /**
   * Handed to both; not touched by subpy. It has to live until the interpreter is destroyed.
   */
  void *output_user;
  /**
   * How many strings' compiled code is kept, so that they are not compiled again: 256 by default;
   * 0: none. Running kept code does what compiling it again would do, but that a SyntaxWarning is
   * shown once. Least recently used out first.
   */
  size_t code_cache_entries;
  /**
   * How large their sources may be together, in bytes: 4 MiB by default; 0: none is kept. The code
   * takes some ten times as much.
   */
  size_t code_cache_bytes;
  /**
   * How much memory it may take, in bytes; 0 (the default): as much as there is. At the limit a
   * script gets a MemoryError, which it can catch. Needs subpy_runtime_config::account_memory.
   */
  uint64_t memory_limit;
} subpy_interpreter_config;

/**
 * Asked when a run is out of time; see subpy_run_options::deadline_fn.
 *
 * @param user       subpy_run_options::deadline_user.
 * @param id         The interpreter.
 * @param elapsed_ms How long the run has taken so far, in milliseconds.
 * @return For how many milliseconds more it may run, after which the question is asked again; 0: it
 *         is interrupted and returns #SUBPY_ERR_TIMEOUT; #SUBPY_NO_DEADLINE: it goes on without a
 *         limit.
 *
 * Called in a thread of subpy's that serves all limits: be quick. It holds no GIL and no lock. It
 * must not call subpy, and must not leave by an exception or longjmp.
 */
typedef uint64_t (*subpy_deadline_fn)(void *user, subpy_id id, uint64_t elapsed_ms);

/**
 * How a string is run. Fill it with #SUBPY_RUN_OPTIONS_INIT, then change what you need.
 */
typedef struct subpy_run_options {
  /**
   * `sizeof(subpy_run_options)`.
   */
  size_t struct_size;
  /**
   * What tracebacks call the code. NULL: "<string>", or "<string-2>" and so on for the second
   * string that the interpreter compiles and those after it.
   */
  const char *filename;
  /**
   * How long it may take, in milliseconds; 0 (the default): as long as it likes. When the time is
   * over the script gets a KeyboardInterrupt, as by subpy_interrupt(), and the run returns
   * #SUBPY_ERR_TIMEOUT.
   */
  uint64_t timeout_ms;
  /**
   * Asked when the time is over, instead of interrupting at once. NULL: it is interrupted. Not
   * called any more when the run has returned.
   */
  subpy_deadline_fn deadline_fn;
  /**
   * Handed to it; not touched by subpy.
   */
  void *deadline_user;
  /**
   * 1: the time of the run is measured, for subpy_stats(); it costs a microsecond. 0 (the default):
   * only that of a run with a limit is.
   */
  uint8_t measure;
} subpy_run_options;

/**
 * How Python is started. Fill it with #SUBPY_RUNTIME_CONFIG_INIT, then change what you need. The
 * strings are copied by subpy_initialize().
 */
typedef struct subpy_runtime_config {
  /**
   * `sizeof(subpy_runtime_config)`.
   */
  size_t struct_size;
  /**
   * What Python takes for its `argv[0]` when it looks for its home. NULL: not set.
   */
  const char *program_name;
  /**
   * The prefix of the Python installation ("/usr"). NULL: the one that libpython belongs to.
   */
  const char *home;
  /**
   * A Python executable; with the one of a virtual environment, its site-packages work. NULL:
   * the one that libpython belongs to.
   */
  const char *executable;
  /**
   * Directories or zip files that are searched before the standard library, in this order. Each
   * one has to exist. May be NULL if the count is 0.
   */
  const char *const *module_search_paths;
  /**
   * How many there are.
   */
  size_t module_search_paths_count;
  /**
   * 1 (the default): PYTHON* variables and the user's site-packages are ignored. 0: they count.
   */
  uint8_t isolated;
  /**
   * 1: Python's signal handlers are installed. 0 (the default): the host keeps its own.
   */
  uint8_t install_signal_handlers;
  /**
   * 1 (the default): `site` is imported, so site-packages work. 0: it isn't, and interpreters
   * are created faster.
   */
  uint8_t import_site;
  /**
   * 1: code may be run in the main interpreter. 0 (the default): that is
   * #SUBPY_ERR_NOT_PERMITTED.
   */
  uint8_t allow_main;
  /**
   * 1: the memory of each interpreter is counted, for subpy_memory_usage() and
   * subpy_interpreter_config::memory_limit; allocation-heavy scripts then take some 4 % longer. 0
   * (the default): it isn't. Python 3.12 and later, started by subpy.
   */
  uint8_t account_memory;
  /**
   * 1: SIGPIPE is ignored from now on, as in any Python process, unless the host has a handler for
   * it. 0 (the default): it is left alone, and a script that writes to a pipe or a socket that
   * nobody reads any more ends the process. (The process's own stdout and stderr are safe either way.)
   */
  uint8_t ignore_sigpipe;
} subpy_runtime_config;

/**
 * What an interpreter has done so far. Start from #SUBPY_INTERPRETER_STATS_INIT.
 */
typedef struct subpy_interpreter_stats {
  /**
   * `sizeof(subpy_interpreter_stats)`.
   */
  size_t struct_size;
  /**
   * Runs that found their code compiled.
   */
  uint64_t code_cache_hits;
  /**
   * Runs that had to compile it, and could.
   */
  uint64_t code_cache_misses;
  /**
   * Strings whose code is kept now.
   */
  uint64_t code_cache_entries;
  /**
   * The size of their sources, in bytes.
   */
  uint64_t code_cache_bytes;
  /**
   * How long the last run took that was measured, in nanoseconds: one with a limit, or with
   * subpy_run_options::measure.
   */
  uint64_t last_wall_ns;
  /**
   * How much CPU time its thread took for it, in nanoseconds.
   */
  uint64_t last_cpu_ns;
} subpy_interpreter_stats;

/**
 * How a function is called or an expression is evaluated, and how the result becomes a value. Fill it
 * with #SUBPY_CALL_OPTIONS_INIT, then change what you need.
 */
typedef struct subpy_call_options {
  /**
   * `sizeof(subpy_call_options)`.
   */
  size_t struct_size;
  /**
   * #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several of them; 0 (the default):
   * none.
   */
  uint32_t flags;
  /**
   * Of subpy_call_with(): a dict of keyword arguments. NULL (the default): there are none. Has to be
   * NULL for other calls.
   */
  const struct subpy_value *keywords;
  /**
   * The file name and the limit on the time, as for subpy_run(). NULL: the defaults.
   */
  const struct subpy_run_options *run;
} subpy_call_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The status that the failed call returned.
 *
 * @param error An error, or NULL.
 * @return Its status; #SUBPY_OK for NULL.
 *
 * Threads: any, at any time.
 */
enum subpy_status subpy_error_status(const struct subpy_error *error);

/**
 * What went wrong, for a human: for an exception, what `str()` says of it.
 *
 * @param error An error, or NULL.
 * @return UTF-8, never NULL, "" for NULL. Owned by the error, valid until it is freed. A NUL
 *         character in the text is written as `\x00`.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_message(const struct subpy_error *error);

/**
 * The exception's type, as a traceback names it: "ValueError", "package.module.Oops".
 *
 * @param error An error, or NULL.
 * @return UTF-8, never NULL, "" if the error is no exception. Owned by the error, valid until it
 *         is freed.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_type(const struct subpy_error *error);

/**
 * The traceback as Python prints it: with causes and contexts, notes, exception groups, the
 * caret lines of a SyntaxError, and the source lines of the strings that were run.
 *
 * @param error An error, or NULL.
 * @return UTF-8, lines end in "\n", never NULL, "" if there is none. Owned by the error, valid
 *         until it is freed.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_traceback(const struct subpy_error *error);

/**
 * The exit code of a #SUBPY_ERR_EXIT, as the shell would see it: 0 to 255. `sys.exit()` and
 * `sys.exit(None)` are 0, a string or any other object is 1.
 *
 * @param error An error, or NULL.
 * @return The code; 0 where there is none.
 *
 * Threads: any, at any time.
 */
int subpy_error_exit_code(const struct subpy_error *error);

/**
 * Frees an error and the strings that came from it.
 *
 * @param error An error, which is gone afterwards, or NULL.
 *
 * Threads: any, at any time; each error once.
 */
void subpy_error_free(struct subpy_error *error);

/**
 * Defines a function of the host's in a module: subpy_define_function_with() with the defaults.
 *
 * @param id     The interpreter, or #SUBPY_EVERYWHERE.
 * @param module The module: UTF-8, "host" or "app.host".
 * @param name   The function's name in it: UTF-8.
 * @param fn     The function.
 * @param user   Handed to it; not touched by subpy.
 * @param drop   Called once with `user`, whatever becomes of this call. NULL: nothing is.
 * @param error  NULL, or where the error goes.
 * @return As subpy_define_function_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_define_function(subpy_id id,
                                        const char *module,
                                        const char *name,
                                        subpy_host_fn fn,
                                        void *user,
                                        subpy_drop_fn drop,
                                        struct subpy_error **error);

/**
 * Defines a function of the host's in a module of an interpreter. The module is imported, or made if
 * there is none of that name; scripts then import it as any other. A function that is there already is
 * replaced.
 *
 * With #SUBPY_EVERYWHERE, every interpreter that is created from now on gets the function when it is
 * created, until the last subpy_finalize(). (If a module that is imported for it raises an exception,
 * creating fails with that.)
 *
 * `drop` is called once, without a GIL, as soon as the function can't be called any more: when Python
 * has let go of it (it was replaced, and no script holds it), in the thread that did; when its
 * interpreter is destroyed, in the thread that does that; for one that is defined everywhere, when that
 * holds for each interpreter, and the definition was replaced or subpy is finalized; and if this call
 * fails, before it returns. It may call subpy; the interpreter that is being destroyed is
 * #SUBPY_ERR_BUSY.
 *
 * @param id      The interpreter, or #SUBPY_EVERYWHERE.
 * @param options NULL for the defaults.
 * @param module  The module: UTF-8, "host" or "app.host".
 * @param name    The function's name in it: UTF-8.
 * @param fn      The function.
 * @param user    Handed to it; not touched by subpy.
 * @param drop    Called once with `user`, whatever becomes of this call. NULL: nothing is.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
 *         #SUBPY_ERR_EXCEPTION if the module is there, and raised an exception when it was imported;
 *         and as subpy_run().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_define_function_with(subpy_id id,
                                             const struct subpy_function_options *options,
                                             const char *module,
                                             const char *name,
                                             subpy_host_fn fn,
                                             void *user,
                                             subpy_drop_fn drop,
                                             struct subpy_error **error);

/**
 * Answers a call with a value, which is copied, but for its buffers. One that is wrong is a ValueError
 * or TypeError in the script, which says where.
 *
 * @param call  The call; NULL: nothing happens.
 * @param value The value; NULL stands for None.
 *
 * Threads: the one that the host function was called in.
 */
void subpy_host_return(struct subpy_host_call *call,
                       const struct subpy_value *value);

/**
 * Answers a call with an exception.
 *
 * @param call    The call; NULL: nothing happens.
 * @param type    Its type: "builtins.ValueError", "package.module.Oops" or, in short, "ValueError".
 *                The module is imported. A type that there is not is a RuntimeError that says so; NULL
 *                stands for "RuntimeError". UTF-8; copied.
 * @param message Its argument; NULL stands for "". UTF-8; copied.
 *
 * Threads: the one that the host function was called in.
 */
void subpy_host_raise(struct subpy_host_call *call,
                      const char *type,
                      const char *message);

/**
 * The keyword arguments of a call.
 *
 * @param call The call.
 * @return A dict, of length 0 if there are none; it belongs to the call. NULL for NULL.
 *
 * Threads: the one that the host function was called in.
 */
const struct subpy_value *subpy_host_keywords(struct subpy_host_call *call);

/**
 * The interpreter that makes a call.
 *
 * @param call The call.
 * @return Its id; -1 for NULL.
 *
 * Threads: the one that the host function was called in.
 */
subpy_id subpy_host_interpreter(struct subpy_host_call *call);

/**
 * Creates an interpreter. It stays idle until something is run in it.
 *
 * @param config NULL for the defaults.
 * @param id     Where the new interpreter's id goes; 0 if there is none.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a combination that Python forbids, or
 *         NULL for `id`;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_UNSUPPORTED for #SUBPY_GIL_OWN or `allow_threads = 0` below Python 3.12, and
 *         for a `memory_limit` where memory is not counted;
 *         #SUBPY_ERR_INTERNAL if Python could not create it (the message says why).
 *
 * Threads: any; several at once. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_create(const struct subpy_interpreter_config *config,
                               subpy_id *id,
                               struct subpy_error **error);

/**
 * Finalizes an interpreter: its `atexit` functions run, its modules and objects go. Its id is
 * #SUBPY_ERR_NOT_FOUND from then on.
 *
 * @param id    The interpreter.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_NOT_PERMITTED for the main interpreter;
 *         #SUBPY_ERR_BUSY if it runs now (also where the caller is inside of it), or if Python
 *         threads that its scripts started still do (the message says how many): nothing has
 *         happened then, unless an `atexit` function started that thread; those run once.
 *
 * Finalizers that raise, print or run code do so as at the end of any Python process; from then on
 * no thread can be started. Exit functions may take 5 seconds, and so may finalizers; what still runs
 * then gets a KeyboardInterrupt, as from subpy_interrupt(), which works before that time, too. (Below
 * Python 3.12 finalizers are not interrupted.)
 *
 * Threads: any; it need not be the one that created it. A GIL that the calling thread holds is
 * released meanwhile.
 */
enum subpy_status subpy_destroy(subpy_id id,
                                struct subpy_error **error);

/**
 * As subpy_destroy(), but waits for the Python threads of its scripts to end. Idle workers of a
 * `concurrent.futures.ThreadPoolExecutor`, which would wait for work for ever, are told to.
 *
 * @param id      The interpreter.
 * @param wait_ms How long to wait at most, in milliseconds; nothing else can be run in the
 *                interpreter meanwhile. If it is more than 5 seconds, exit functions and
 *                finalizers may take as long, too.
 * @param error   NULL, or where the error goes.
 * @return As subpy_destroy(); #SUBPY_ERR_BUSY if threads still run when the time is over.
 *
 * Threads: as subpy_destroy().
 */
enum subpy_status subpy_destroy_wait(subpy_id id, uint32_t wait_ms, struct subpy_error **error);

/**
 * Lists the interpreters that subpy knows: the main one, then those that it created, in ascending
 * order.
 *
 * @param ids      Where the ids go; may be NULL if `capacity` is 0.
 * @param capacity How many fit there.
 * @param count    Where the whole number goes, however many fitted.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED.
 *
 * Threads: any.
 */
enum subpy_status subpy_list_all(subpy_id *ids,
                                 size_t capacity,
                                 size_t *count,
                                 struct subpy_error **error);

/**
 * The interpreter whose code runs in the calling thread now: for a function of the host that a
 * script has called.
 *
 * @param id    Where its id goes.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND outside of any interpreter that subpy knows.
 *
 * Threads: any.
 */
enum subpy_status subpy_get_current(subpy_id *id, struct subpy_error **error);

/**
 * The main interpreter: always 0.
 *
 * @param id    Where its id goes.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED.
 *
 * Threads: any.
 */
enum subpy_status subpy_get_main(subpy_id *id, struct subpy_error **error);

/**
 * Whether a run is under way in an interpreter. The answer may be old by the time it arrives.
 *
 * @param id      The interpreter; the main one, too.
 * @param running Where the answer goes.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any; it waits for nothing.
 */
enum subpy_status subpy_is_running(subpy_id id, bool *running, struct subpy_error **error);

/**
 * Asks the run that is under way in an interpreter to end. Nothing happens if there is none, and the
 * next run is not affected.
 *
 * The script gets a KeyboardInterrupt at its next safe point, at once in Python code; `except
 * Exception` lets that pass. If it goes on all the same, it gets it again every 10 ms, and after
 * 100 ms at each safe point, also in the handler that has just caught it, until it has ended. Then
 * its run returns #SUBPY_ERR_INTERRUPTED, with the traceback of where it was. A script that catches
 * it and ends by itself just ends. (Below Python 3.12 it is every 10 ms all along, so a loop that
 * catches everything can escape it. In 3.12, one can that has nothing outside of its `try`. Python
 * 3.10 itself has no safe point in a loop that begins with `try` and calls nothing.)
 *
 * A call that blocks in C (`time.sleep`, a lock, a socket, `select`, an event loop that waits, a long
 * computation in an extension module) is not woken: the script gets the exception when it returns.
 * As with Ctrl+C, an import that was interrupted may leave a package half imported: an interpreter
 * that is to be used again is best interrupted when it has imported what it needs.
 *
 * @param id    The interpreter; the main one, too.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK, also if nothing runs;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any; it waits for no GIL. (Below Python 3.12 a thread that it starts does, and the script
 * gets the exception within some milliseconds.) Not from a signal handler: from a thread that takes
 * signals with sigwait(), say.
 */
enum subpy_status subpy_interrupt(subpy_id id,
                                  struct subpy_error **error);

/**
 * Runs a program in an interpreter's `__main__`, in the calling thread, with the defaults of
 * subpy_run().
 *
 * @param id    The interpreter.
 * @param code  The program: UTF-8, ends in a NUL. Not kept after the call.
 * @param error NULL, or where the error goes.
 * @return As subpy_run().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_run_string(subpy_id id, const char *code, struct subpy_error **error);

/**
 * Runs a program in an interpreter's `__main__`, in the calling thread. What it returns is thrown
 * away; `__main__` keeps its names from run to run. Its output is flushed before the call returns.
 *
 * One run at a time: an interpreter that runs already is #SUBPY_ERR_BUSY, in whatever thread.
 * Different interpreters run at once, in parallel where each has its own GIL.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param code    The program: UTF-8, without NUL characters. Not kept after the call.
 * @param length  Its length in bytes.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, a NUL character or bad UTF-8;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_NOT_PERMITTED for the main interpreter, unless
 *         subpy_runtime_config::allow_main is set;
 *         #SUBPY_ERR_BUSY if it runs now;
 *         #SUBPY_ERR_EXCEPTION if the program raised an exception, or can't be compiled;
 *         #SUBPY_ERR_EXIT if it raised SystemExit: the process goes on;
 *         #SUBPY_ERR_INTERRUPTED if subpy_interrupt() ended it;
 *         #SUBPY_ERR_TIMEOUT if its time was over.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_run(subpy_id id,
                            const struct subpy_run_options *options,
                            const char *code,
                            size_t length,
                            struct subpy_error **error);

/**
 * Starts Python, or joins the one that the host has started itself.
 *
 * Calls count: each successful one needs a subpy_finalize(). The first one's config holds; a later
 * one with NULL joins it whatever it is, and one that asks for something else fails.
 *
 * A Python that subpy started takes its configuration from here alone: the process's locale and
 * signal handlers stay as they are, and text is UTF-8 everywhere. The thread of the first call is
 * Python's main thread; that matters to scripts only where `signal` is concerned.
 *
 * If the host initialized Python before, subpy uses it as it is, and subpy_finalize() leaves it
 * running. The calling thread may then hold a GIL, and holds it again afterwards.
 *
 * @param config NULL for the defaults.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a path that doesn't exist, or where no
 *         standard library is found (the message has the places that were searched);
 *         #SUBPY_ERR_NOT_PERMITTED if Python runs already and the config asks for something else;
 *         #SUBPY_ERR_UNSUPPORTED after Python was finalized, which can't be undone in a process, and
 *         for `account_memory` below Python 3.12 or with PYTHONMALLOC in the environment;
 *         #SUBPY_ERR_INTERNAL if Python could not be started for another reason.
 *
 * Threads: any, at any time.
 */
enum subpy_status subpy_initialize(const struct subpy_runtime_config *config,
                                   struct subpy_error **error);

/**
 * Gives back one subpy_initialize(). The last one destroys the remaining interpreters and
 * finalizes Python, unless the host started it.
 *
 * Afterwards only subpy_is_initialized(), subpy_version(), subpy_python_version(),
 * subpy_supports(), subpy_initialize() and the functions for errors work; the others are
 * #SUBPY_ERR_NOT_INITIALIZED. A process that exits without this call exits cleanly.
 *
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED if there is nothing to give back;
 *         #SUBPY_ERR_BUSY if an interpreter is in use, has Python threads that still run, or if
 *         the calling thread holds a GIL of a Python that subpy started: nothing has happened
 *         then, and the call can be made again.
 *
 * Threads: any, at any time.
 */
enum subpy_status subpy_finalize(struct subpy_error **error);

/**
 * Whether subpy is between subpy_initialize() and the last subpy_finalize().
 *
 * Threads: any, at any time.
 */
bool subpy_is_initialized(void);

/**
 * The version of the library: "0.1.0", as #SUBPY_VERSION is that of the header.
 *
 * @return A static string.
 *
 * Threads: any, at any time.
 */
const char *subpy_version(void);

/**
 * The version of the Python library that is loaded: "3.13.0".
 *
 * @return A string that lives as long as the process.
 *
 * Threads: any, at any time.
 */
const char *subpy_python_version(void);

/**
 * Whether the Python that is loaded can do something.
 *
 * @param feature One of ::subpy_feature.
 * @return false for what it can't and for what this library doesn't know.
 *
 * Threads: any, at any time.
 */
bool subpy_supports(uint32_t feature);

/**
 * What an interpreter has done so far.
 *
 * @param id    The interpreter; the main one, too.
 * @param stats Where the figures go; its `struct_size` has to be set.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL or a wrong `struct_size`;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any; it waits for nothing, not even for a run in that interpreter.
 */
enum subpy_status subpy_stats(subpy_id id,
                              struct subpy_interpreter_stats *stats,
                              struct subpy_error **error);

/**
 * How much memory an interpreter has: the blocks that Python has allocated for its objects. What
 * extension modules allocate past Python, what Python shares between interpreters, and its own machinery
 * (what it takes from malloc() itself, some 0.2 MiB for an interpreter) are not in it.
 *
 * @param id      The interpreter; the main one, too, from the time when subpy has taken it over.
 * @param current Where the bytes that it has now go; may be NULL.
 * @param peak    Where the most that it has had at once goes, in bytes; may be NULL.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_UNSUPPORTED unless subpy_runtime_config::account_memory is set.
 *
 * Threads: any; it waits for nothing, not even for a run in that interpreter.
 */
enum subpy_status subpy_memory_usage(subpy_id id,
                                     uint64_t *current,
                                     uint64_t *peak,
                                     struct subpy_error **error);

/**
 * The name of a status, as the header spells it.
 *
 * @param status Any value.
 * @return A static string such as "SUBPY_ERR_BUSY"; "unknown subpy_status" for a value that this
 *         library doesn't know. Never NULL.
 *
 * Threads: any, at any time.
 */
const char *subpy_status_name(subpy_status status);

/**
 * Gives a value a name in an interpreter's `__main__`. The value is copied, but for its buffers.
 *
 * @param id    The interpreter.
 * @param name  The name: UTF-8, an identifier.
 * @param value The value; not kept after the call.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, what can't be a name, or a wrong value (the message
 *         says where in the value: `value[1]["a"]`): a kind that there is none of, NULL with a length,
 *         a length past all limits, text that is not UTF-8, a key that Python can't have, a buffer
 *         that is described wrong;
 *         #SUBPY_ERR_NOT_SHAREABLE for a value that is nested more than #SUBPY_MAX_DEPTH deep, or
 *         contains itself;
 *         and as subpy_run().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_set(subpy_id id,
                            const char *name,
                            const struct subpy_value *value,
                            struct subpy_error **error);

/**
 * The value that a name has in an interpreter's `__main__`: subpy_get_with() with the defaults.
 *
 * @param id    The interpreter.
 * @param name  The name: UTF-8.
 * @param out   Where the value goes, to be cleared by subpy_value_clear(); None if the call fails.
 *              What was there before is not cleared.
 * @param error NULL, or where the error goes.
 * @return As subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_get(subpy_id id,
                            const char *name,
                            struct subpy_value *out,
                            struct subpy_error **error);

/**
 * The value that a name has in an interpreter's `__main__`: a copy, in one allocation, but for buffers,
 * which stay where Python has them.
 *
 * None, bool, int, float, str, bytes, tuple, list and dict become what they are; instances of their
 * subclasses, too. What else has the buffer protocol (bytearray, memoryview, array.array, arrays of
 * numpy) becomes a #SUBPY_BUFFER. No other object has a form outside of its interpreter.
 *
 * As long as a value has a buffer of an interpreter, the interpreter can't be destroyed.
 *
 * @param id    The interpreter.
 * @param flags #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several of them; 0: none.
 * @param name  The name: UTF-8.
 * @param out   Where the value goes, to be cleared by subpy_value_clear(); None if the call fails.
 *              What was there before is not cleared.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, unknown flags, or what can't be a name;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a name that
 *         there is not in `__main__` (its builtins don't count: evaluate them);
 *         #SUBPY_ERR_NOT_SHAREABLE for an object that has no form outside of its interpreter, an int
 *         past 64 bits, a str with lone surrogates, what is nested more than #SUBPY_MAX_DEPTH deep, or
 *         contains itself (the message says where in the value: `result["a"][3]`);
 *         #SUBPY_ERR_NO_MEMORY;
 *         and as subpy_run().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_get_with(subpy_id id,
                                 uint32_t flags,
                                 const char *name,
                                 struct subpy_value *out,
                                 struct subpy_error **error);

/**
 * Evaluates an expression in an interpreter's `__main__`: subpy_eval_with() with the defaults.
 *
 * @param id         The interpreter.
 * @param expression The expression: UTF-8, ends in a NUL. Not kept after the call.
 * @param out        Where its value goes, to be cleared by subpy_value_clear(); None if the call
 *                   fails. What was there before is not cleared. NULL: it is thrown away.
 * @param error      NULL, or where the error goes.
 * @return As subpy_eval_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_eval(subpy_id id,
                             const char *expression,
                             struct subpy_value *out,
                             struct subpy_error **error);

/**
 * Evaluates an expression in an interpreter's `__main__`. Its code is kept, as that of subpy_run() is.
 *
 * @param id         The interpreter.
 * @param options    NULL for the defaults.
 * @param expression The expression: UTF-8, without NUL characters. Not kept after the call.
 * @param length     Its length in bytes.
 * @param out        Where its value goes, to be cleared by subpy_value_clear(); None if the call
 *                   fails. What was there before is not cleared. NULL: it is thrown away.
 * @param error      NULL, or where the error goes.
 * @return As subpy_run(), which has what evaluating may come to, and subpy_get_with(), which has what
 *         the value may come to.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_eval_with(subpy_id id,
                                  const struct subpy_call_options *options,
                                  const char *expression,
                                  size_t length,
                                  struct subpy_value *out,
                                  struct subpy_error **error);

/**
 * Calls a function with positional arguments: subpy_call_with() with the defaults.
 *
 * @param id       The interpreter.
 * @param callable `name`, or `package.module:qualified.name`: UTF-8.
 * @param args     The arguments; not kept after the call. May be NULL if `nargs` is 0.
 * @param nargs    How many there are.
 * @param out      Where the result goes, to be cleared by subpy_value_clear(); None if the call
 *                 fails. What was there before is not cleared. NULL: it is thrown away.
 * @param error    NULL, or where the error goes.
 * @return As subpy_call_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_call(subpy_id id,
                             const char *callable,
                             const struct subpy_value *args,
                             size_t nargs,
                             struct subpy_value *out,
                             struct subpy_error **error);

/**
 * Calls a function, or whatever else can be called.
 *
 * `name` is looked up in `__main__`, at each call. `package.module:qualified.name` is looked up in the
 * module, which is imported if it is not yet; `__main__:thing.method` is what a dotted name in
 * `__main__` is. A coroutine, which an `async def` function returns, is run to its end by
 * `asyncio.run()`, and its result is the result.
 *
 * @param id       The interpreter.
 * @param options  NULL for the defaults; subpy_call_options::keywords is taken as `args` are.
 * @param callable `name`, or `package.module:qualified.name`: UTF-8.
 * @param args     The arguments; not kept after the call. May be NULL if `nargs` is 0.
 * @param nargs    How many there are.
 * @param out      Where the result goes, to be cleared by subpy_value_clear(); None if the call
 *                 fails. What was there before is not cleared. NULL: it is thrown away.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be a callable's name, an
 *         object that can't be called, or a wrong value (see subpy_set());
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a module or
 *         a name that there is not;
 *         and as subpy_run(), which has what running may come to, and subpy_get_with(), which has what
 *         the result may come to.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_call_with(subpy_id id,
                                  const struct subpy_call_options *options,
                                  const char *callable,
                                  const struct subpy_value *args,
                                  size_t nargs,
                                  struct subpy_value *out,
                                  struct subpy_error **error);

/**
 * Runs a program with names of the host's: subpy_run_unrestricted() with the defaults.
 *
 * @param id     The interpreter.
 * @param code   The program: UTF-8, ends in a NUL. Not kept after the call.
 * @param ns     A dict of names that are added to `__main__` first; NULL: none.
 * @param ns_out Where the names go that are in `__main__` then, to be cleared by subpy_value_clear();
 *               None if the call fails. What was there before is not cleared. NULL: they are thrown
 *               away.
 * @param error  NULL, or where the error goes.
 * @return As subpy_run_unrestricted().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_run_string_unrestricted(subpy_id id,
                                                const char *code,
                                                const struct subpy_value *ns,
                                                struct subpy_value *ns_out,
                                                struct subpy_error **error);

/**
 * Runs a program in an interpreter's `__main__`, after adding names of the host's, and hands back the
 * names that are there then.
 *
 * Names that start with `__` stay as they are in `__main__`, and don't come back. Nor do names whose
 * value has no form outside of the interpreter, such as modules and functions, or does not have one
 * because of something in it: what comes back is what can be shared.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param code    The program: UTF-8, without NUL characters. Not kept after the call.
 * @param length  Its length in bytes.
 * @param ns      A dict of names that are added to `__main__` first; NULL: none.
 * @param ns_out  Where the names go that are in `__main__` then, to be cleared by subpy_value_clear();
 *                None if the call fails. What was there before is not cleared. NULL: they are thrown
 *                away.
 * @param error   NULL, or where the error goes.
 * @return As subpy_run(), and subpy_set() for `ns`.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
enum subpy_status subpy_run_unrestricted(subpy_id id,
                                         const struct subpy_call_options *options,
                                         const char *code,
                                         size_t length,
                                         const struct subpy_value *ns,
                                         struct subpy_value *ns_out,
                                         struct subpy_error **error);

/**
 * Frees what the library has handed out with a value, and makes it None. Does nothing to a value of
 * the host's own but that, nor to one that is cleared already. Only the value that a call wrote owns
 * what it points to: not its items, and not a second copy of it.
 *
 * Buffers of an interpreter that the value has are given back to it: that waits for its GIL, also while
 * another thread runs in it. The interpreter lives as long as there are any.
 *
 * @param value A value, or NULL.
 *
 * Threads: any, at any time; also after the interpreter is destroyed and after subpy_finalize().
 */
void subpy_value_clear(struct subpy_value *value);

/**
 * The name of a kind, as Python calls it.
 *
 * @param kind Any value.
 * @return A static string such as "list"; "unknown" for a kind that this library doesn't know. Never
 *         NULL.
 *
 * Threads: any, at any time.
 */
const char *subpy_kind_name(uint32_t kind);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* Values, built and read. What is built points to what it is given, and lives no longer. ----------
 */

/** @cond */
#ifdef __cplusplus
#define SUBPY_CAST(type, value) static_cast<type>(value)
#else
#define SUBPY_CAST(type, value) ((type)(value))
#endif
/** @endcond */

/** None. */
static inline subpy_value subpy_none(void) {
  subpy_value value;
  value.kind = SUBPY_NONE;
  value.owned = 0;
  value.as.text.data = NULL;
  value.as.text.length = 0;
  return value;
}

/** A bool. */
static inline subpy_value subpy_bool(bool boolean) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_BOOL;
  value.as.boolean = boolean;
  return value;
}

/** An int of 64 bits. For larger ones, see subpy_big_int(). */
static inline subpy_value subpy_int(int64_t integer) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_INT;
  value.as.integer = integer;
  return value;
}

/** A float. */
static inline subpy_value subpy_float(double real) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_FLOAT;
  value.as.real = real;
  return value;
}

/** What the next ones are made of. */
static inline subpy_value subpy_text_of_kind(uint32_t kind, const char *data, size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.text.data = data;
  value.as.text.length = length;
  return value;
}

/** A str of UTF-8 that ends in a NUL. NULL makes a value that every call refuses. */
static inline subpy_value subpy_str(const char *text) {
  return subpy_text_of_kind(SUBPY_STR, text, text != NULL ? strlen(text) : 1);
}

/** A str of `length` bytes of UTF-8, which may have NULs. */
static inline subpy_value subpy_str_n(const char *text, size_t length) {
  return subpy_text_of_kind(SUBPY_STR, text, length);
}

/** Bytes. */
static inline subpy_value subpy_bytes(const void *data, size_t length) {
  return subpy_text_of_kind(SUBPY_BYTES, SUBPY_CAST(const char *, data), length);
}

/** An int of any size: "18446744073709551615", "-0xff". NULL makes a value that every call refuses.
 */
static inline subpy_value subpy_big_int(const char *digits) {
  return subpy_text_of_kind(SUBPY_BIG_INT, digits, digits != NULL ? strlen(digits) : 1);
}

/** What the next ones are made of. */
static inline subpy_value subpy_items_of_kind(uint32_t kind, const subpy_value *items,
                                              size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.items.data = items;
  value.as.items.length = length;
  return value;
}

/** A tuple of `length` items. */
static inline subpy_value subpy_tuple(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_TUPLE, items, length);
}

/** A list of `length` items. */
static inline subpy_value subpy_list(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_LIST, items, length);
}

/** A dict of `length` pairs: 2 * `length` values, keys and values in turn. */
static inline subpy_value subpy_dict(const subpy_value *pairs, size_t length) {
  return subpy_items_of_kind(SUBPY_DICT, pairs, length);
}

/** Memory of the host's: see ::subpy_buffer_info, which has to live as long as the value does. */
static inline subpy_value subpy_buffer(const subpy_buffer_info *buffer) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_BUFFER;
  value.as.buffer = buffer;
  return value;
}

/**
 * How many items a tuple or list has, pairs a dict, bytes a str, bytes or a buffer. 0 for anything
 * else, and for NULL.
 */
static inline size_t subpy_length(const subpy_value *value) {
  if (value == NULL) {
    return 0;
  }
  switch (value->kind) {
  case SUBPY_STR:
  case SUBPY_BYTES:
  case SUBPY_BIG_INT:
  case SUBPY_WTF8:
    return value->as.text.length;
  case SUBPY_TUPLE:
  case SUBPY_LIST:
  case SUBPY_DICT:
    return value->as.items.length;
  case SUBPY_BUFFER:
    return value->as.buffer != NULL ? value->as.buffer->length : 0;
  default:
    return 0;
  }
}

/** An item of a tuple or list. NULL for anything else, and past the end. */
static inline const subpy_value *subpy_item(const subpy_value *value, size_t index) {
  if (value == NULL || (value->kind != SUBPY_TUPLE && value->kind != SUBPY_LIST) ||
      index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + index;
}

/** A key of a dict, in its order. NULL for anything else, and past the end. */
static inline const subpy_value *subpy_dict_key(const subpy_value *value, size_t index) {
  if (value == NULL || value->kind != SUBPY_DICT || index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + 2 * index;
}

/** The value of the same key. */
static inline const subpy_value *subpy_dict_value(const subpy_value *value, size_t index) {
  const subpy_value *key = subpy_dict_key(value, index);
  return key != NULL ? key + 1 : NULL;
}

/** The value of a dict's key that is a str. NULL if there is none, and for anything but a dict. */
static inline const subpy_value *subpy_dict_get(const subpy_value *value, const char *key) {
  size_t length = key != NULL ? strlen(key) : 0;
  for (size_t i = 0; key != NULL; i++) {
    const subpy_value *found = subpy_dict_key(value, i);
    if (found == NULL) {
      break;
    }
    if (found->kind == SUBPY_STR && found->as.text.length == length &&
        (length == 0 || memcmp(found->as.text.data, key, length) == 0)) {
      return found + 1;
    }
  }
  return NULL;
}

/** The text of a str or bytes that the library has handed out: it ends in a NUL. NULL for others.
 */
static inline const char *subpy_text(const subpy_value *value) {
  if (value == NULL || (value->kind != SUBPY_STR && value->kind != SUBPY_BYTES &&
                        value->kind != SUBPY_BIG_INT && value->kind != SUBPY_WTF8)) {
    return NULL;
  }
  return value->as.text.data;
}

/** Whether it is an int of 64 bits, which is written to `integer` then. */
static inline bool subpy_get_int(const subpy_value *value, int64_t *integer) {
  if (value == NULL || value->kind != SUBPY_INT) {
    return false;
  }
  *integer = value->as.integer;
  return true;
}

/** Whether it is a float, or an int of 64 bits, which is written to `real` then. */
static inline bool subpy_get_float(const subpy_value *value, double *real) {
  if (value != NULL && value->kind == SUBPY_INT) {
    *real = SUBPY_CAST(double, value->as.integer);
    return true;
  }
  if (value == NULL || value->kind != SUBPY_FLOAT) {
    return false;
  }
  *real = value->as.real;
  return true;
}

/** Whether it is a bool, which is written to `boolean` then. */
static inline bool subpy_get_bool(const subpy_value *value, bool *boolean) {
  if (value == NULL || value->kind != SUBPY_BOOL) {
    return false;
  }
  *boolean = value->as.boolean;
  return true;
}

#undef SUBPY_CAST

#endif  /* SUBPY_H */
