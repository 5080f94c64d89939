/**
 * @file
 * subpy: many isolated Python interpreters in one C or C++ program.
 *
 * @code
 * subpy_id id;
 * if (subpy_initialize(NULL, NULL) == SUBPY_OK && subpy_create(NULL, &id, NULL) == SUBPY_OK) {
 *   subpy_run_string(id, "print(6 * 7)", NULL);
 *   subpy_destroy(id, NULL);
 *   subpy_finalize(NULL);
 * }
 * @endcode
 *
 * # Conventions
 *
 * **Names.** A verb right after `subpy_` acts on an interpreter, and takes its id first: subpy_run_string(),
 * subpy_get(). Calls of the whole runtime take no id: subpy_initialize(). Other calls carry the noun that they are
 * for: subpy_error_message(). A call may have a long form, whose name ends in `_with` and whose second argument is a
 * struct of options. The short form is the long one with the defaults.
 *
 * **Errors.** A call that can fail returns a ::subpy_status, and takes a place for an error as its last argument. That
 * place may be NULL. Otherwise it is always written: NULL on success, and on failure an error, which the caller frees
 * with subpy_error_free(). A call that has failed has done nothing, save what Python code had done by then, unless its
 * comment says otherwise. A message may be empty where an exception has none: the type says more then.
 *
 * **Strings.** A string that comes in is UTF-8 and ends in a NUL, unless its length is given. The caller owns it, and
 * the library copies what it keeps. A string that goes out belongs to the thing that it was asked of.
 *
 * **Threads.** Any thread may make any call, also a thread that Python has never seen, unless the comment of the call
 * says otherwise. A thread may hold a Python thread state of its own: the host embeds Python itself, or the thread is
 * inside of a callback. It gets that thread state back as it was. The library holds no lock of its own while Python
 * code or a callback runs, or while it waits for a GIL.
 * The thread's locale, floating point settings, signal mask, processors, name, nice value and errno are the host's
 * before, after, and in each callback, whatever scripts do; while a script runs they are as in any Python process. A
 * thread that is cancelled inside of a call (`pthread_cancel`) is cancelled when the call has returned.
 *
 * **Stacks.** Python's limits are made for a stack of 8 MiB. A thread of the host's may have less, from 16 KiB on. A call
 * that has less than 6 MiB left, or that comes on a stack that the host has made (a fiber's), goes by a stack of the
 * library's: 8 MiB of address space, committed as it is touched. Functions of the host's are called on that one, too. An
 * interpreter has one from its first such call on. When a call returns, no more than 256 KiB of it stay committed. If
 * there is no address space for one, the call is #SUBPY_ERR_NO_MEMORY. A host may run scripts in several fibers of one
 * thread, and change fibers inside of its functions. A fiber may move to another thread between two calls, and never
 * inside of one. See subpy_runtime_config::forbid_stack_switches.
 *
 * **Backends.** An interpreter is one of CPython's in this process, or a process of its own: see ::subpy_backend. Each call
 * means the same for both, save for what follows. With #SUBPY_BACKEND_PROCESS a call may return #SUBPY_ERR_LOST: the process
 * has ended. Each call of that interpreter does from then on, until subpy_destroy(). The GIL of a run is another process's, so
 * subpy_interpreter_config::gil means nothing. Its main thread runs what the calling thread asks for, and the calling thread
 * calls the host's functions. What a thread of a script's writes or calls comes in a thread of the library's, one for each such
 * thread. Buffers are copied, both ways, when the call is made or returns, and given back then. A value that takes more than
 * 1 GiB, or has more than 2^27 parts, is #SUBPY_ERR_NOT_SHAREABLE. stdin, stdout, stderr, the
 * environment and the working directory are what the host has when the interpreter is created. A destroy ends the threads that
 * are left when its wait is over, and is never #SUBPY_ERR_BUSY for them or for buffers. subpy_memory_usage() and subpy_stats()
 * say what the interpreter had when it answered last. Items that its scripts have put into queues, and nobody has got, are in the
 * host's memory, and may take `memory_limit` there, or 1 GiB. What its scripts create are processes, which end with it, whatever
 * they do then. Not supported is `share_environment`: #SUBPY_ERR_UNSUPPORTED.
 *
 * **Structs.** A struct of options starts with its size, and has a macro that ends in `_INIT` and stands for the
 * defaults. A later version may append fields. A program that was compiled before gets their defaults. A program may
 * also be newer than the library: then each field that the library does not know has to be 0, or the call is
 * #SUBPY_ERR_INVALID_ARGUMENT. A field that is called `reserved` has to be 0.
 *
 * **Numbers.** Each time that ends in `_ms` is a `uint64_t` in milliseconds; #SUBPY_FOREVER never ends. A flag is a
 * `uint32_t`, 0 or 1, unless it says otherwise. Sizes and lengths are in bytes, unless they count something.
 *
 * **Callbacks.** The type of a function that the host hands over ends in `_fn`. Its comment says which thread calls it
 * and what it may do. It gets a pointer of the host's, called `user`, which the library does not touch.
 *
 * docs/conventions.md has the same text. This file is generated from crates/ffi: `make header`.
 */

#ifndef SUBPY_H
#define SUBPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version -------------------------------------------------------------------------------------------
 *
 * The header, the library and Python have a version each. subpy_supports() tells what the library and
 * Python can do together. */

/** The version of this header. subpy_version() is the version of the library. */
#define SUBPY_VERSION "0.2.0"
#define SUBPY_VERSION_MAJOR 0 /**< As a number. */
#define SUBPY_VERSION_MINOR 2 /**< As a number. */
#define SUBPY_VERSION_PATCH 0 /**< As a number. */

/**
 * What a Python and this library can do or can't: the argument of subpy_supports().
 */
typedef enum subpy_feature {
  /**
   * An interpreter can have a GIL of its own, and runs in parallel with others then: Python 3.12 and later.
   */
  SUBPY_FEATURE_OWN_GIL = 1,
  /**
   * `allow_fork`, `allow_exec`, `allow_threads` and `allow_daemon_threads` are enforced: Python 3.12 and later.
   */
  SUBPY_FEATURE_RESTRICTIONS = 2,
  /**
   * The memory of an interpreter can be counted and limited: Python 3.12 and later.
   */
  SUBPY_FEATURE_MEMORY_ACCOUNTS = 3,
  /**
   * Interpreters in processes of their own, #SUBPY_BACKEND_PROCESS.
   */
  SUBPY_FEATURE_PROCESSES = 4,
  /**
   * A time limit or an interrupt ends a wait in C, such as `time.sleep()`: where subpy has started Python and was let
   * change its code, see subpy_runtime_config::forbid_patches. It is tried by subpy_initialize(), and is false before.
   */
  SUBPY_FEATURE_INTERRUPT_WAITS = 5,
  /**
   * A sandbox around an interpreter. This version does not have it.
   */
  SUBPY_FEATURE_SANDBOX = 6,
  /**
   * Copies of an interpreter as it stands. This version does not have them.
   */
  SUBPY_FEATURE_CLONES = 7,
  /**
   * A time limit or an interrupt ends a computation in C that looks for signals, such as a regular expression that
   * takes long, and arithmetic of large ints. As for #SUBPY_FEATURE_INTERRUPT_WAITS.
   */
  SUBPY_FEATURE_INTERRUPT_COMPUTATIONS = 8,
} subpy_feature;

/**
 * The version of the library: "0.2.0". #SUBPY_VERSION is the version of the header.
 *
 * @return A static string.
 *
 * Threads: any, at any time.
 */
const char *subpy_version(void);

/**
 * The version of the Python library that is loaded, such as "3.13.0".
 *
 * @return A string that lives as long as the process.
 *
 * Threads: any, at any time.
 */
const char *subpy_python_version(void);

/**
 * Whether the library and the Python that is loaded can do something.
 *
 * @param feature One of ::subpy_feature.
 * @return false for what they can't do, and for a feature that this library does not know.
 *
 * Threads: any, at any time.
 */
bool subpy_supports(uint32_t feature);

/* Status and errors ---------------------------------------------------------------------------------
 *
 * A call that fails returns a status, and may hand out an error, which says more. An error is plain
 * data. */

/**
 * What a call returns: #SUBPY_OK, or why it failed.
 */
typedef enum subpy_status {
  /**
   * The call has done its work.
   */
  SUBPY_OK = 0,
  /**
   * An argument is wrong: it is NULL, not UTF-8, or out of range. The message names it.
   */
  SUBPY_ERR_INVALID_ARGUMENT = 1,
  /**
   * The call came before subpy_initialize(), or after the last subpy_finalize().
   */
  SUBPY_ERR_NOT_INITIALIZED = 2,
  /**
   * The interpreter does not exist: its id was never given out, or it was destroyed. Or there is no such name.
   */
  SUBPY_ERR_NOT_FOUND = 3,
  /**
   * The interpreter runs now, or Python threads that its scripts started still do.
   */
  SUBPY_ERR_BUSY = 4,
  /**
   * The call is not allowed for this interpreter, or contradicts what was set before.
   */
  SUBPY_ERR_NOT_PERMITTED = 5,
  /**
   * This Python, this version of subpy, or a forked process can't do it. The message says why.
   */
  SUBPY_ERR_UNSUPPORTED = 6,
  /**
   * The script raised an exception: see subpy_error_type() and subpy_error_traceback().
   */
  SUBPY_ERR_EXCEPTION = 7,
  /**
   * The script raised SystemExit: see subpy_error_exit_code(). The process goes on.
   */
  SUBPY_ERR_EXIT = 8,
  /**
   * subpy_interrupt() ended the run.
   */
  SUBPY_ERR_INTERRUPTED = 9,
  /**
   * The run took longer than its time limit.
   */
  SUBPY_ERR_TIMEOUT = 10,
  /**
   * A value has no form outside of its interpreter. The message says which one.
   */
  SUBPY_ERR_NOT_SHAREABLE = 11,
  /**
   * The system has no more memory, or no more threads or descriptors. The message says of what.
   */
  SUBPY_ERR_NO_MEMORY = 12,
  /**
   * subpy itself has a defect. Please report it, with the message.
   */
  SUBPY_ERR_INTERNAL = 13,
  /**
   * The process of the interpreter has ended: by a signal, by an exit, or because the host killed it. The message says
   * which. Only #SUBPY_BACKEND_PROCESS has it.
   */
  SUBPY_ERR_LOST = 14,
  /**
   * A limit on CPU time, output, threads or processes was reached. The message says which one. This version
   * has no such limit yet.
   */
  SUBPY_ERR_LIMIT = 15,
} subpy_status;

/**
 * Why a call failed. The caller owns it, and frees it with subpy_error_free(). It is plain data: any thread may
 * read it, also after the interpreter is destroyed and after subpy_finalize().
 */
typedef struct subpy_error subpy_error;

/**
 * A place in a program, of an exception: see subpy_error_frame(). What is not known is 0, or "".
 *
 * Lines and columns count from 1 on. A column counts characters (code points), and `end_column` is that behind the last
 * character. So an expression that starts and ends in one line has `end_column - column` characters.
 */
typedef struct subpy_frame {
  /**
   * The file, as the code was compiled with it: of a string, the `filename` that the host gave.
   */
  const char *file;
  /**
   * The function, as a traceback names it; "<module>" outside of all functions. "": it is the place of a SyntaxError.
   */
  const char *function;
  /**
   * The line.
   */
  uint32_t line;
  /**
   * Where the expression that was evaluated starts in that line. 0 with Python 3.10, but for a SyntaxError.
   */
  uint32_t column;
  /**
   * The line that the expression ends in. 0 with Python 3.10, but for a SyntaxError.
   */
  uint32_t end_line;
  /**
   * Where it ends in that line. 0 with Python 3.10, but for a SyntaxError.
   */
  uint32_t end_column;
  /**
   * The text of the line, without its end: of a file, as it is now; of a string, as long as it is kept with its code
   * (see subpy_interpreter_config::code_cache_entries). No more than its first 4,096 bytes.
   */
  const char *source;
} subpy_frame;

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
 * The status that the failed call returned.
 *
 * @param error An error, or NULL.
 * @return Its status; #SUBPY_OK for NULL.
 *
 * Threads: any, at any time.
 */
subpy_status subpy_error_status(const subpy_error *error);

/**
 * What went wrong, in words for a human. Of an exception, it is what `str()` makes of it.
 *
 * @param error An error, or NULL.
 * @return UTF-8, never NULL, "" for NULL. The error owns it, and it is valid until the error is freed. A NUL
 *         character in the text is written as `\x00`.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_message(const subpy_error *error);

/**
 * The exception's type, as a traceback names it: "ValueError", "package.module.Oops".
 *
 * @param error An error, or NULL.
 * @return UTF-8, never NULL, "" if the error is no exception. The error owns it, and it is valid until the
 *         error is freed.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_type(const subpy_error *error);

/**
 * The traceback as Python prints it. It has causes and contexts, notes, exception groups, the caret lines of a
 * SyntaxError, and the source lines of the strings that were run; never colours. Frames of subpy's own code are left out. What
 * is in it as data: subpy_error_frame(), subpy_error_cause() and the calls after these. Where Python can't print an exception,
 * because attributes of its class raise, say, there are its own frames, its type, its message and its notes.
 *
 * Of a #SUBPY_ERR_LOST: where the scripts were when their process crashed, in the words of Python's `faulthandler`, if it
 * could say so. They are the process's, and not to be trusted more than its output.
 *
 * @param error An error, or NULL.
 * @return UTF-8, never NULL, "" if there is none. Each line ends in "\n". The error owns it, and it is valid
 *         until the error is freed.
 *
 * Source: Python's module `traceback`. From 3.13 on plain Python prints with it, too. Before, the suggestions ("Did you
 * mean") are those of the module: there are none with 3.10 and 3.11.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_traceback(const subpy_error *error);

/**
 * The exit code of a #SUBPY_ERR_EXIT, as a shell would see it: 0 to 255. It is 0 for `sys.exit()` and
 * `sys.exit(None)`, and 1 for a string or any other object. Of a #SUBPY_ERR_LOST it is the code that the process has exited
 * with.
 *
 * @param error An error, or NULL.
 * @return The code; 0 where there is none.
 *
 * Threads: any, at any time.
 */
int subpy_error_exit_code(const subpy_error *error);

/**
 * The signal that has ended the process of a #SUBPY_ERR_LOST.
 *
 * @param error An error, or NULL.
 * @return The signal's number; 0 where there is none.
 *
 * Threads: any, at any time.
 */
int subpy_error_signal(const subpy_error *error);

/**
 * How many frames the exception has: the places in the program that led to it. Frames of subpy's own code are left out. Of
 * a SyntaxError the last one is the place in the text that can't be compiled.
 *
 * An exception has 256 frames at most, and the place of a SyntaxError: the outermost 128 and the innermost 128.
 * subpy_error_frames_left_out() counts the others.
 *
 * @param error An error, or NULL.
 * @return How many there are; 0 if the error is no exception.
 *
 * Threads: any, at any time.
 */
size_t subpy_error_frame_count(const subpy_error *error);

/**
 * A frame of the exception.
 *
 * @param error An error, or NULL.
 * @param index Which one, from 0 on: the outermost first, so the last one is where the exception was raised.
 * @return The frame; NULL past the last one. The error owns it and its strings, which are UTF-8, and they are valid until
 *         the error is freed. A NUL character in a string is written as `\x00`.
 *
 * Source: Python's traceback objects, and PEP 657 for the columns.
 *
 * Threads: any, at any time.
 */
const subpy_frame *subpy_error_frame(const subpy_error *error,
                                            size_t index);

/**
 * How many frames of the exception are left out, for there are too many. They come after the frame with the index 127. Of a
 * RecursionError they are most often the same again and again.
 *
 * @param error An error, or NULL.
 * @return How many; 0 if all are there.
 *
 * Threads: any, at any time.
 */
size_t subpy_error_frames_left_out(const subpy_error *error);

/**
 * The exception that the exception was raised from: `raise ... from cause`.
 *
 * The error of a call has 256 other exceptions with it at most, the nearest ones: its cause, its context and the exceptions
 * of its group, and theirs. A chain that leads back to itself ends before that. What is read of them takes a second at most,
 * and 64 MiB of text.
 *
 * @param error An error, or NULL.
 * @return An error, which has the same things to ask for as that of a call, but no text of its own as a traceback. NULL
 *         if there is none. It belongs to the error of the call, is valid until that is freed, and must not be freed.
 *
 * Source: `__cause__` of the exception.
 *
 * Threads: any, at any time.
 */
const subpy_error *subpy_error_cause(const subpy_error *error);

/**
 * The exception that was being handled when the exception was raised, if a traceback shows it: there is no cause, and it
 * was not `raise ... from None`.
 *
 * @param error An error, or NULL.
 * @return As of subpy_error_cause().
 *
 * Source: `__context__` of the exception.
 *
 * Threads: any, at any time.
 */
const subpy_error *subpy_error_context(const subpy_error *error);

/**
 * How many exceptions there are in an exception group. Python has groups from 3.11 on. See subpy_error_cause() for how many
 * there are at most.
 *
 * @param error An error, or NULL.
 * @return How many; 0 if the error is no group.
 *
 * Threads: any, at any time.
 */
size_t subpy_error_group_count(const subpy_error *error);

/**
 * An exception of an exception group.
 *
 * @param error An error, or NULL.
 * @param index Which one, from 0 on.
 * @return As of subpy_error_cause(); NULL past the last one.
 *
 * Source: `exceptions` of the group.
 *
 * Threads: any, at any time.
 */
const subpy_error *subpy_error_group_item(const subpy_error *error, size_t index);

/**
 * How many notes the exception has: what its `add_note()` was given. Python has notes from 3.11 on. There are 256 at most,
 * the first ones.
 *
 * @param error An error, or NULL.
 * @return How many; 0 if the error is no exception.
 *
 * Threads: any, at any time.
 */
size_t subpy_error_note_count(const subpy_error *error);

/**
 * A note of the exception. Of what is no str, it is what `str()` makes of it.
 *
 * @param error An error, or NULL.
 * @param index Which one, from 0 on.
 * @return UTF-8; NULL past the last one. The error owns it, and it is valid until the error is freed.
 *
 * Source: `__notes__` of the exception.
 *
 * Threads: any, at any time.
 */
const char *subpy_error_note(const subpy_error *error, size_t index);

/**
 * Frees an error, and all that came from it: strings, frames, arguments and other errors.
 *
 * @param error An error that a call has written, or NULL. It must not be used afterwards.
 *
 * Threads: any, at any time; each error once.
 */
void subpy_error_free(subpy_error *error);

/* Runtime -------------------------------------------------------------------------------------------
 *
 * subpy_initialize() starts Python, and comes before all other calls. subpy_finalize() ends it. */

/**
 * A function of the host's that is told what no call can say.
 *
 * @param user    subpy_runtime_config::log_user.
 * @param message What has happened: a line of UTF-8 without its end. It is valid during the call.
 *
 * The library calls it in a thread of its own or in one of the host's that calls subpy, several at once. That thread holds no
 * GIL. The function must not call subpy, and must not leave by an exception or by longjmp().
 */
typedef void (*subpy_log_fn)(void *user, const char *message);

/**
 * How Python is started. Start from #SUBPY_RUNTIME_CONFIG_INIT. subpy_initialize() copies the strings.
 */
typedef struct subpy_runtime_config {
  /**
   * `sizeof(subpy_runtime_config)`.
   */
  size_t struct_size;
  /**
   * What Python takes for its `argv[0]` when it looks for its home. NULL (the default): it is not set.
   */
  const char *program_name;
  /**
   * The prefix of the Python installation, such as "/usr". NULL (the default): the one that libpython
   * belongs to.
   */
  const char *home;
  /**
   * A Python executable. With the executable of a virtual environment, the environment's site-packages
   * work; it has to be of the Python version that subpy is built for. NULL (the default): the executable that
   * libpython belongs to.
   */
  const char *executable;
  /**
   * Directories or zip files. Each one has to exist. Python searches them in this order, before the
   * standard library. May be NULL if the count is 0.
   */
  const char *const *module_search_paths;
  /**
   * How many paths there are.
   */
  size_t module_search_paths_count;
  /**
   * 1 (the default): the PYTHON* variables and the user's site-packages are ignored. 0: they count.
   */
  uint32_t isolated;
  /**
   * 1: Python installs its signal handlers. 0 (the default): the host keeps its own. Handlers that scripts set are
   * then kept, and none is installed: see subpy_interrupt().
   */
  uint32_t install_signal_handlers;
  /**
   * 1 (the default): Python imports `site`, so site-packages work. 0: it does not, and an interpreter is
   * created faster.
   */
  uint32_t import_site;
  /**
   * 1: code may run in the main interpreter. 0 (the default): that is #SUBPY_ERR_NOT_PERMITTED.
   */
  uint32_t allow_main;
  /**
   * 1: the memory of each interpreter is counted. subpy_memory_usage() and
   * subpy_interpreter_config::memory_limit need it. Scripts that allocate much then take some 4 % longer.
   * 0 (the default): it is not counted. It needs Python 3.12 or later, and a Python that subpy has started.
   */
  uint32_t account_memory;
  /**
   * 1 (the default): SIGPIPE and SIGXFSZ are ignored, as in any Python process, each unless the host does
   * something about it. The last subpy_finalize() puts them back. A script that writes to a pipe or a socket that
   * nobody reads any more, or past the limit of a file's size, gets an exception then. 0: subpy leaves both alone,
   * and such a script ends the process. (The process's own stdout and stderr are safe from SIGPIPE either way.)
   */
  uint32_t ignore_sigpipe;
  /**
   * 1: scripts of the main interpreter may create interpreters, as those may that are created with
   * subpy_interpreter_config::allow_interpreters. They know all interpreters of the process, but use only what they have
   * created. That is like an interpreter that subpy_create() makes by its defaults, and may create others in its turn. 0
   * (the default): they can't.
   */
  uint32_t allow_interpreters;
  /**
   * How many of these there may be at once: see subpy_interpreter_config::interpreter_limit. 0 (the default) stands
   * for 16.
   */
  uint32_t interpreter_limit;
  /**
   * 1: the code of Python's library stays as it is in memory. Then a time limit or an interrupt ends no wait in C, but
   * for some locks. 0 (the default): subpy_initialize() has functions of a Python that it starts call subpy first, by a
   * jump at their start: `PyErr_CheckSignals`, `Py_MakePendingCalls`, and `_PyEval_MakePendingCalls` from Python 3.12 on. Where the system lets no
   * memory become executable, as with systemd's MemoryDenyWriteExecute, they stay as they are.
   */
  uint32_t forbid_patches;
  /**
   * The number of the signal that ends waits in C. It is sent to a thread that runs a script which is to end, and to no other
   * one; its handler does nothing that a program could notice. 0 (the default) stands for a real-time signal: the last
   * one that the process does nothing about. The last subpy_finalize() puts it back. If the host takes the signal for itself
   * later, none is sent.
   */
  int32_t wait_signal;
  /**
   * 1: each call goes by the stack that it comes on, however small that is. 0 (the default): a call that has less than 6
   * MiB of it left, or that comes on a stack of the host's own making, goes by a stack of the library's, on which functions
   * of the host's are called, too: see "Stacks" above. A host needs 1 if something in it checks the stack pointer in such a
   * function: a Java virtual machine does, and a garbage collector that looks for pointers on stacks. Its threads should
   * have 8 MiB then: a script that nests deeply ends the process otherwise.
   */
  uint32_t forbid_stack_switches;
  /**
   * Has to be 0.
   */
  uint32_t reserved;
  /**
   * Names of modules, which are imported once, before the processes of interpreters are made: each interpreter with
   * #SUBPY_BACKEND_PROCESS has them from its start, and they take no more memory for the second one. A module that leaves
   * a thread of Python's behind is refused. May be NULL if the count is 0. The main interpreter of this process does not
   * import them.
   */
  const char *const *preload;
  /**
   * How many modules there are.
   */
  size_t preload_count;
  /**
   * The program of interpreters with #SUBPY_BACKEND_PROCESS, which subpy comes with. NULL (the default):
   * "../libexec/subpy/subpy-worker" from the folder of the library, then "subpy/subpy-worker" and "subpy-worker" in that. A
   * program that has the static library in it gives its own path, and calls subpy_worker_main() first in its `main`. A
   * relative path is meant from the working directory at subpy_initialize().
   */
  const char *worker;
  /**
   * Told what no call can say: that a process has ended which nobody waits for, that the one that makes them has and was
   * started again, that a module of `preload` has left threads of its own. NULL (the default): nobody is told.
   */
  subpy_log_fn log_fn;
  /**
   * Handed to `log_fn`. The library does not touch it.
   */
  void *log_user;
} subpy_runtime_config;

/** The defaults of a ::subpy_runtime_config. */
#define SUBPY_RUNTIME_CONFIG_INIT                                                                  \
  { sizeof(subpy_runtime_config), NULL, NULL, NULL, NULL, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, NULL,    \
    0, NULL, NULL, NULL }

/**
 * Serves as the program of interpreters with #SUBPY_BACKEND_PROCESS, if this process was started for that; else nothing happens.
 * A program that has the static library in it calls it first in its `main`, with what that got, and gives its own path as
 * subpy_runtime_config::worker. A program that uses the shared library does not need it.
 *
 * @param argc The number of arguments.
 * @param argv The arguments. May be NULL if `argc` is 0.
 *
 * It does not return in a process that was started for that.
 *
 * Threads: the first one of the process, before there is another one.
 *
 * Source: subpy's own.
 */
void subpy_worker_main(int argc,
                       char *const *argv);

/**
 * Starts Python, or joins the Python that the host has started itself.
 *
 * Calls count: each successful one needs a subpy_finalize(). The config of the first call holds. A later call
 * with NULL joins whatever there is. A later call that asks for something else fails.
 *
 * A Python that subpy starts takes its configuration from here alone. The locale and the signal handlers of
 * the process stay as they are, and text is UTF-8 everywhere. The thread of the first call becomes Python's
 * main thread. That matters to scripts only where they use `signal`.
 *
 * If the host has started Python before, subpy uses it as it is, and subpy_finalize() leaves it running. The
 * calling thread may hold a GIL then, and holds it again afterwards.
 *
 * A host should call subpy_finalize() before it ends its own Python. If it does not, `Py_FinalizeEx` ends subpy's
 * interpreters first, by an exit function of the main interpreter: it interrupts what runs in them, and waits up to
 * 5 s. What does not end in that time may end the process, as it does without subpy. All calls are
 * #SUBPY_ERR_NOT_INITIALIZED from then on.
 *
 * A child that the host forks afterwards has none of Python's other threads, and a lock that one of them held stays
 * locked. So each call is #SUBPY_ERR_UNSUPPORTED there. Fork first and initialize in the child, or execute a program.
 *
 * @param config NULL for the defaults.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, for a path that does not exist, for an `executable` of
 *         another version of Python (the message has both), where no standard library is found (the message has
 *         the places that were searched), and for a PYTHON... variable that Python does not understand;
 *         #SUBPY_ERR_NOT_PERMITTED if Python runs already and the config asks for something else, and if
 *         another copy of subpy is initialized in this process (the message names its file);
 *         #SUBPY_ERR_UNSUPPORTED after Python was finalized, which can't be undone in a process, for
 *         `account_memory` below Python 3.12 or with PYTHONMALLOC in the environment, if the process has
 *         another version of Python than subpy is built for (the message names both, and their files), and in a child
 *         that was forked after subpy was initialized;
 *         #SUBPY_ERR_NO_MEMORY if there is no memory to start Python;
 *         #SUBPY_ERR_INTERNAL if Python could not be started for another reason.
 *
 * Threads: any, at any time.
 *
 * Source: CPython's `Py_InitializeFromConfig`, PEP 587.
 */
subpy_status subpy_initialize(const subpy_runtime_config *config, subpy_error **error);

/**
 * Gives back one subpy_initialize(). The last one destroys the interpreters that are left and finalizes
 * Python, unless the host has started it.
 *
 * Afterwards these still work: subpy_is_initialized(), subpy_initialize(), the functions of the sections
 * "Version" and "Status and errors", and subpy_value_clear(). Others are #SUBPY_ERR_NOT_INITIALIZED. A process
 * may also exit without this call.
 *
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED if there is nothing to give back;
 *         #SUBPY_ERR_BUSY if an interpreter is in use, is being created or destroyed, if Python threads of one
 *         still run, if the host holds a buffer of one, or if the calling thread holds a GIL of a Python that
 *         subpy has started. Nothing has happened then, and the call can be made again.
 *
 * Threads: any, at any time.
 *
 * Source: CPython's `Py_FinalizeEx`.
 */
subpy_status subpy_finalize(subpy_error **error);

/**
 * Whether subpy is initialized: between subpy_initialize() and the last subpy_finalize().
 *
 * @return true or false. It never fails.
 *
 * Threads: any, at any time.
 */
bool subpy_is_initialized(void);

/* Interpreters --------------------------------------------------------------------------------------
 *
 * An interpreter has modules, globals and, from Python 3.12 on, a GIL of its own. The host knows it by
 * its id. */

/**
 * What stands behind an interpreter: the values of subpy_interpreter_config::backend.
 */
typedef enum subpy_backend {
  /**
   * An interpreter of CPython's in this process.
   */
  SUBPY_BACKEND_LOCAL = 0,
  /**
   * A process of its own: nothing that a script does there can end the host. See "Backends" above.
   */
  SUBPY_BACKEND_PROCESS = 1,
} subpy_backend;

/**
 * Whose GIL an interpreter uses: the values of subpy_interpreter_config::gil.
 */
typedef enum subpy_gil {
  /**
   * Its own where Python has that (3.12 and later), else the shared one.
   */
  SUBPY_GIL_DEFAULT = 0,
  /**
   * Its own. The interpreter runs in parallel with all others. #SUBPY_ERR_UNSUPPORTED below Python 3.12.
   */
  SUBPY_GIL_OWN = 1,
  /**
   * The main interpreter's. The interpreter takes turns with others that share it. Extension modules that
   * know nothing of subinterpreters are not refused by CPython; some refuse it themselves, or accept one
   * interpreter of a process. docs/packages.md has what a hundred packages do.
   */
  SUBPY_GIL_SHARED = 2,
} subpy_gil;

/**
 * A function of the host's, which receives text that a script wrote to sys.stdout or sys.stderr.
 *
 * @param user   subpy_interpreter_config::output_user.
 * @param text   UTF-8, never split inside of a character; any bytes with subpy_interpreter_config::output_bytes.
 *               It does not end in a NUL. It is valid during the call.
 * @param length The length of the text, in bytes. Never 0.
 *
 * The library calls it in the thread that wrote, which holds neither a GIL nor a lock of subpy then. It is
 * never called twice at once for one stream of an interpreter. Text comes line by line; the rest comes when the
 * script flushes the stream, or when the run ends. The function may call subpy, also for its own interpreter, but not
 * to destroy that: see subpy_run_string_with(). What is written there comes when the function has returned. It must not
 * leave by an exception or by longjmp().
 */
typedef void (*subpy_write_fn)(void *user, const char *text, size_t length);

/**
 * A function of the host's, which gives what a script reads from sys.stdin.
 *
 * @param user   subpy_interpreter_config::stdin_user.
 * @param buffer Where it goes: UTF-8, unless the script reads `sys.stdin.buffer`, which takes any bytes.
 * @param length How much there is room for, in bytes. Never 0.
 * @return How many bytes it has written, `length` at most. 0: there is no more (the end of the file).
 *
 * The library calls it in the thread that reads, which holds neither a GIL nor a lock of subpy then. It is never called twice
 * at once for one interpreter. It may wait, and a time limit of the run does not end that. The function may call subpy, as a
 * ::subpy_write_fn may. It must not leave by an exception or by longjmp().
 */
typedef size_t (*subpy_read_fn)(void *user, char *buffer, size_t length);

/**
 * What an interpreter is like. Start from #SUBPY_INTERPRETER_CONFIG_INIT.
 */
typedef struct subpy_interpreter_config {
  /**
   * `sizeof(subpy_interpreter_config)`.
   */
  size_t struct_size;
  /**
   * One of ::subpy_backend. The default is #SUBPY_BACKEND_LOCAL.
   */
  uint32_t backend;
  /**
   * One of ::subpy_gil. The default is #SUBPY_GIL_DEFAULT.
   */
  uint32_t gil;
  /**
   * 1: `os.fork()` is not refused. 0 (the default): it raises RuntimeError. Below Python 3.12 it is never
   * refused. (Python ends the child of a fork outside of the main interpreter with exit code 1.
   * `subprocess` works: it needs no fork of this kind.) With #SUBPY_BACKEND_PROCESS the child runs on, and this is also
   * for `os.forkpty()` and a `preexec_fn`, which #SUBPY_BACKEND_LOCAL never allows.
   */
  uint32_t allow_fork;
  /**
   * 1: `os.execv()` works. 0 (the default): it raises RuntimeError. Below Python 3.12 it always works.
   */
  uint32_t allow_exec;
  /**
   * 1 (the default): scripts may start threads. 0: they can't; #SUBPY_ERR_UNSUPPORTED below Python 3.12.
   */
  uint32_t allow_threads;
  /**
   * 1 (the default): the threads of scripts may be daemon threads, which servers and pools of the standard library
   * need. They are no different at the end: an interpreter is not destroyed beside them, unless
   * subpy_destroy_options::stop_threads is set. 0: they can't be. Below Python 3.12 they always can. Without
   * `allow_threads` there are none.
   */
  uint32_t allow_daemon_threads;
  /**
   * Receives what scripts write to `sys.stdout`. NULL (the default): the process's stdout does.
   * If that is closed when the interpreter is created, `sys.stdout` is None, and print() does nothing.
   */
  subpy_write_fn stdout_fn;
  /**
   * Receives what scripts write to `sys.stderr`. NULL (the default): the process's stderr does,
   * or nothing, as above.
   */
  subpy_write_fn stderr_fn;
  /**
   * Handed to both. The library does not touch it. It has to live until the interpreter is destroyed.
   */
  void *output_user;
  /**
   * How many strings' compiled code is kept, so that a string that runs again is not compiled again. The
   * default is 256. 0: none. The code that was not used for the longest time goes first. Code that is kept
   * does what code that is compiled again does, save that a SyntaxWarning is shown once. Tracebacks show lines of
   * the strings that are kept, and scripts find those by `linecache` and `inspect.getsource()`.
   */
  size_t code_cache_entries;
  /**
   * How large the sources of kept code may be together, in bytes. The default is 4 MiB. 0: none is kept. The
   * code itself takes some ten times as much.
   */
  size_t code_cache_bytes;
  /**
   * How much memory the interpreter may take, in bytes. 0 (the default): as much as there is. At the limit
   * a script gets a MemoryError, which it can catch. It needs subpy_runtime_config::account_memory.
   */
  uint64_t memory_limit;
  /**
   * 0 (the default): the interpreter has an environment of its own, a copy of the process's as it is when the
   * interpreter is created. `os.environ`, and the programs that its scripts start, go by that one. C code that
   * asks getenv() sees the process's, and `time.tzset()` to a time zone other than the process's raises
   * RuntimeError. 1: its environment is the process's, and what a script changes there is changed for all.
   * Other scripts may read it meanwhile. C code of the host that changes it meanwhile is the host's to guard.
   */
  uint32_t share_environment;
  /**
   * 0 (the default): `stdout_fn` and `stderr_fn` receive UTF-8. A script that writes other bytes to
   * `sys.stdout.buffer` gets a ValueError. A last character that is not whole when the interpreter is destroyed
   * comes as U+FFFD. 1: they receive all bytes as they are, in pieces that may end inside of a character.
   */
  uint32_t output_bytes;
  /**
   * 1: scripts may create interpreters, and run code in them: they have the package `subpy`, which docs/scripting.md
   * describes. What a script creates belongs to its interpreter: it is what that is, or less, has its limits, writes to
   * its `stdout_fn` and `stderr_fn`, imports from where it does, and ends with it, unless subpy_take_over() is called. It may
   * have a process of its own; with #SUBPY_BACKEND_PROCESS it has.
   * 0 (the default): they have no such package. 2: as 1, but they know all interpreters of the process, and not only those
   * that scripts of their family have created: they may list them, and ask whether they run.
   */
  uint32_t allow_interpreters;
  /**
   * How many interpreters there may be at once that scripts have created, with those that the scripts of these have
   * created. 0 (the default) stands for 16. What is past that is a RuntimeError in the script.
   */
  uint32_t interpreter_limit;
  /**
   * How much CPU time each run may use, in milliseconds: that of the thread that runs, in functions of the host's too,
   * and of the threads that scripts have started. 0 (the default): as much as it likes. Past it the script gets a
   * KeyboardInterrupt at each safe point until it has ended, and its run returns #SUBPY_ERR_LIMIT. Code that is written to
   * resist even that, and code in C that never looks, go on. Below Python 3.12 it gets the exception every 10 ms.
   */
  uint64_t cpu_limit_ms;
  /**
   * How much each run may write to `sys.stdout` and `sys.stderr` together, in bytes. 0 (the default): as much as it
   * likes. What would go past it is not written: the script gets a KeyboardInterrupt there, and goes on as past
   * `cpu_limit_ms`. What it writes otherwise, by `os.write()` for one, does not count.
   */
  uint64_t output_limit;
  /**
   * How many threads its scripts may have at once. 0 (the default): as many as the system allows. To start one more
   * raises RuntimeError, as where the system refuses one. For none, see `allow_threads`.
   */
  uint32_t thread_limit;
  /**
   * How deep scripts may let calls be nested. 0 (the default): as Python has it, and as `sys.setrecursionlimit()` changes
   * that. Past it that function raises ValueError.
   */
  uint32_t recursion_limit;
  /**
   * With #SUBPY_BACKEND_PROCESS, 1: its process may leave a core file where it crashes, and debuggers may look into it. 0 (the
   * default): neither, since what it has in memory is nobody else's, and a large file would keep the host waiting.
   */
  uint32_t core_dumps;
  /**
   * Has to be 0.
   */
  uint32_t reserved;
  /**
   * `sys.argv`: the name of a program, and its arguments. May be NULL if the count is 0 (the default): Python's own holds,
   * [""].
   */
  const char *const *argv;
  /**
   * How many of them there are.
   */
  size_t argc;
  /**
   * Directories or zip files. Each one has to exist. Imports search them in this order, before
   * subpy_runtime_config::module_search_paths. A relative path is meant from the host's working directory at subpy_create().
   * May be NULL if the count is 0.
   */
  const char *const *search_paths;
  /**
   * How many paths there are.
   */
  size_t search_paths_count;
  /**
   * Gives what scripts read from `sys.stdin`. NULL (the default): the process's stdin does.
   */
  subpy_read_fn stdin_fn;
  /**
   * Handed to `stdin_fn`. The library does not touch it. It has to live until the interpreter is destroyed.
   */
  void *stdin_user;
} subpy_interpreter_config;

/**
 * An interpreter. 0 is the main one. An id is never given out twice in a process, and is never negative.
 */
typedef int64_t subpy_id;

/**
 * How an interpreter is destroyed. Start from #SUBPY_DESTROY_OPTIONS_INIT.
 */
typedef struct subpy_destroy_options {
  /**
   * `sizeof(subpy_destroy_options)`.
   */
  size_t struct_size;
  /**
   * How long to wait for the Python threads of the scripts to end, in milliseconds. 0 (the default): not at
   * all. #SUBPY_FOREVER: until they have ended. It is no wait for a run: that, and a call that waits for its turn
   * (subpy_run_options::wait_ms), is #SUBPY_ERR_BUSY at once.
   */
  uint64_t wait_ms;
  /**
   * 1: threads that are left then are asked to end, as subpy_stop_threads() does it, in the order in which Python ends: the
   * ones that Python waits for have a second; then exit functions run; then daemon threads have a second. 0 (the
   * default): they are not, and the destroy is #SUBPY_ERR_BUSY.
   */
  uint32_t stop_threads;
  /**
   * 1: with #SUBPY_BACKEND_PROCESS, the process is killed first, whatever runs there: nothing of it runs any more, and a call
   * that waits for it returns #SUBPY_ERR_LOST. #SUBPY_ERR_UNSUPPORTED for other interpreters. 0 (the default): it is not.
   */
  uint32_t kill;
} subpy_destroy_options;

/** The id for subpy_define_function() and subpy_add_module() that stands for every interpreter that is created from now on. */
#define SUBPY_EVERYWHERE INT64_MIN

/** The defaults of a ::subpy_interpreter_config. */
#define SUBPY_INTERPRETER_CONFIG_INIT                                                              \
  { sizeof(subpy_interpreter_config), SUBPY_BACKEND_LOCAL, SUBPY_GIL_DEFAULT, 0, 0, 1, 1, NULL,   \
    NULL, NULL, 256, 4194304, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL }

/** The defaults of a ::subpy_destroy_options. */
#define SUBPY_DESTROY_OPTIONS_INIT                                                                 \
  { sizeof(subpy_destroy_options), 0, 0, 0 }

/**
 * Creates an interpreter. It stays idle until something runs in it.
 *
 * @param config NULL for the defaults.
 * @param id     Where the id of the new interpreter goes. It is -1 if the call fails.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a `memory_limit` that an idle interpreter does not fit into, or NULL for `id`;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_UNSUPPORTED for #SUBPY_GIL_OWN (with #SUBPY_BACKEND_LOCAL) or `allow_threads = 0` below Python 3.12, and
 *         for a `memory_limit` where memory is not counted; with #SUBPY_BACKEND_PROCESS also for `share_environment`, where its
 *         program is not there or can't be executed (the message has its path), and for a module of `preload` that leaves a
 *         Python thread behind;
 *         #SUBPY_ERR_EXCEPTION or #SUBPY_ERR_EXIT if a module that a function is defined in everywhere, or one of `preload`,
 *         raises an exception when it is imported;
 *         #SUBPY_ERR_NO_MEMORY if there are no more processes, descriptors or memory for one;
 *         #SUBPY_ERR_LOST if its process has ended before it was ready, or was not ready after a minute;
 *         #SUBPY_ERR_INTERNAL if Python could not create it (the message says why).
 *
 * Threads: any, several at once. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: `_interpreters.create()`; CPython's `Py_NewInterpreterFromConfig`, PEP 684.
 */
subpy_status subpy_create(const subpy_interpreter_config *config,
                          subpy_id *id,
                          subpy_error **error);

/**
 * The main interpreter, in which code may run (subpy_runtime_config::allow_main), becomes like this: with callbacks for its
 * streams, limits, arguments. Until then it has none of these. It is done once.
 *
 * @param config As for subpy_create(), save that `backend` has to be #SUBPY_BACKEND_LOCAL, `gil` not #SUBPY_GIL_OWN,
 *               `allow_threads` and `allow_daemon_threads` 1, and `allow_interpreters` 0
 *               (subpy_runtime_config::allow_interpreters says that). CPython lets its main interpreter fork and execute
 *               programs, and its environment is the process's, whatever `allow_fork`, `allow_exec` and `share_environment`
 *               say. Its callbacks may be called until subpy_finalize() has returned. NULL for the defaults.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, and a `memory_limit` that the idle interpreter does not fit into;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_PERMITTED without `allow_main`, and if it has a config already;
 *         #SUBPY_ERR_BUSY if it runs;
 *         #SUBPY_ERR_UNSUPPORTED for what the main interpreter can't be, where the host has started Python itself, and as for
 *         subpy_create();
 *         #SUBPY_ERR_EXCEPTION if Python has no memory for it.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: as subpy_create().
 */
subpy_status subpy_configure_main(const subpy_interpreter_config *config,
                                  subpy_error **error);

/**
 * Finalizes an interpreter: subpy_destroy_with() with the defaults, so it waits for no thread.
 *
 * @param id    The interpreter.
 * @param error NULL, or where the error goes.
 * @return As subpy_destroy_with().
 *
 * Threads: as subpy_destroy_with().
 *
 * Source: `_interpreters.destroy()`.
 */
subpy_status subpy_destroy(subpy_id id, subpy_error **error);

/**
 * Finalizes an interpreter. Its `atexit` functions run, and its modules and objects go. From then on its id is
 * #SUBPY_ERR_NOT_FOUND.
 *
 * Finalizers that raise, print or run code do so as at the end of any Python process. They can't start threads.
 * `atexit` functions may take 5 seconds, or subpy_destroy_options::wait_ms if that is more,
 * and finalizers may take as long again. What still runs then gets a KeyboardInterrupt. subpy_interrupt() works
 * before that time, too. (Below Python 3.12 finalizers are not interrupted.)
 *
 * While the call waits for threads, nothing else can run in the interpreter. Idle workers of a
 * `concurrent.futures.ThreadPoolExecutor` would wait for work for ever: where the call waits, they are told to
 * end, and executors take no more work, also if the call fails in the end. Nothing ends the wait early: a finite
 * time is better than #SUBPY_FOREVER where scripts are not known.
 *
 * Interpreters that its scripts have created end with it: see subpy_interpreter_config::allow_interpreters. If one of them
 * can't, the call fails as it would for that one, and the message says which it is. (With #SUBPY_BACKEND_PROCESS they are asked to
 * end when its process has ended, and killed if they can't.)
 *
 * An extension module may wait in its own C code when its objects go. Nothing ends that. The package grpcio does, for
 * a server that was started and not stopped, and for calls by `.future()`, where the daemon thread that it wants is
 * refused: give it a wait.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for wrong options;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_NOT_PERMITTED for the main interpreter;
 *         #SUBPY_ERR_BUSY if the interpreter runs now (also if the caller is inside of it), if calls wait for their turn in
 *         it, if another call destroys it, if the host holds a buffer of it, or if Python threads that its scripts started still
 *         run when the time is over. The message says how many, and names some, each with the code that it is in. Nothing else has happened then, unless an
 *         `atexit` function started that thread: those functions run once.
 *
 * Threads: any; it need not be the one that created the interpreter. A GIL that the calling thread holds is
 * released meanwhile.
 *
 * Source: `_interpreters.destroy()`; CPython's `Py_EndInterpreter`.
 */
subpy_status subpy_destroy_with(subpy_id id,
                                const subpy_destroy_options *options,
                                subpy_error **error);

/**
 * Takes over an interpreter that a script has created: it belongs to the host from now on, and does not end with the
 * interpreter whose script created it. It does not count for that one's subpy_interpreter_config::interpreter_limit any
 * more. Nothing happens if the host has created it, or has taken it over.
 *
 * Other scripts do not know it any more. What it writes still goes where the interpreter writes whose script created it.
 * If those are functions of the host's, what it writes is thrown away when that interpreter has been destroyed.
 *
 * @param id    The interpreter.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any. The call waits for nothing.
 */
subpy_status subpy_take_over(subpy_id id,
                             subpy_error **error);

/**
 * Lists the interpreters that subpy knows, in ascending order: the main one, and those that it created.
 *
 * @param ids      Where the ids go. May be NULL if `capacity` is 0.
 * @param capacity How many ids fit there. No more than that are written.
 * @param count    Where the number of all interpreters goes, however many fitted.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED.
 *
 * Threads: any.
 *
 * Source: `_interpreters.list_all()`.
 */
subpy_status subpy_list_all(subpy_id *ids, size_t capacity, size_t *count, subpy_error **error);

/**
 * Finds the interpreter whose code runs in the calling thread now. A host function that a script has called may
 * ask it. A thread that stays in one (subpy_enter()) and does nothing there now is told that one.
 *
 * @param id    Where its id goes. It is -1 if the call fails.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND outside of any interpreter that subpy knows.
 *
 * Threads: any.
 *
 * Source: `_interpreters.get_current()`.
 */
subpy_status subpy_get_current(subpy_id *id, subpy_error **error);

/**
 * Finds the main interpreter: its id is always 0.
 *
 * @param id    Where its id goes. It is -1 if the call fails.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED.
 *
 * Threads: any.
 *
 * Source: `_interpreters.get_main()`.
 */
subpy_status subpy_get_main(subpy_id *id, subpy_error **error);

/**
 * Whether something runs in an interpreter. The answer may be old by the time it arrives.
 *
 * @param id      The interpreter; it may be the main one.
 * @param running Where the answer goes.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any. The call waits for nothing.
 *
 * Source: `_interpreters.is_running()`.
 */
subpy_status subpy_is_running(subpy_id id, bool *running, subpy_error **error);

/* Running -------------------------------------------------------------------------------------------
 *
 * A program runs in the thread that makes the call. Programs of different interpreters run at the same
 * time. */

/**
 * A time in milliseconds that never ends.
 */
#define SUBPY_FOREVER UINT64_MAX

/**
 * A function of the host's, which is asked what becomes of a run whose time is over: see
 * subpy_run_options::deadline_fn.
 *
 * @param user       subpy_run_options::deadline_user.
 * @param id         The interpreter.
 * @param elapsed_ms How long the run has taken so far, in milliseconds.
 * @return For how many milliseconds more the run may go on; then the function is asked again. 0: the run is
 *         interrupted, and returns #SUBPY_ERR_TIMEOUT. #SUBPY_FOREVER: the run goes on without a limit.
 *
 * The library calls it in a thread of its own, which serves the limits of all runs: it has to be quick. That
 * thread holds no GIL and no lock. The function must not call subpy, and must not leave by an exception or by
 * longjmp().
 */
typedef uint64_t (*subpy_deadline_fn)(void *user, subpy_id id, uint64_t elapsed_ms);

/**
 * How a program is run. Start from #SUBPY_RUN_OPTIONS_INIT.
 */
typedef struct subpy_run_options {
  /**
   * `sizeof(subpy_run_options)`.
   */
  size_t struct_size;
  /**
   * What tracebacks call the code. NULL (the default): "<string>" for the first string that the interpreter
   * compiles, "<string-2>" for the second one, and so on.
   */
  const char *filename;
  /**
   * How long the run may take, in milliseconds. 0 (the default): as long as it likes. A host that computes the
   * time that is left has to treat 0 itself. When the time is over, the script gets a KeyboardInterrupt, as
   * by subpy_interrupt(), and the run returns #SUBPY_ERR_TIMEOUT. If that is more than 100 ms later, because the script
   * did what can't be ended, the error's message says how late it is. A run in another interpreter that a function of
   * the host's makes meanwhile is ended as well, and returns the same.
   */
  uint64_t timeout_ms;
  /**
   * Asked when the time is over. NULL (the default): the run is interrupted at once. The library does not
   * call it any more when the run has returned.
   */
  subpy_deadline_fn deadline_fn;
  /**
   * Handed to `deadline_fn`. The library does not touch it.
   */
  void *deadline_user;
  /**
   * 1: the time of the run is measured, for subpy_stats(). That costs a microsecond. 0 (the default): only
   * the time of a run with a limit is.
   */
  uint32_t measure;
  /**
   * Has to be 0.
   */
  uint32_t reserved;
  /**
   * How much CPU time the run may use, in milliseconds, if that is less than
   * subpy_interpreter_config::cpu_limit_ms. 0 (the default): as the interpreter has it.
   */
  uint64_t cpu_limit_ms;
  /**
   * How much the run may write, in bytes, if that is less than subpy_interpreter_config::output_limit. 0 (the
   * default): as the interpreter has it.
   */
  uint64_t output_limit;
  /**
   * With #SUBPY_BACKEND_PROCESS: how long after a time limit that the script has ignored its process is killed, in milliseconds:
   * the run returns #SUBPY_ERR_LOST. The same for a limit of a run that this one is inside of. 0 (the default) stands for 1000. #SUBPY_FOREVER: it is not killed.
   */
  uint64_t kill_after_ms;
  /**
   * The namespace in which it is done, of subpy_add_namespace(). It is #SUBPY_ERR_NOT_FOUND if there is none of that name.
   * NULL (the default): `__main__`.
   */
  const char *in_namespace;
  /**
   * How long the call waits for its turn while the interpreter runs in another thread, or is being destroyed there, in
   * milliseconds; then it is #SUBPY_ERR_BUSY. 0 (the default): not at all. #SUBPY_FOREVER: however long that takes.
   *
   * Calls that wait are served first come, first served, and no other call gets ahead of them: one that does not wait is
   * #SUBPY_ERR_BUSY while others do, and so is subpy_destroy(). The time limits of a run start when it does.
   *
   * subpy_interrupt() ends the run that is under way, and each wait: #SUBPY_ERR_INTERRUPTED, and nothing has happened.
   * When the interpreter is destroyed, a wait is #SUBPY_ERR_NOT_FOUND; when its process is lost, #SUBPY_ERR_LOST. In a
   * function of the host's that a script has called, a wait ends also when the run of that script is to end, and returns
   * what that run does: #SUBPY_ERR_INTERRUPTED, #SUBPY_ERR_TIMEOUT or #SUBPY_ERR_LIMIT.
   *
   * The calling thread holds no GIL while it waits. (With #SUBPY_BACKEND_PROCESS the GIL of a script that has called a
   * function of the host's is that process's: see subpy_function_options::release_gil.) A call from inside of the interpreter's own run does not wait: it
   * nests. A call is #SUBPY_ERR_BUSY at once if its wait could not end: where what it waits for waits, in turn, for the
   * run that the call is made in.
   */
  uint64_t wait_ms;
} subpy_run_options;

/** The defaults of a ::subpy_run_options. */
#define SUBPY_RUN_OPTIONS_INIT                                                                     \
  { sizeof(subpy_run_options), NULL, 0, NULL, NULL, 0, 0, 0, 0, 0,  \
    NULL, 0 }

/**
 * Runs a program in an interpreter's `__main__`: subpy_run_string_with() with the defaults.
 *
 * @param id    The interpreter.
 * @param code  The program: UTF-8, ends in a NUL. The library does not keep it.
 * @param error NULL, or where the error goes.
 * @return As subpy_run_string_with().
 *
 * Threads: any. The program runs in the calling thread. A GIL that this thread holds is released meanwhile.
 *
 * Source: `_interpreters.run_string()`.
 */
subpy_status subpy_run_string(subpy_id id, const char *code, subpy_error **error);

/**
 * Runs a program in an interpreter's `__main__`, in the calling thread. The call returns when the program has
 * ended. The value of the program is thrown away. `__main__` keeps its names from run to run. The program's
 * output is flushed before the call returns. What can't be written then, to a full disk, is an exception.
 *
 * An interpreter has one run at a time: while it runs, a run in another thread is #SUBPY_ERR_BUSY, or waits for its turn
 * (subpy_run_options::wait_ms). In the same thread runs nest: a function of the host's that a script calls may run code in that interpreter, call, get and set, to any
 * depth up to Python's recursion limit. The inner run has its own limit of time; an interrupt, and the limit of an
 * outer run, end the inner one, and then the outer one. (Called from
 * another fiber than the one that it runs in, the interpreter is #SUBPY_ERR_BUSY: the outer run could go on first.)
 *
 * Different interpreters run at the same time, in parallel where each has its own GIL.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param code    The program: UTF-8, without NUL characters. The library does not keep it.
 * @param length  The length of the program, in bytes.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, a NUL character, or bad UTF-8;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_NOT_PERMITTED for the main interpreter, unless subpy_runtime_config::allow_main is set;
 *         #SUBPY_ERR_BUSY if the interpreter runs now, or others wait for it, and the time to wait is over;
 *         #SUBPY_ERR_EXCEPTION if the program raised an exception, or can't be compiled;
 *         #SUBPY_ERR_EXIT if it raised SystemExit. The process goes on;
 *         #SUBPY_ERR_INTERRUPTED if subpy_interrupt() ended it, or its wait;
 *         #SUBPY_ERR_TIMEOUT if its time was over;
 *         #SUBPY_ERR_LOST if its process has ended: see subpy_error_signal().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: `_interpreters.run_string()`; PEP 684 for interpreters with a GIL of their own.
 */
subpy_status subpy_run_string_with(subpy_id id,
                                   const subpy_run_options *options,
                                   const char *code,
                                   size_t length,
                                   subpy_error **error);

/* Files and modules ---------------------------------------------------------------------------------
 *
 * A program may be in a file, in a folder, or be a module. A module may be in memory. */

/**
 * How a file is run. Start from #SUBPY_FILE_OPTIONS_INIT.
 */
typedef struct subpy_file_options {
  /**
   * `sizeof(subpy_file_options)`.
   */
  size_t struct_size;
  /**
   * The limits and the namespace, as for subpy_run_string_with(). `filename` has to be NULL. NULL (the default): the
   * defaults.
   */
  const subpy_run_options *run;
  /**
   * What follows the program in `sys.argv`. NULL (the default): what follows there before the call, of
   * subpy_interpreter_config::argv or of an earlier program.
   */
  const char *const *argv;
  /**
   * How many arguments there are. 0 with an `argv` that is not NULL: none.
   */
  size_t argc;
  /**
   * 1: `path` is the name of a module, which is run as `python -m` does, or of a package, whose `__main__` is. 0 (the
   * default): it is a file.
   */
  uint32_t is_module;
  /**
   * Has to be 0.
   */
  uint32_t reserved;
} subpy_file_options;

/** The defaults of a ::subpy_file_options. */
#define SUBPY_FILE_OPTIONS_INIT                                                                    \
  { sizeof(subpy_file_options), NULL, NULL, 0, 0, 0 }

/**
 * Runs a program that is in a file: subpy_run_file_with() with the defaults.
 *
 * @param id    The interpreter.
 * @param path  The file: UTF-8.
 * @param error NULL, or where the error goes.
 * @return As subpy_run_file_with().
 *
 * Threads: as for subpy_run_string_with().
 */
subpy_status subpy_run_file(subpy_id id, const char *path, subpy_error **error);

/**
 * Runs a program that is in a file, in the calling thread, as `python PATH` does. `__name__` is "__main__", `__file__` the whole
 * path, `sys.argv[0]` the path as it is given, and `sys.path[0]` the file's folder, in the place of the one of an earlier
 * program. The globals of `__main__` that others have left stay. The file's encoding is UTF-8 or what its first lines say. A
 * folder or a zip file that has a `__main__.py` is run as well, and a `.pyc` file of this version of Python.
 *
 * In a namespace, `__name__` is the namespace's, and `sys.argv` and `sys.path` stay as they are.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param path    The file: UTF-8. A relative path is meant from the host's working directory. Or the name of a module, with
 *                subpy_file_options::is_module.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_FOUND also if there is no such file or module, and for a folder or a package without a `__main__`;
 *         #SUBPY_ERR_EXCEPTION also if the file can't be read, or is in no encoding that it may be in;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL and wrong options;
 *         and as subpy_run_string_with().
 *
 * Threads: as for subpy_run_string_with().
 *
 * Source: CPython's command line; `runpy` for modules.
 */
subpy_status subpy_run_file_with(subpy_id id,
                                 const subpy_file_options *options,
                                 const char *path,
                                 subpy_error **error);

/**
 * Imports a module as `import MODULE` does, and gives it no name in `__main__`.
 *
 * @param id     The interpreter.
 * @param module The module: UTF-8, "package.module".
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_FOUND also if there is no such module;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, and for what can't be a module's name;
 *         #SUBPY_ERR_EXCEPTION also if the module raises an exception, or imports one that there is not;
 *         and as subpy_run_string_with().
 *
 * Threads: as for subpy_run_string_with().
 *
 * Source: CPython's `PyImport_ImportModule`.
 */
subpy_status subpy_import(subpy_id id, const char *module, subpy_error **error);

/**
 * Adds a module from memory. It runs when it is imported first, and imports find it before modules in files. Tracebacks,
 * `inspect` and `linecache` have its source (`inspect` that of its classes, and the whole, only if it has a `filename`). What has
 * modules in it is a package: with "app.settings", `app` is one, of its own source if "app" was added, else the package `app` that
 * there is otherwise, else an empty one.
 *
 * A module of this name that was added before is replaced. If it is imported already, `importlib.reload()` takes the new one.
 *
 * @param id       The interpreter, or #SUBPY_EVERYWHERE: each one that is created from now on, until the last
 *                 subpy_finalize().
 * @param name     Its name: UTF-8, "settings" or "app.settings".
 * @param source   Its source: UTF-8, without NUL characters. The library copies it.
 * @param length   The length of the source, in bytes.
 * @param filename What tracebacks call it, and its `__file__`: UTF-8. NULL: "<NAME>", and it has no `__file__`.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, a NUL character, bad UTF-8, and for what can't be a module's name;
 *         and as subpy_run_string_with(). Whether it compiles is seen when it is imported.
 *
 * Threads: any. A function of the host's that a script calls may call it for its own interpreter.
 *
 * Source: `importlib`'s finders and loaders.
 */
subpy_status subpy_add_module(subpy_id id,
                              const char *name,
                              const char *source,
                              size_t length,
                              const char *filename,
                              subpy_error **error);

/* Namespaces ----------------------------------------------------------------------------------------
 *
 * Several scripts may share an interpreter, each with globals of its own. */

/**
 * Adds a namespace to an interpreter: a set of globals of its own, over the same imported modules. It is a module of
 * this name, which is in `sys.modules`: so `pickle`, `dataclasses`, `typing` and `inspect` find what is defined in it, and
 * scripts may import it. Its `__name__` is the name. Its `__file__` is the `filename` of the program that was run in it
 * last, if that had one. Something is done in it by subpy_run_options::in_namespace. It takes about 1 KiB.
 *
 * A namespace is no border: what runs in it can reach all of its interpreter. Interpreters and processes are apart.
 *
 * @param id    The interpreter.
 * @param name  The name: UTF-8, one that a Python module can have, without dots.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, for no such name, and for one that an imported module or a namespace has;
 *         #SUBPY_ERR_NOT_INITIALIZED, #SUBPY_ERR_NOT_FOUND, #SUBPY_ERR_NOT_PERMITTED, #SUBPY_ERR_BUSY and
 *         #SUBPY_ERR_LOST as for subpy_run_string_with();
 *         #SUBPY_ERR_EXCEPTION if Python has no memory for it.
 *
 * Threads: any. A function of the host's that a script calls may call it for its own interpreter.
 *
 * Source: `types.ModuleType` and `sys.modules`.
 */
subpy_status subpy_add_namespace(subpy_id id,
                                 const char *name,
                                 subpy_error **error);

/**
 * Removes a namespace from its interpreter, and the names in it, with what only they had. What others keep of it lives on,
 * but a function of it finds no globals any more. Python threads that run in it go on.
 *
 * @param id    The interpreter.
 * @param name  The namespace: UTF-8.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_FOUND if there is no such namespace or interpreter;
 *         #SUBPY_ERR_BUSY if a run is in the namespace, which this call comes from, or if the interpreter runs;
 *         #SUBPY_ERR_NOT_INITIALIZED, #SUBPY_ERR_NOT_PERMITTED and #SUBPY_ERR_LOST as for subpy_run_string_with().
 *
 * Threads: any. A function of the host's that a script calls may call it for its own interpreter.
 *
 * Source: as subpy_add_namespace().
 */
subpy_status subpy_remove_namespace(subpy_id id,
                                    const char *name,
                                    subpy_error **error);

/* Control and limits --------------------------------------------------------------------------------
 *
 * Any thread may end a run that another thread has begun. It may also ask what an interpreter has
 * done, and how much memory it has. */

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
   * Runs that had to compile their code, and could.
   */
  uint64_t code_cache_misses;
  /**
   * Strings whose code is kept now.
   */
  uint64_t code_cache_entries;
  /**
   * The size of their sources together, in bytes.
   */
  uint64_t code_cache_bytes;
  /**
   * How long the last measured run took, in nanoseconds. A run with a limit is measured, and one with
   * subpy_run_options::measure.
   */
  uint64_t last_wall_ns;
  /**
   * How much CPU time the thread of that run took for it, in nanoseconds.
   */
  uint64_t last_cpu_ns;
} subpy_interpreter_stats;

/** The defaults of a ::subpy_interpreter_stats, which subpy_stats() fills. */
#define SUBPY_INTERPRETER_STATS_INIT                                                               \
  { sizeof(subpy_interpreter_stats), 0, 0, 0, 0, 0, 0 }

/* A value: see below. */
struct subpy_value;

/**
 * Asks the run that is under way in an interpreter to end. If nothing runs, nothing happens: a later run is not
 * affected. So a host that cancels a run which may not have begun yet repeats the call until the run has returned.
 *
 * The script gets a KeyboardInterrupt at its next safe point; in Python code that is at once. `except Exception`
 * lets it pass. A script that goes on all the same has 100 ms for its `finally`. Then it gets the exception at each safe
 * point, also in the handler that has just caught it, until it has ended. Its run then returns #SUBPY_ERR_INTERRUPTED,
 * with the traceback of where it was. A script that catches the exception and ends by itself just ends. (Below Python
 * 3.12 it is every 10 ms after these 100 ms, so a loop that catches everything can escape. Python 3.10 has no safe point
 * in a loop that begins with `try` and calls nothing.)
 *
 * A script that waits in C gets it at once, too, if subpy_supports() says #SUBPY_FEATURE_INTERRUPT_WAITS: in
 * `time.sleep()`, in locks, queues and joins, in `select`, sockets, pipes and `ssl`, with its child processes, in an event
 * loop. If it waits again, in a `finally` say, it gets the exception again after 10 ms. What it held then, and what it had
 * received, is as after Ctrl+C in Python. subpy sends the thread that runs the script a signal for that, see
 * subpy_runtime_config::wait_signal, and none while that thread is in a function of the host's. A thread that blocks
 * this signal is not woken, but in a run with a time limit, which takes it meanwhile. So does a computation in C that
 * looks for signals, with #SUBPY_FEATURE_INTERRUPT_COMPUTATIONS: a regular expression, arithmetic of large ints.
 *
 * Not ended are a computation in C that never looks, such as `sum(range(10**9))`, `getaddrinfo()`, `signal.sigwait()`, and
 * what an extension module does without asking Python: the script gets the exception when that returns.
 *
 * A script that has set a handler for SIGINT, by `signal.signal()` or through `asyncio.run()` from Python 3.11 on, is
 * told otherwise: its handler is called, once for each subpy_interrupt(), and the script may go on. (asyncio's cancels
 * the main task the first time, and raises KeyboardInterrupt the second time.) A wait in C goes on after the handler. A time
 * limit ends the script all the same. SIG_IGN and SIG_DFL count as `default_int_handler`, which raises
 * KeyboardInterrupt. A wakeup descriptor that it has set gets the number of SIGINT at once, which wakes up an event loop
 * that waits. (Below Python 3.12 such a handler is left alone: the script gets the number if it has a wakeup
 * descriptor, else KeyboardInterrupt.) Handlers of other signals are kept, too; nobody calls them but the script itself,
 * by `os.kill()`, `signal.raise_signal()` and `_thread.interrupt_main()`, say.
 *
 * A run in another interpreter that a function of the host's makes meanwhile is asked to end, too. Calls that wait for
 * their turn in the interpreter (subpy_run_options::wait_ms) return #SUBPY_ERR_INTERRUPTED at once.
 * An import that is interrupted may leave a package half imported, as after Ctrl+C. So an interpreter that is
 * to be used again is best interrupted when it has imported what it needs.
 *
 * @param id    The interpreter; it may be the main one.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK, also if nothing runs;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_NO_MEMORY, only with NULL for `error`, if the system had no thread for subpy.
 *
 * Threads: any. The call waits for no GIL. (Below Python 3.12 a thread that it starts does, and the script gets
 * the exception within some milliseconds.) With NULL for `error`, also in a signal handler: the call takes no lock and
 * no memory then, and a thread of subpy's interrupts the run at once. Two such calls at once may count as one.
 *
 * Source: CPython's pending calls, `PyErr_CheckSignals`, and `PyThreadState_SetAsyncExc` below Python 3.12.
 */
subpy_status subpy_interrupt(subpy_id id,
                             subpy_error **error);

/**
 * Ends an interpreter with #SUBPY_BACKEND_PROCESS at once, whatever it does: its process is killed. A call that waits for it
 * returns #SUBPY_ERR_LOST, and so does each call of it from then on, until subpy_destroy().
 *
 * @param id    The interpreter.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK, also if its process has ended already;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_UNSUPPORTED for an interpreter with #SUBPY_BACKEND_LOCAL: a part of a process can't be killed.
 *
 * Threads: any. The call waits for nothing.
 *
 * Source: the kernel's `pidfd_send_signal`.
 */
subpy_status subpy_kill(subpy_id id,
                        subpy_error **error);

/**
 * Asks the Python threads that an interpreter's scripts have started to end, and waits for that. Each gets a SystemExit:
 * in Python code at its next safe point, and where it waits in C at once, as far as subpy_interrupt() can end a wait. One
 * that goes on gets it again every 10 ms. Idle workers of a `concurrent.futures.ThreadPoolExecutor` are told to end, and
 * executors take no more work afterwards.
 *
 * Threads that an extension module has made are not asked, and count if they are in the interpreter.
 *
 * @param id      The interpreter; it may be the main one.
 * @param wait_ms How long they are asked and awaited, in milliseconds. 0: they are asked once.
 * @param left    Where the number of those that have not ended goes. May be NULL.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK, also if some have not ended;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_BUSY if the interpreter runs now, or calls wait for their turn in it.
 *
 * Threads: any. Nothing else can run in the interpreter meanwhile.
 *
 * Source: CPython's `PyThreadState_SetAsyncExc`.
 */
subpy_status subpy_stop_threads(subpy_id id,
                                uint64_t wait_ms,
                                size_t *left,
                                subpy_error **error);

/**
 * Lists the names of the Python threads that an interpreter's scripts have started by `threading` and that still run.
 *
 * @param id       The interpreter; it may be the main one.
 * @param names    Where the names go, each a str. The caller clears each that is written, by subpy_value_clear(). May be
 *                 NULL if `capacity` is 0.
 * @param capacity How many names fit there. No more than that are written.
 * @param count    Where the number of all of these threads goes, however many fitted.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_BUSY if the interpreter runs now, or calls wait for their turn in it.
 *
 * Threads: any. The call waits for the interpreter's GIL.
 *
 * Source: CPython's `threading.enumerate()`.
 */
subpy_status subpy_thread_names(subpy_id id,
                                struct subpy_value *names,
                                size_t capacity,
                                size_t *count,
                                subpy_error **error);

/**
 * How much memory an interpreter has: the blocks that Python has allocated for its objects. Not counted are what
 * extension modules allocate without Python, what Python shares between interpreters, and what Python takes from
 * malloc() itself (some 0.2 MiB for an interpreter).
 *
 * @param id      The interpreter; it may be the main one, which is counted from subpy_initialize() on.
 * @param current Where the bytes that it has now go. May be NULL.
 * @param peak    Where the most bytes that it has had at once go. May be NULL.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
 *         #SUBPY_ERR_UNSUPPORTED unless subpy_runtime_config::account_memory is set.
 *
 * Threads: any. The call waits for nothing, not even for a run in that interpreter.
 *
 * Source: CPython's `PyMem_SetAllocator`.
 */
subpy_status subpy_memory_usage(subpy_id id, uint64_t *current, uint64_t *peak, subpy_error **error);

/**
 * Tells what an interpreter has done so far.
 *
 * @param id    The interpreter; it may be the main one.
 * @param stats Where the figures go. Its `struct_size` has to be set; no more than that is written.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL or a wrong `struct_size`;
 *         #SUBPY_ERR_NOT_INITIALIZED;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
 *
 * Threads: any. The call waits for nothing, not even for a run in that interpreter.
 *
 * Source: subpy's own.
 */
subpy_status subpy_stats(subpy_id id, subpy_interpreter_stats *stats, subpy_error **error);

/* Values --------------------------------------------------------------------------------------------
 *
 * A value is plain data on its way between the host and an interpreter. The host makes one on its
 * stack; the library hands one out in one allocation. */

/** A queue: subpy_queue_create() makes one. */
typedef struct subpy_queue subpy_queue;

/**
 * How deep values may be nested. A list in a list is nested two deep.
 */
#define SUBPY_MAX_DEPTH 256

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
   * A dict: `as.items`, keys and values in turn, in the order of the dict.
   */
  SUBPY_DICT = 8,
  /**
   * Memory that is shared: `as.buffer`.
   */
  SUBPY_BUFFER = 9,
  /**
   * An int of any size: `as.text`, as Python's `int(text, 0)` reads it. From Python it is an int past 64
   * bits, in hexadecimal ("-0x1f"), and only where #SUBPY_LOSSLESS_TEXT was asked for.
   */
  SUBPY_BIG_INT = 10,
  /**
   * A str with lone surrogates: `as.text`, in UTF-8, save that each lone surrogate takes three bytes
   * ("WTF-8"). From Python it comes only where #SUBPY_LOSSLESS_TEXT was asked for.
   */
  SUBPY_WTF8 = 11,
  /**
   * A queue: `as.queue`, which subpy_value_queue() hands out.
   */
  SUBPY_QUEUE = 12,
  /**
   * A complex number: `as.complex`.
   */
  SUBPY_COMPLEX = 13,
  /**
   * A set: `as.items`, in any order. Its items have to be hashable.
   */
  SUBPY_SET = 14,
  /**
   * A frozenset: as a set.
   */
  SUBPY_FROZENSET = 15,
  /**
   * A `datetime.datetime`: `as.datetime`. It is aware if it has an offset from UTC, and naive without. Of a time
   * zone only the offset crosses that it has at that time, not its name and rules. A fixed offset is all that it
   * becomes in Python, a `datetime.timezone`.
   */
  SUBPY_DATETIME = 16,
  /**
   * A `datetime.date`: `as.datetime`.
   */
  SUBPY_DATE = 17,
  /**
   * A `datetime.time`: `as.datetime`. It is naive if its time zone has no offset without a date.
   */
  SUBPY_TIME = 18,
  /**
   * A `datetime.timedelta`: `as.timedelta`.
   */
  SUBPY_TIMEDELTA = 19,
  /**
   * A `decimal.Decimal`: `as.text`, as Python's `str()` writes it: "-1.50", "1E+3", "Infinity", "sNaN". It has all
   * of its digits, whatever the context of a script says.
   */
  SUBPY_DECIMAL = 20,
  /**
   * A `uuid.UUID`: `as.uuid`.
   */
  SUBPY_UUID = 21,
  /**
   * An object that stays in Python: `as.object`, which subpy_value_object() hands out. From Python it comes only where
   * #SUBPY_KEEP_OBJECTS was asked for.
   */
  SUBPY_OBJECT = 22,
} subpy_kind;

/**
 * The text or the bytes of a ::subpy_value.
 */
typedef struct subpy_text_data {
  /**
   * The first byte. May be NULL if the length is 0. Text that the library hands out ends in a NUL, which
   * is not counted. Text that the host passes need not.
   */
  const char *data;
  /**
   * The length, in bytes.
   */
  size_t length;
} subpy_text_data;

/**
 * The items of a ::subpy_value.
 */
typedef struct subpy_items {
  /**
   * The first item. Of a dict: the first key, then its value, the second key, and so on. May be NULL if
   * the length is 0.
   */
  const struct subpy_value *data;
  /**
   * The number of items; of a dict, the number of pairs.
   */
  size_t length;
} subpy_items;

/**
 * A function of the host's, which the library calls once, when it does not need something of the host's any
 * more.
 *
 * @param user What the host handed over with it.
 *
 * The library calls it in the thread that let go of the thing. That thread holds neither a GIL nor a lock of
 * subpy then. The function may call subpy. It must not leave by an exception or by longjmp().
 */
typedef void (*subpy_drop_fn)(void *user);

/**
 * Memory that the host and Python share. Start from #SUBPY_BUFFER_INFO_INIT.
 *
 * *From the host to Python*, the memory becomes a memoryview, without a copy. Each call that takes the value
 * calls `release` once for each place that the buffer has in the value, whatever becomes of the call. (Not called
 * is that of a buffer with a wrong `struct_size`, or nested deeper than #SUBPY_MAX_DEPTH.) It does so when
 * Python's last view of the memory is gone, or when the interpreter has ended. If there never was a view, it
 * does so before the call returns. The host keeps the memory where it is until then.
 *
 * *From Python to the host*, it is the memory of a Python object. That memory stays in place until
 * subpy_value_clear(); for an argument of a host function, it stays until the function returns. The host may
 * pass such a value on. In its own interpreter it becomes a view of the object again. Another interpreter
 * shares the memory, which then stays in place until the views there are gone, too. The interpreter that has
 * the object can't be destroyed before.
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
   * The size of all items together, in bytes.
   */
  size_t length;
  /**
   * What an item is, in the words of Python's `struct` module: "d", "<i4". NULL (the default) stands for
   * "B", bytes. The library copies it.
   */
  const char *format;
  /**
   * The size of an item, in bytes. 0 (the default): the format says it. A format of more than one letter
   * needs it.
   */
  size_t item_size;
  /**
   * 1: the side that gets the memory may write to it. 0 (the default): it may only read.
   */
  uint32_t writable;
  /**
   * How many dimensions there are. 0 (the default): one, of all items.
   */
  uint32_t dimensions;
  /**
   * How many items each dimension has. May be NULL if `dimensions` is 0. The library copies it.
   */
  const ptrdiff_t *shape;
  /**
   * NULL (the default): the items are in C's order, without gaps. Otherwise: how many bytes lie between the items of
   * each dimension, which may be less than 0. `data` is the item of which all indices are 0, and `length` counts the
   * items alone. The library copies it. Memory from Python has it only if #SUBPY_STRIDED was asked for.
   */
  const ptrdiff_t *strides;
  /**
   * The library calls it when it does not need the memory any more. NULL: nothing is called. From Python
   * it is the library's own, and the host does not call it.
   */
  subpy_drop_fn release;
  /**
   * Handed to `release`. From Python it is the library's own.
   */
  void *user;
} subpy_buffer_info;

/**
 * A complex number.
 */
typedef struct subpy_complex_data {
  /**
   * The real part.
   */
  double real;
  /**
   * The imaginary part.
   */
  double imag;
} subpy_complex_data;

/**
 * A datetime, a date or a time of the day, as a ::subpy_value has it. subpy_datetime() and its like make one, and
 * subpy_value_as_datetime() takes one apart.
 */
typedef struct subpy_datetime_data {
  /**
   * 1 to 9999. 0 in a time, as are `month` and `day`.
   */
  uint16_t year;
  /**
   * 1 to 12.
   */
  uint8_t month;
  /**
   * 1 to 31.
   */
  uint8_t day;
  /**
   * 0 to 23. 0 in a date, as is all that follows.
   */
  uint8_t hour;
  /**
   * 0 to 59.
   */
  uint8_t minute;
  /**
   * 0 to 59.
   */
  uint8_t second;
  /**
   * 1: Python's `fold` is 1. 2: it is aware, so it has an offset from UTC. 3: both. 0: neither.
   */
  uint8_t flags;
  /**
   * The offset from UTC in microseconds, times 2^20, plus the microsecond.
   */
  int64_t offset_and_microsecond;
} subpy_datetime_data;

/**
 * A length of time, as Python keeps it: `days` may be less than 0, and the rest is added to it.
 */
typedef struct subpy_timedelta_data {
  /**
   * -999,999,999 to 999,999,999.
   */
  int32_t days;
  /**
   * 0 to 86,399.
   */
  int32_t seconds;
  /**
   * 0 to 999,999.
   */
  int32_t microseconds;
} subpy_timedelta_data;

/**
 * What a ::subpy_value is. The kind of the value names the field that counts.
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
   * Of #SUBPY_STR, #SUBPY_BYTES, #SUBPY_BIG_INT, #SUBPY_WTF8 and #SUBPY_DECIMAL.
   */
  subpy_text_data text;
  /**
   * Of #SUBPY_TUPLE, #SUBPY_LIST, #SUBPY_DICT, #SUBPY_SET and #SUBPY_FROZENSET.
   */
  subpy_items items;
  /**
   * Of #SUBPY_BUFFER.
   */
  const subpy_buffer_info *buffer;
  /**
   * Of #SUBPY_QUEUE.
   */
  subpy_queue *queue;
  /**
   * Of #SUBPY_COMPLEX.
   */
  subpy_complex_data complex;
  /**
   * Of #SUBPY_DATETIME, #SUBPY_DATE and #SUBPY_TIME. subpy_value_as_datetime() takes it apart.
   */
  subpy_datetime_data datetime;
  /**
   * Of #SUBPY_TIMEDELTA.
   */
  subpy_timedelta_data timedelta;
  /**
   * Of #SUBPY_UUID: its 16 bytes, the highest one first, as Python's `UUID.bytes`.
   */
  uint8_t uuid[16];
  /**
   * Of #SUBPY_OBJECT: a ::subpy_object.
   */
  uint64_t object;
} subpy_data;

/**
 * A value: plain data. The host makes one with the functions subpy_int() and so on, or by hand. It points to
 * its text and its items, and a copy of it points to the same.
 *
 * A value that the library has handed out owns what it points to, until subpy_value_clear(). It has 24 bytes,
 * in this version and in each later one.
 */
typedef struct subpy_value {
  /**
   * One of ::subpy_kind. It says which field of `as` counts.
   */
  uint32_t kind;
  /**
   * The library's own. 0 in a value that the host makes.
   */
  uint32_t owned;
  /**
   * What the value is.
   */
  subpy_data as;
} subpy_value;

/** The defaults of a ::subpy_buffer_info: no bytes, read-only. */
#define SUBPY_BUFFER_INFO_INIT                                                                     \
  { sizeof(subpy_buffer_info), NULL, 0, NULL, 0, 0, 0, NULL, NULL, NULL, NULL }

/** @cond */
#if defined(__cplusplus)
static_assert(sizeof(subpy_value) == 24, "subpy needs a platform of 64 bits");
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(subpy_value) == 24, "subpy needs a platform of 64 bits");
#endif
/** @endcond */

/**
 * Frees what the library has handed out with a value, and makes the value None. A value of the host's own, or one
 * that is cleared already, only becomes None.
 *
 * Clear the value that a call wrote, once. Its items must not be cleared. Of a value and a copy of the struct, only
 * one may be cleared, and the other must not be used afterwards.
 *
 * A value may have buffers of an interpreter. They are given back to it. That waits for the interpreter's GIL,
 * also while another thread runs in it. The interpreter lives as long as the host has a buffer of it.
 *
 * @param value A value, or NULL.
 *
 * Threads: any, at any time; also after the interpreter is destroyed and after subpy_finalize().
 */
void subpy_value_clear(subpy_value *value);

/**
 * The name of a kind, as Python calls it.
 *
 * @param kind Any number.
 * @return A static string such as "list"; "unknown" for a kind that this library does not know. Never NULL.
 *
 * Threads: any, at any time.
 */
const char *subpy_kind_name(uint32_t kind);

/**
 * What the exception was made with: its `args`, a tuple. What is no plain data in it, and a queue, is its `repr()`. Of an
 * OSError the file names are there, too, as `OSError()` takes them. It may be without items where the
 * interpreter's process can't send it (1 GiB).
 *
 * @param error An error, or NULL.
 * @return A tuple; NULL if the error is no exception. The error owns it and all that is in it, and it is valid until the error
 *         is freed. It must not be cleared.
 *
 * Source: `args` of the exception.
 *
 * Threads: any, at any time; also after the interpreter is destroyed and after subpy_finalize().
 */
const subpy_value *subpy_error_args(const subpy_error *error);

/* What these functions make points to what they are given, and lives no longer. */

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

/** An int of 64 bits. subpy_big_int() makes larger ones. */
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

/** @cond */
static inline subpy_value subpy_text_of_kind(uint32_t kind, const char *data, size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.text.data = data;
  value.as.text.length = length;
  return value;
}
/** @endcond */

/** A str of UTF-8 that ends in a NUL. NULL makes a value that every call refuses. */
static inline subpy_value subpy_str(const char *text) {
  return subpy_text_of_kind(SUBPY_STR, text, text != NULL ? strlen(text) : 1);
}

/** A str of `length` bytes of UTF-8. They may have NULs. */
static inline subpy_value subpy_str_n(const char *text, size_t length) {
  return subpy_text_of_kind(SUBPY_STR, text, length);
}

/** Bytes. */
static inline subpy_value subpy_bytes(const void *data, size_t length) {
  return subpy_text_of_kind(SUBPY_BYTES, SUBPY_CAST(const char *, data), length);
}

/** An int of any size: "18446744073709551615", "-0xff". NULL makes a value that every call refuses. */
static inline subpy_value subpy_big_int(const char *digits) {
  return subpy_text_of_kind(SUBPY_BIG_INT, digits, digits != NULL ? strlen(digits) : 1);
}

/** @cond */
static inline subpy_value subpy_items_of_kind(uint32_t kind, const subpy_value *items,
                                              size_t length) {
  subpy_value value = subpy_none();
  value.kind = kind;
  value.as.items.data = items;
  value.as.items.length = length;
  return value;
}
/** @endcond */

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

/** Memory of the host's. The ::subpy_buffer_info has to live as long as the value does. */
static inline subpy_value subpy_buffer(const subpy_buffer_info *buffer) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_BUFFER;
  value.as.buffer = buffer;
  return value;
}

/** A queue. The value does not keep it: the host holds it as long as the value lives. */
static inline subpy_value subpy_from_queue(subpy_queue *queue) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_QUEUE;
  value.as.queue = queue;
  return value;
}

/** An object that stays in Python, for a call to its own interpreter. The value does not keep it: the host holds it as long as the
 * value lives. */
static inline subpy_value subpy_from_object(uint64_t object) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_OBJECT;
  value.as.object = object;
  return value;
}

/** A complex number. */
static inline subpy_value subpy_complex(double real, double imag) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_COMPLEX;
  value.as.complex.real = real;
  value.as.complex.imag = imag;
  return value;
}

/** A set of `length` items. Equal ones become one. */
static inline subpy_value subpy_set_of(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_SET, items, length);
}

/** A frozenset of `length` items. Equal ones become one. */
static inline subpy_value subpy_frozenset_of(const subpy_value *items, size_t length) {
  return subpy_items_of_kind(SUBPY_FROZENSET, items, length);
}

/** @cond */
/* What is past a field's room becomes its largest number, which is none of Python's. */
static inline uint8_t subpy_datetime_field(int number) {
  return SUBPY_CAST(uint8_t, number < 0 || number > 255 ? 255 : number);
}
/** @endcond */

/**
 * A naive datetime: what a clock shows, with no offset from UTC. A call that takes the value refuses a datetime that there
 * is not. So it is for subpy_date(), subpy_time() and subpy_at_utc_offset().
 */
static inline subpy_value subpy_datetime(int year, int month, int day, int hour, int minute,
                                         int second, int microsecond) {
  subpy_value value = subpy_none();
  value.kind = SUBPY_DATETIME;
  value.as.datetime.year = SUBPY_CAST(uint16_t, year < 0 || year > 65535 ? 65535 : year);
  value.as.datetime.month = subpy_datetime_field(month);
  value.as.datetime.day = subpy_datetime_field(day);
  value.as.datetime.hour = subpy_datetime_field(hour);
  value.as.datetime.minute = subpy_datetime_field(minute);
  value.as.datetime.second = subpy_datetime_field(second);
  value.as.datetime.flags = 0;
  value.as.datetime.offset_and_microsecond =
      microsecond < 0 || microsecond > 999999 ? 1048575 : microsecond;
  return value;
}

/** A date. */
static inline subpy_value subpy_date(int year, int month, int day) {
  subpy_value value = subpy_datetime(year, month, day, 0, 0, 0, 0);
  value.kind = SUBPY_DATE;
  return value;
}

/** A naive time of the day. */
static inline subpy_value subpy_time(int hour, int minute, int second, int microsecond) {
  subpy_value value = subpy_datetime(0, 0, 0, hour, minute, second, microsecond);
  value.kind = SUBPY_TIME;
  return value;
}

/** An aware one of a datetime or a time: it is `offset_us` microseconds east of UTC, which is less than a day. */
static inline subpy_value subpy_at_utc_offset(subpy_value value, int64_t offset_us) {
  if (value.kind == SUBPY_DATETIME || value.kind == SUBPY_TIME) {
    const int64_t day = 86400 * SUBPY_CAST(int64_t, 1000000);
    const int64_t offset = offset_us > day ? day : offset_us < -day ? -day : offset_us;
    value.as.datetime.offset_and_microsecond =
        offset * 1048576 + (value.as.datetime.offset_and_microsecond & 1048575);
    value.as.datetime.flags = SUBPY_CAST(uint8_t, value.as.datetime.flags | 2);
  }
  return value;
}

/** A datetime or a time with Python's `fold`: the second one of two that a clock shows alike as it is set back. */
static inline subpy_value subpy_with_fold(subpy_value value) {
  if (value.kind == SUBPY_DATETIME || value.kind == SUBPY_TIME) {
    value.as.datetime.flags = SUBPY_CAST(uint8_t, value.as.datetime.flags | 1);
  }
  return value;
}

/**
 * The aware datetime, in UTC, of so many microseconds after 1970-01-01T00:00:00Z: of a `time_t`, times 1,000,000. A time
 * before the year 1 or after the year 9999 makes a value that every call refuses.
 */
static inline subpy_value subpy_timestamp(int64_t microseconds) {
  const int64_t day_us = 86400 * SUBPY_CAST(int64_t, 1000000);
  int64_t rest = microseconds % day_us, days = microseconds / day_us;
  if (rest < 0) {
    rest += day_us;
    days--;
  }
  /* A year that starts in March has its leap day at its end. */
  days += 719468; /* from 0000-03-01 */
  if (days < 306 || days > 3652364) {
    return subpy_at_utc_offset(subpy_datetime(0, 1, 1, 0, 0, 0, 0), 0);
  }
  const int64_t cycle = days / 146097, in_cycle = days % 146097; /* 400 years */
  const int64_t of_cycle =
      (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
  const int64_t in_year = in_cycle - (365 * of_cycle + of_cycle / 4 - of_cycle / 100);
  const int64_t month = (5 * in_year + 2) / 153; /* 0 is March */
  const int64_t day = in_year - (153 * month + 2) / 5 + 1;
  const int64_t year = 400 * cycle + of_cycle + (month > 9 ? 1 : 0);
  const int64_t second = rest / 1000000;
  return subpy_at_utc_offset(
      subpy_datetime(SUBPY_CAST(int, year), SUBPY_CAST(int, month > 9 ? month - 9 : month + 3),
                     SUBPY_CAST(int, day), SUBPY_CAST(int, second / 3600),
                     SUBPY_CAST(int, second / 60 % 60), SUBPY_CAST(int, second % 60),
                     SUBPY_CAST(int, rest % 1000000)),
      0);
}

/**
 * A length of time: the sum of all three, each of which may be less than 0. A call that takes the value refuses more than
 * 999,999,999 days, in both directions.
 */
static inline subpy_value subpy_timedelta(int64_t days, int64_t seconds, int64_t microseconds) {
  const int64_t most = 2000000000;
  int64_t all_us = microseconds % 1000000, all_s = seconds % 86400 + microseconds / 1000000 % 86400;
  int64_t all_days = days > most ? most : days < -most ? -most : days;
  all_days += seconds / 86400 + microseconds / 1000000 / 86400;
  if (all_us < 0) {
    all_us += 1000000;
    all_s--;
  }
  while (all_s < 0) { /* by less than two days */
    all_s += 86400;
    all_days--;
  }
  while (all_s >= 86400) {
    all_s -= 86400;
    all_days++;
  }
  subpy_value value = subpy_none();
  value.kind = SUBPY_TIMEDELTA;
  value.as.timedelta.days =
      SUBPY_CAST(int32_t, all_days > most ? most : all_days < -most ? -most : all_days);
  value.as.timedelta.seconds = SUBPY_CAST(int32_t, all_s);
  value.as.timedelta.microseconds = SUBPY_CAST(int32_t, all_us);
  return value;
}

/**
 * A decimal number: "-1.50", "1E+3", "Infinity", "NaN". A call that takes the value refuses a text that is none, and NULL.
 */
static inline subpy_value subpy_decimal(const char *text) {
  return subpy_text_of_kind(SUBPY_DECIMAL, text, text != NULL ? strlen(text) : 1);
}

/** A UUID of 16 bytes, the highest one first, as Python's `UUID.bytes`. NULL makes a value that every call refuses. */
static inline subpy_value subpy_uuid(const uint8_t *bytes) {
  subpy_value value = subpy_text_of_kind(SUBPY_BYTES, NULL, 16);
  if (bytes != NULL) {
    value.kind = SUBPY_UUID;
    memcpy(value.as.uuid, bytes, 16);
  }
  return value;
}

/* What these functions hand out belongs to the value that they are given. NULL is allowed as the value. */

/**
 * The length of a value: the number of items of a tuple, a list, a set or a frozenset, of pairs of a dict, and of bytes of
 * a text, of bytes or of a buffer. 0 for any other value, and for NULL.
 */
static inline size_t subpy_value_length(const subpy_value *value) {
  if (value == NULL) {
    return 0;
  }
  switch (value->kind) {
  case SUBPY_STR:
  case SUBPY_BYTES:
  case SUBPY_BIG_INT:
  case SUBPY_WTF8:
  case SUBPY_DECIMAL:
    return value->as.text.length;
  case SUBPY_TUPLE:
  case SUBPY_LIST:
  case SUBPY_DICT:
  case SUBPY_SET:
  case SUBPY_FROZENSET:
    return value->as.items.length;
  case SUBPY_BUFFER:
    return value->as.buffer != NULL ? value->as.buffer->length : 0;
  default:
    return 0;
  }
}

/** An item of a tuple, a list, a set or a frozenset. NULL for any other value, and past the end. */
static inline const subpy_value *subpy_value_item(const subpy_value *value, size_t index) {
  if (value == NULL ||
      (value->kind != SUBPY_TUPLE && value->kind != SUBPY_LIST && value->kind != SUBPY_SET &&
       value->kind != SUBPY_FROZENSET) ||
      index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + index;
}

/** A key of a dict, in the dict's order. NULL for any other value, and past the end. */
static inline const subpy_value *subpy_value_key(const subpy_value *value, size_t index) {
  if (value == NULL || value->kind != SUBPY_DICT || index >= value->as.items.length) {
    return NULL;
  }
  return value->as.items.data + 2 * index;
}

/** The value of the key with the same index. NULL for any other value, and past the end. */
static inline const subpy_value *subpy_value_at(const subpy_value *value, size_t index) {
  const subpy_value *key = subpy_value_key(value, index);
  return key != NULL ? key + 1 : NULL;
}

/** The value of a key of a dict that is this str. NULL if there is no such key, and for any other value. */
static inline const subpy_value *subpy_value_get(const subpy_value *value, const char *key) {
  size_t length = key != NULL ? strlen(key) : 0;
  for (size_t i = 0; key != NULL; i++) {
    const subpy_value *found = subpy_value_key(value, i);
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

/** The text of a str or of bytes, of a #SUBPY_BIG_INT, a #SUBPY_WTF8 or a #SUBPY_DECIMAL. It ends in a NUL if the library
 * has handed out the value. NULL for any other value. */
static inline const char *subpy_value_text(const subpy_value *value) {
  if (value == NULL || (value->kind != SUBPY_STR && value->kind != SUBPY_BYTES &&
                        value->kind != SUBPY_BIG_INT && value->kind != SUBPY_WTF8 &&
                        value->kind != SUBPY_DECIMAL)) {
    return NULL;
  }
  return value->as.text.data;
}

/** Whether a value is an int of 64 bits. If it is, the int is written to `integer`. */
static inline bool subpy_value_as_int(const subpy_value *value, int64_t *integer) {
  if (value == NULL || value->kind != SUBPY_INT) {
    return false;
  }
  *integer = value->as.integer;
  return true;
}

/** Whether a value is a float, or an int of 64 bits. If it is, it is written to `real`. */
static inline bool subpy_value_as_float(const subpy_value *value, double *real) {
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

/** Whether a value is a bool. If it is, the bool is written to `boolean`. */
static inline bool subpy_value_as_bool(const subpy_value *value, bool *boolean) {
  if (value == NULL || value->kind != SUBPY_BOOL) {
    return false;
  }
  *boolean = value->as.boolean;
  return true;
}

/** Whether a value is a complex number, a float, or an int of 64 bits. If it is, its parts are written. */
static inline bool subpy_value_as_complex(const subpy_value *value, double *real, double *imag) {
  if (value != NULL && value->kind == SUBPY_COMPLEX) {
    *real = value->as.complex.real;
    *imag = value->as.complex.imag;
    return true;
  }
  if (!subpy_value_as_float(value, real)) {
    return false;
  }
  *imag = 0;
  return true;
}

/** The parts of a datetime, a date or a time, which subpy_value_as_datetime() writes. */
typedef struct subpy_datetime_parts {
  int year;          /**< 1 to 9999. Of a time: 0, as are `month` and `day`. */
  int month;         /**< 1 to 12. */
  int day;           /**< 1 to 31. */
  int hour;          /**< 0 to 23. Of a date: 0, as is all that follows. */
  int minute;        /**< 0 to 59. */
  int second;        /**< 0 to 59. */
  int microsecond;   /**< 0 to 999,999. */
  bool fold;         /**< Python's `fold`. */
  bool aware;        /**< It has an offset from UTC. */
  int64_t offset_us; /**< That one, in microseconds, to the east; 0 if it has none. */
} subpy_datetime_parts;

/** Whether a value is a datetime, a date or a time. If it is, its parts are written. */
static inline bool subpy_value_as_datetime(const subpy_value *value, subpy_datetime_parts *parts) {
  if (value == NULL || (value->kind != SUBPY_DATETIME && value->kind != SUBPY_DATE &&
                        value->kind != SUBPY_TIME)) {
    return false;
  }
  const subpy_datetime_data *data = &value->as.datetime;
  parts->year = data->year;
  parts->month = data->month;
  parts->day = data->day;
  parts->hour = data->hour;
  parts->minute = data->minute;
  parts->second = data->second;
  parts->microsecond = SUBPY_CAST(int, data->offset_and_microsecond & 1048575);
  parts->fold = (data->flags & 1) != 0;
  parts->aware = (data->flags & 2) != 0;
  parts->offset_us = (data->offset_and_microsecond - parts->microsecond) / 1048576;
  return true;
}

/**
 * Whether a value is an aware datetime. If it is, the time since 1970-01-01T00:00:00Z is written, in microseconds. (A naive
 * one has no such time.)
 */
static inline bool subpy_value_as_timestamp(const subpy_value *value, int64_t *microseconds) {
  subpy_datetime_parts at;
  if (!subpy_value_as_datetime(value, &at) || value->kind != SUBPY_DATETIME || !at.aware) {
    return false;
  }
  /* As in subpy_timestamp(), a year starts in March. */
  const int64_t year = at.month > 2 ? at.year : at.year - 1;
  const int64_t month = at.month > 2 ? at.month - 3 : at.month + 9;
  const int64_t days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                       at.day - 1 - 719468;
  const int64_t seconds = ((days * 24 + at.hour) * 60 + at.minute) * 60 + at.second;
  *microseconds = seconds * 1000000 + at.microsecond - at.offset_us;
  return true;
}

/**
 * Whether a value is a timedelta of up to 292,000 years, which 64 bits have room for. If it is, it is written, in
 * microseconds. (`as.timedelta` has all others, too.)
 */
static inline bool subpy_value_as_timedelta(const subpy_value *value, int64_t *microseconds) {
  if (value == NULL || value->kind != SUBPY_TIMEDELTA || value->as.timedelta.days > 106751990 ||
      value->as.timedelta.days < -106751991) {
    return false;
  }
  *microseconds = (SUBPY_CAST(int64_t, value->as.timedelta.days) * 86400 +
                   value->as.timedelta.seconds) *
                      1000000 +
                  value->as.timedelta.microseconds;
  return true;
}

/** The 16 bytes of a UUID, the highest one first. NULL for any other value. */
static inline const uint8_t *subpy_value_uuid(const subpy_value *value) {
  return value != NULL && value->kind == SUBPY_UUID ? value->as.uuid : NULL;
}

/**
 * The queue that a value is. It belongs to the value: subpy_queue_retain() keeps it beyond that. NULL for any other value.
 */
static inline subpy_queue *subpy_value_queue(const subpy_value *value) {
  return value != NULL && value->kind == SUBPY_QUEUE ? value->as.queue : NULL;
}

/**
 * The object that a value is: a ::subpy_object. It belongs to the value: subpy_object_retain() keeps it beyond that. 0 for any
 * other value.
 */
static inline uint64_t subpy_value_object(const subpy_value *value) {
  return value != NULL && value->kind == SUBPY_OBJECT ? value->as.object : 0;
}

#undef SUBPY_CAST

/* Data ----------------------------------------------------------------------------------------------
 *
 * Values get names in an interpreter, are read from it, and are computed in it. Any other data stays
 * in Python. */

/**
 * A flag. An int past 64 bits becomes a #SUBPY_BIG_INT, and a str with lone surrogates a #SUBPY_WTF8. Without
 * the flag they are #SUBPY_ERR_NOT_SHAREABLE.
 */
#define SUBPY_LOSSLESS_TEXT 1

/**
 * A flag. `bytes` become a #SUBPY_BUFFER, without a copy. Without the flag they are copied.
 */
#define SUBPY_PIN_BYTES 2

/**
 * A flag. Memory whose items are not in C's order without gaps comes out, too, with
 * subpy_buffer_info::strides set. Without the flag it is #SUBPY_ERR_NOT_SHAREABLE.
 */
#define SUBPY_STRIDED 4

/**
 * A flag. What stands for plain data becomes that: a member of an `enum.Enum` its value, a dataclass a dict of its
 * fields, an `os.PathLike` its path (a str or bytes), a scalar of numpy the Python object of its `item()`, and any other
 * number an int by its `__index__`, else a float by its `__float__`. Each may run code of the script's. Without the flag
 * they are #SUBPY_ERR_NOT_SHAREABLE, save what comes out by its base class.
 */
#define SUBPY_CONVERT 8

/**
 * A flag: what is no plain data stays in Python, and comes as a #SUBPY_OBJECT. Else it is #SUBPY_ERR_NOT_SHAREABLE. So it is
 * with an int past 64 bits and a str with lone surrogates without #SUBPY_LOSSLESS_TEXT, and with memory that can't be
 * shared. A result that contains itself, or is nested too deep, stays as a whole.
 */
#define SUBPY_KEEP_OBJECTS 16

/**
 * How a value is set, read, or computed. Start from #SUBPY_CALL_OPTIONS_INIT.
 */
typedef struct subpy_call_options {
  /**
   * `sizeof(subpy_call_options)`.
   */
  size_t struct_size;
  /**
   * How a result becomes a value: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, #SUBPY_CONVERT, #SUBPY_KEEP_OBJECTS, or
   * several of them. 0 (the default): none. subpy_set_with() has no result: it has to be 0 there.
   */
  uint32_t flags;
  /**
   * Has to be 0.
   */
  uint32_t reserved;
  /**
   * A dict of keyword arguments, for subpy_call_with(). NULL (the default): there are none. It has to be
   * NULL for the other calls.
   */
  const subpy_value *keywords;
  /**
   * The file name, the limit on the time, and the wait, as for subpy_run_string_with(). NULL (the default): the
   * defaults.
   */
  const subpy_run_options *run;
} subpy_call_options;

/** The defaults of a ::subpy_call_options. */
#define SUBPY_CALL_OPTIONS_INIT                                                                    \
  { sizeof(subpy_call_options), 0, 0, NULL, NULL }

/**
 * Gives a value a name in an interpreter's `__main__`: subpy_set_with() with the defaults.
 *
 * @param id    The interpreter.
 * @param name  The name: UTF-8, an identifier.
 * @param value The value. The library copies it, save the memory of its buffers, and does not keep it.
 * @param error NULL, or where the error goes.
 * @return As subpy_set_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_set(subpy_id id, const char *name, const subpy_value *value, subpy_error **error);

/**
 * Gives a value a name in an interpreter's `__main__`.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param name    The name: UTF-8, an identifier.
 * @param value   The value. The library copies it, save the memory of its buffers, and does not keep it.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be a name, or a wrong value: an
 *         unknown kind, NULL with a length, a length past all limits, text that is not UTF-8, a key or an item
 *         of a set that is not hashable, a date or a time that there is not, a decimal that is no number, or a
 *         buffer that is described wrong. The message says where it is in the value:
 *         `value[1]["a"]`;
 *         #SUBPY_ERR_NOT_SHAREABLE for a value that is nested more than #SUBPY_MAX_DEPTH deep, or contains
 *         itself;
 *         and as subpy_run_string_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: `Interpreter.prepare_main()` of PEP 734.
 */
subpy_status subpy_set_with(subpy_id id,
                            const subpy_call_options *options,
                            const char *name,
                            const subpy_value *value,
                            subpy_error **error);

/**
 * Reads the value that a name has in an interpreter's `__main__`: subpy_get_with() with the defaults.
 *
 * @param id    The interpreter.
 * @param name  The name: UTF-8.
 * @param out   Where the value goes; clear it with subpy_value_clear(). It is None if the call fails. The value
 *              that was there before is not cleared.
 * @param error NULL, or where the error goes.
 * @return As subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_get(subpy_id id, const char *name, subpy_value *out, subpy_error **error);

/**
 * Reads the value that a name has in an interpreter's `__main__`. The value is a copy, in one allocation. Buffers
 * are not copied: they stay where Python has them.
 *
 * None, bool, int, float, complex, str, bytes, tuple, list, dict, set and frozenset become what they are; so do
 * datetime, date, time, timedelta, Decimal and UUID of Python's library. So do instances of their subclasses: a named
 * tuple is a tuple. #SUBPY_CONVERT asks for more. Other objects with the buffer protocol become a #SUBPY_BUFFER: bytearray, memoryview, array.array,
 * arrays of numpy. No other object has a form outside of its interpreter.
 *
 * As long as a value has a buffer of an interpreter, that interpreter can't be destroyed.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param name    The name: UTF-8.
 * @param out     Where the value goes; clear it with subpy_value_clear(). It is None if the call fails. The
 *                value that was there before is not cleared.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a name that is not
 *         in `__main__` (evaluate the names of builtins instead);
 *         #SUBPY_ERR_NOT_SHAREABLE for an object that has no form outside of its interpreter, an int past 64
 *         bits, a str with lone surrogates, and a value that is nested more than #SUBPY_MAX_DEPTH deep or
 *         contains itself. The message says where it is in the value: `result["a"][3]`;
 *         #SUBPY_ERR_NO_MEMORY;
 *         and as subpy_run_string_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: subpy's own.
 */
subpy_status subpy_get_with(subpy_id id,
                            const subpy_call_options *options,
                            const char *name,
                            subpy_value *out,
                            subpy_error **error);

/**
 * Evaluates an expression in an interpreter's `__main__`: subpy_eval_with() with the defaults.
 *
 * @param id         The interpreter.
 * @param expression The expression: UTF-8, ends in a NUL. The library does not keep it.
 * @param out        Where its value goes; clear it with subpy_value_clear(). It is None if the call fails. The
 *                   value that was there before is not cleared. NULL: the value is thrown away.
 * @param error      NULL, or where the error goes.
 * @return As subpy_eval_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_eval(subpy_id id, const char *expression, subpy_value *out, subpy_error **error);

/**
 * Evaluates an expression in an interpreter's `__main__`. The compiled code is kept, as that of
 * subpy_run_string_with() is.
 *
 * @param id         The interpreter.
 * @param options    NULL for the defaults.
 * @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
 * @param length     The length of the expression, in bytes.
 * @param out        Where its value goes; clear it with subpy_value_clear(). It is None if the call fails. The
 *                   value that was there before is not cleared. NULL: the value is thrown away.
 * @param error      NULL, or where the error goes.
 * @return As subpy_run_string_with() for the evaluation, and as subpy_get_with() for the value.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: Python's `eval()`.
 */
subpy_status subpy_eval_with(subpy_id id,
                             const subpy_call_options *options,
                             const char *expression,
                             size_t length,
                             subpy_value *out,
                             subpy_error **error);

/**
 * Calls a function with positional arguments: subpy_call_with() with the defaults.
 *
 * @param id       The interpreter.
 * @param callable `name`, or `package.module:qualified.name`: UTF-8.
 * @param args     The arguments. The library does not keep them. May be NULL if `nargs` is 0.
 * @param nargs    The number of arguments.
 * @param out      Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The
 *                 value that was there before is not cleared. NULL: the result is thrown away.
 * @param error    NULL, or where the error goes.
 * @return As subpy_call_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_call(subpy_id id,
                        const char *callable,
                        const subpy_value *args,
                        size_t nargs,
                        subpy_value *out,
                        subpy_error **error);

/**
 * Calls a function, or another object that can be called.
 *
 * `name` is looked up in `__main__`, at each call. `package.module:qualified.name` is looked up in the module,
 * which is imported if it is not imported yet. `__main__:thing.method` stands for a dotted name in `__main__`. An
 * `async def` function returns a coroutine: it is run to its end, as `asyncio.run()` does, and its result is the
 * result. It runs in an event loop of its own: the one that the script has set (`asyncio.set_event_loop()`) stays.
 *
 * @param id       The interpreter.
 * @param options  NULL for the defaults. subpy_call_options::keywords is taken as `args` are.
 * @param callable `name`, or `package.module:qualified.name`: UTF-8.
 * @param args     The arguments. The library does not keep them. May be NULL if `nargs` is 0.
 * @param nargs    The number of arguments.
 * @param out      Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The
 *                 value that was there before is not cleared. NULL: the result is thrown away.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be the name of a callable, an object
 *         that can't be called, or a wrong value (see subpy_set_with());
 *         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a module or a name
 *         that does not exist;
 *         and as subpy_run_string_with() for the call, and as subpy_get_with() for the result.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: `Interpreter.call()` of PEP 734.
 */
subpy_status subpy_call_with(subpy_id id,
                             const subpy_call_options *options,
                             const char *callable,
                             const subpy_value *args,
                             size_t nargs,
                             subpy_value *out,
                             subpy_error **error);

/**
 * Runs a program with names of the host's: subpy_run_string_unrestricted_with() with the defaults.
 *
 * @param id     The interpreter.
 * @param code   The program: UTF-8, ends in a NUL. The library does not keep it.
 * @param ns     A dict of names, which are added to `__main__` first. NULL: none.
 * @param ns_out Where the names go that are in `__main__` then; clear it with subpy_value_clear(). It is None if
 *               the call fails. The value that was there before is not cleared. NULL: the names are thrown away.
 * @param error  NULL, or where the error goes.
 * @return As subpy_run_string_unrestricted_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_run_string_unrestricted(subpy_id id,
                                           const char *code,
                                           const subpy_value *ns,
                                           subpy_value *ns_out,
                                           subpy_error **error);

/**
 * Runs a program in an interpreter's `__main__`, after adding names of the host's, and hands back the names that
 * are there then.
 *
 * Names that start with `__` stay as they are in `__main__`, and don't come back. A name does not come back
 * either if its value, or something in it, has no form outside of the interpreter: modules and functions, for
 * example.
 *
 * @param id      The interpreter.
 * @param options NULL for the defaults.
 * @param code    The program: UTF-8, without NUL characters. The library does not keep it.
 * @param length  The length of the program, in bytes.
 * @param ns      A dict of names, which are added to `__main__` first. NULL: none.
 * @param ns_out  Where the names go that are in `__main__` then; clear it with subpy_value_clear(). It is None
 *                if the call fails. The value that was there before is not cleared. NULL: the names are thrown
 *                away.
 * @param error   NULL, or where the error goes.
 * @return As subpy_run_string_with() for the run, and as subpy_set_with() for `ns`.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: `_interpreters.run_string_unrestricted()`.
 */
subpy_status subpy_run_string_unrestricted_with(subpy_id id,
                                                const subpy_call_options *options,
                                                const char *code,
                                                size_t length,
                                                const subpy_value *ns,
                                                subpy_value *ns_out,
                                                subpy_error **error);

/* Host functions ------------------------------------------------------------------------------------
 *
 * A script calls functions of the host as it calls those of Python. The host defines them in a module
 * of one interpreter, or of all that are created later. */

/**
 * One call of a host function. subpy_host_return() or subpy_host_raise() answers it. It is valid until the function
 * returns, in the thread that the function was called in.
 */
typedef struct subpy_host_call subpy_host_call;

/**
 * A function of the host's, which a script calls.
 *
 * @param user  What subpy_define_function() got.
 * @param call  The call, to answer it. The last answer counts. Without one the answer is None.
 * @param args  The positional arguments. The library owns them, and they are valid until the function returns.
 *              Not NULL where `nargs` is not 0.
 * @param nargs The number of arguments.
 *
 * The library calls it in the thread that runs the script, or in a Python thread of the script. The
 * interpreter's GIL is held, unless subpy_function_options::release_gil is set. With that it may be called in
 * several threads at once. A function that holds the GIL should not wait: what it waits for may need the
 * interpreter, or another one that shares the GIL. It may call subpy, also for its own interpreter, but not to destroy
 * that: see subpy_run_string_with(). In a Python thread of the script its own interpreter is #SUBPY_ERR_BUSY while
 * it runs, unless the call waits for its turn. With #SUBPY_BACKEND_LOCAL, and without `release_gil`, the thread state of its
 * interpreter is attached: the function may use CPython's own API for that interpreter, from `Python.h`, and libraries over it,
 * such as pybind11. It leaves no exception set, and no other thread state attached. Where the thread's stack is small, or a
 * fiber's, it is called on another one: see "Stacks" above. It must not
 * leave by an exception or by longjmp().
 */
typedef void (*subpy_host_fn)(void *user, struct subpy_host_call *call, const subpy_value *args, size_t nargs);

/**
 * How a function is defined. Start from #SUBPY_FUNCTION_OPTIONS_INIT. The library copies the strings.
 */
typedef struct subpy_function_options {
  /**
   * `sizeof(subpy_function_options)`.
   */
  size_t struct_size;
  /**
   * The function's `__doc__`, which `help()` shows. NULL (the default): none.
   */
  const char *doc;
  /**
   * The function's parameters, as Python writes them: "(level, text, *, end='\\n')". `help()` and
   * `inspect.signature()` show them. They are not checked: the function gets what the script passes. NULL
   * (the default): "(*args, **kwargs)".
   */
  const char *signature;
  /**
   * 1: the GIL is released while the function works, so other Python threads of the interpreter run
   * meanwhile. 0 (the default): it is held.
   */
  uint32_t release_gil;
  /**
   * How arguments become values: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, #SUBPY_CONVERT, #SUBPY_KEEP_OBJECTS, or
   * several of them. 0 (the default): none. An argument that can't become a value is a TypeError in the script, and
   * the function is not called then.
   */
  uint32_t flags;
} subpy_function_options;

/** The defaults of a ::subpy_function_options. */
#define SUBPY_FUNCTION_OPTIONS_INIT                                                                \
  { sizeof(subpy_function_options), NULL, NULL, 0, 0 }

/**
 * Defines a function of the host's in a module of an interpreter: subpy_define_function_with() with the defaults.
 *
 * @param id     The interpreter, or #SUBPY_EVERYWHERE.
 * @param module The module: UTF-8, "host" or "app.host".
 * @param name   The function's name in it: UTF-8.
 * @param fn     The function.
 * @param user   Handed to it. The library does not touch it.
 * @param drop   Called once with `user`, whatever becomes of this call. NULL: nothing is called.
 * @param error  NULL, or where the error goes.
 * @return As subpy_define_function_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_define_function(subpy_id id,
                                   const char *module,
                                   const char *name,
                                   subpy_host_fn fn,
                                   void *user,
                                   subpy_drop_fn drop,
                                   subpy_error **error);

/**
 * Defines a function of the host's in a module of an interpreter. The module is imported, or made if there is none
 * of that name. Scripts import it as any other module. A function of that name that is there already is replaced.
 *
 * With #SUBPY_EVERYWHERE, each interpreter that is created from now on gets the function when it is created, until
 * the last subpy_finalize(). If a module that is imported for it raises an exception, the creation fails with that.
 *
 * The library calls `drop` once, without a GIL, when the function can't be called any more:
 *  - when Python has let go of it, because it was replaced and no script holds it, in the thread that let go;
 *  - when its interpreter is destroyed, in the thread that destroys it;
 *  - for a function that is defined everywhere: when one of the two holds for each interpreter, and the definition
 *    was replaced or subpy is finalized;
 *  - if this call fails, before it returns.
 *
 * `drop` may call subpy. The interpreter that is being destroyed is #SUBPY_ERR_BUSY for it.
 *
 * @param id      The interpreter, or #SUBPY_EVERYWHERE.
 * @param options NULL for the defaults.
 * @param module  The module: UTF-8, "host" or "app.host".
 * @param name    The function's name in it: UTF-8.
 * @param fn      The function.
 * @param user    Handed to it. The library does not touch it.
 * @param drop    Called once with `user`, whatever becomes of this call. NULL: nothing is called.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
 *         #SUBPY_ERR_EXCEPTION if the module exists, and raised an exception when it was imported;
 *         and as subpy_run_string_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: subpy's own.
 */
subpy_status subpy_define_function_with(subpy_id id,
                                        const subpy_function_options *options,
                                        const char *module,
                                        const char *name,
                                        subpy_host_fn fn,
                                        void *user,
                                        subpy_drop_fn drop,
                                        subpy_error **error);

/**
 * Answers a call with a value. The library copies it, save the memory of its buffers. A value that is wrong becomes
 * a ValueError or a TypeError in the script, which says where it is wrong.
 *
 * @param call  The call. NULL: nothing happens.
 * @param value The value. NULL stands for None.
 *
 * Threads: the one that the host function was called in.
 */
void subpy_host_return(subpy_host_call *call, const subpy_value *value);

/**
 * Answers a call with an exception.
 *
 * @param call    The call. NULL: nothing happens.
 * @param type    The type of the exception: "builtins.ValueError", "package.module.Oops" or, in short,
 *                "ValueError". The module is imported. For a type that does not exist, or that is not made of a
 *                message alone, the script gets a RuntimeError that says so. NULL stands for "RuntimeError". UTF-8.
 *                The library copies it.
 * @param message The argument of the exception. NULL stands for "". UTF-8. The library copies it.
 *
 * Threads: the one that the host function was called in.
 */
void subpy_host_raise(subpy_host_call *call, const char *type, const char *message);

/**
 * The keyword arguments of a call.
 *
 * @param call The call.
 * @return A dict, of length 0 if there are none. The call owns it. NULL for NULL.
 *
 * Threads: the one that the host function was called in.
 */
const subpy_value *subpy_host_keywords(subpy_host_call *call);

/**
 * The interpreter that makes a call.
 *
 * @param call The call.
 * @return The interpreter's id; -1 for NULL.
 *
 * Threads: the one that the host function was called in.
 */
subpy_id subpy_host_interpreter(subpy_host_call *call);

/**
 * The namespace that makes a call: that of the innermost function of the calling thread which is in a namespace or in
 * `__main__`. If there is none, that of the run.
 *
 * @param call The call.
 * @return The name: UTF-8. The call owns it. NULL for `__main__`, and for NULL.
 *
 * Threads: the one that the host function was called in.
 */
const char *subpy_host_namespace(subpy_host_call *call);

/* Objects -------------------------------------------------------------------------------------------
 *
 * What is no plain data stays in Python, and the host has a handle of it: callables, instances, modules,
 * iterators. A handle may be a value in a call to the object's own interpreter. */

/**
 * A handle of a Python object: a reference to it. 0 is none. A handle that was released, or whose interpreter is destroyed, is
 * stale: calls with it are #SUBPY_ERR_NOT_FOUND, and nothing else happens.
 *
 * A handle does not keep its interpreter from being destroyed. Its object lives until the last reference is released with
 * subpy_object_release().
 */
typedef uint64_t subpy_object;

/**
 * A handle of the object that a name has in an interpreter's `__main__`: subpy_get_object_with() with the defaults.
 *
 * @param id     The interpreter.
 * @param name   The name: UTF-8.
 * @param object Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
 * @param error  NULL, or where the error goes.
 * @return As subpy_get_object_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_get_object(subpy_id id, const char *name, subpy_object *object, subpy_error **error);

/**
 * A handle of the object that a name has.
 *
 * @param id      The interpreter.
 * @param options The namespace and the limits, as for subpy_run_string_with(). NULL for the defaults.
 * @param name    The name: UTF-8.
 * @param object  Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
 * @param error   NULL, or where the error goes.
 * @return As subpy_get_with(); but each object has a handle, so that none is #SUBPY_ERR_NOT_SHAREABLE.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's references.
 */
subpy_status subpy_get_object_with(subpy_id id,
                                   const subpy_run_options *options,
                                   const char *name,
                                   subpy_object *object,
                                   subpy_error **error);

/**
 * A handle of the object that an expression gives: subpy_eval_object_with() with the defaults.
 *
 * @param id         The interpreter.
 * @param expression The expression: UTF-8, ends in a NUL. The library does not keep it.
 * @param object     Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
 * @param error      NULL, or where the error goes.
 * @return As subpy_eval_object_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_eval_object(subpy_id id, const char *expression, subpy_object *object, subpy_error **error);

/**
 * A handle of the object that an expression gives.
 *
 * @param id         The interpreter.
 * @param options    The namespace and the limits, as for subpy_run_string_with(). NULL for the defaults.
 * @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
 * @param length     The length of the expression, in bytes.
 * @param object     Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
 * @param error      NULL, or where the error goes.
 * @return As subpy_run_string_with() for the evaluation.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: Python's `eval()`.
 */
subpy_status subpy_eval_object_with(subpy_id id,
                                    const subpy_run_options *options,
                                    const char *expression,
                                    size_t length,
                                    subpy_object *object,
                                    subpy_error **error);

/**
 * Compiles a program, for subpy_object_run(), which runs it in `__main__`. The limits are for compiling it.
 *
 * @param id      The interpreter.
 * @param options What tracebacks call it, and the limits, as for subpy_run_string_with(). NULL for the defaults.
 * @param code    The program: UTF-8, without NUL characters. The library does not keep it.
 * @param length  The length of the program, in bytes.
 * @param object  Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
 * @param error   NULL, or where the error goes.
 * @return As subpy_run_string_with(): #SUBPY_ERR_EXCEPTION if it can't be compiled.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: Python's `compile()`.
 */
subpy_status subpy_compile(subpy_id id,
                           const subpy_run_options *options,
                           const char *code,
                           size_t length,
                           subpy_object *object,
                           subpy_error **error);

/**
 * Calls an object with positional arguments: subpy_object_call_with() with the defaults.
 *
 * @param object The object.
 * @param args   The arguments. The library does not keep them. May be NULL if `nargs` is 0.
 * @param nargs  The number of arguments.
 * @param out    Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The value that was
 *               there before is not cleared. NULL: the result is thrown away.
 * @param error  NULL, or where the error goes.
 * @return As subpy_object_call_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 */
subpy_status subpy_object_call(subpy_object object,
                               const subpy_value *args,
                               size_t nargs,
                               subpy_value *out,
                               subpy_error **error);

/**
 * Calls an object. A coroutine is run to its end, as by subpy_call_with().
 *
 * @param object  The object.
 * @param options NULL for the defaults. subpy_call_options::keywords is taken as `args` are.
 * @param args    The arguments. The library does not keep them. May be NULL if `nargs` is 0.
 * @param nargs   The number of arguments.
 * @param out     Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The value that was
 *                there before is not cleared. NULL: the result is thrown away.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         #SUBPY_ERR_INVALID_ARGUMENT also for an object that can't be called, and for an argument that is an object of another
 *         interpreter;
 *         and as subpy_call_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_Call`.
 */
subpy_status subpy_object_call_with(subpy_object object,
                                    const subpy_call_options *options,
                                    const subpy_value *args,
                                    size_t nargs,
                                    subpy_value *out,
                                    subpy_error **error);

/**
 * Calls a method of an object. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
 *
 * @param object The object.
 * @param name   The method: UTF-8.
 * @param args   The arguments. The library does not keep them. May be NULL if `nargs` is 0.
 * @param nargs  The number of arguments.
 * @param out    Where the result goes; clear it with subpy_value_clear(). It is None if the call fails.
 * @param error  NULL, or where the error goes.
 * @return As subpy_object_call_with(); #SUBPY_ERR_EXCEPTION if there is no such method.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_CallMethod`.
 */
subpy_status subpy_object_call_method(subpy_object object,
                                      const char *name,
                                      const subpy_value *args,
                                      size_t nargs,
                                      subpy_value *out,
                                      subpy_error **error);

/**
 * Reads an attribute of an object. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
 *
 * @param object    The object.
 * @param attribute The attribute's name: UTF-8.
 * @param out       Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
 * @param error     NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         #SUBPY_ERR_EXCEPTION if there is no such attribute;
 *         and as subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_GetAttr`.
 */
subpy_status subpy_object_get(subpy_object object,
                              const char *attribute,
                              subpy_value *out,
                              subpy_error **error);

/**
 * Sets an attribute of an object.
 *
 * @param object    The object.
 * @param attribute The attribute's name: UTF-8.
 * @param value     The value. The library copies it, save the memory of its buffers, and does not keep it.
 * @param error     NULL, or where the error goes.
 * @return As subpy_object_get(), and as subpy_set_with() for the value.
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_SetAttr`.
 */
subpy_status subpy_object_set(subpy_object object,
                              const char *attribute,
                              const subpy_value *value,
                              subpy_error **error);

/**
 * Reads what an object has at a key or an index. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
 *
 * @param object The object.
 * @param key    The key or the index.
 * @param out    Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         #SUBPY_ERR_EXCEPTION if there is nothing: a KeyError, an IndexError;
 *         and as subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_GetItem`.
 */
subpy_status subpy_object_item(subpy_object object,
                               const subpy_value *key,
                               subpy_value *out,
                               subpy_error **error);

/**
 * The next item of an iterator. (Of a list it is `__iter__` that gives one: subpy_object_call_method().) What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
 *
 * @param iterator The iterator.
 * @param out      Where the item goes; clear it with subpy_value_clear(). It is None if there is no more, and if the call fails.
 * @param done     Where true goes if there is no more, else false.
 * @param error    NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         #SUBPY_ERR_INVALID_ARGUMENT also for an object that is no iterator;
 *         and as subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyIter_Next`.
 */
subpy_status subpy_object_next(subpy_object iterator,
                               subpy_value *out,
                               bool *done,
                               subpy_error **error);

/**
 * The value of an object, as plain data.
 *
 * @param object The object.
 * @param flags  As subpy_call_options::flags.
 * @param out    Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         and as subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: subpy's own.
 */
subpy_status subpy_object_value(subpy_object object, uint32_t flags, subpy_value *out, subpy_error **error);

/**
 * The `str()` of an object.
 *
 * @param object The object.
 * @param out    Where it goes, a #SUBPY_STR; clear it with subpy_value_clear(). It is None if the call fails.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         and as subpy_get_with().
 *
 * Threads: any. A GIL that the calling thread holds is released meanwhile.
 *
 * Source: CPython's `PyObject_Str`.
 */
subpy_status subpy_object_text(subpy_object object, subpy_value *out, subpy_error **error);

/**
 * Runs a program of subpy_compile() in its interpreter's `__main__`.
 *
 * @param code  The code.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_ERR_NOT_FOUND for a stale handle;
 *         #SUBPY_ERR_INVALID_ARGUMENT for an object that is no code;
 *         and as subpy_run_string_with().
 *
 * Threads: as for subpy_run_string_with().
 *
 * Source: CPython's `PyEval_EvalCode`.
 */
subpy_status subpy_object_run(subpy_object code, subpy_error **error);

/**
 * One more reference to an object. It never waits.
 *
 * @param object The object. One that is stale or 0 stays what it is.
 * @return `object`.
 *
 * Threads: any, at any time, with or without a GIL.
 */
subpy_object subpy_object_retain(subpy_object object);

/**
 * Gives a reference back. With the last one the handle is stale, and the object goes when its interpreter does something next;
 * where more than 1,000 wait for that and nothing runs, a thread of the library lets them go. It never waits.
 *
 * What scripts have written for the end of objects (`__del__`) runs then. The limits of the call that comes next are not for that:
 * it has a second of its own, and is told to end then. A call that comes while the thread of the library is at it waits for
 * that; but where it has called the host, and that has not returned for two seconds, the interpreter is #SUBPY_ERR_BUSY.
 *
 * @param object The object. One that is stale or 0 stays what it is.
 *
 * Threads: any, at any time, with or without a GIL; also after subpy_finalize().
 */
void subpy_object_release(subpy_object object);

/**
 * The interpreter of an object.
 *
 * @param object The object.
 * @return Its id; -1 for a stale handle.
 *
 * Threads: any, at any time.
 */
subpy_id subpy_object_interpreter(subpy_object object);

/* Staying -------------------------------------------------------------------------------------------
 *
 * A thread may keep an interpreter between its calls, which cost less then. */

/**
 * How a thread enters an interpreter. Start from #SUBPY_ENTER_OPTIONS_INIT.
 */
typedef struct subpy_enter_options {
  /**
   * `sizeof(subpy_enter_options)`.
   */
  size_t struct_size;
  /**
   * How long the call waits for its turn, in milliseconds, as subpy_run_options::wait_ms says. 0 (the default): not at all.
   */
  uint64_t wait_ms;
} subpy_enter_options;

/** The defaults of a ::subpy_enter_options. */
#define SUBPY_ENTER_OPTIONS_INIT                                                                   \
  { sizeof(subpy_enter_options), 0 }

/**
 * The calling thread enters an interpreter, and stays in it until subpy_leave(). Each call that it makes meanwhile costs
 * less: the interpreter is the thread's already. Calls nest: a thread leaves as often as it has entered.
 *
 * - With #SUBPY_BACKEND_LOCAL the thread holds the interpreter's GIL while it stays, in its own code, too. So the Python
 *   threads of the scripts wait: stay for microseconds. The thread may use `Python.h`, as a function of the host's may (see
 *   docs/python-api.md). An interpreter that shares its GIL can't be entered.
 * - With #SUBPY_BACKEND_PROCESS the scripts' threads go on, and calls save less.
 *
 * For all other threads the interpreter is running meanwhile: their calls are #SUBPY_ERR_BUSY, or wait
 * (subpy_run_options::wait_ms). Each call of the thread's is a run of its own, with its own limits, and subpy_interrupt() ends
 * that. Between two calls there is nothing to interrupt. subpy_destroy(), subpy_stop_threads() and subpy_thread_names() are
 * #SUBPY_ERR_BUSY until the thread has left. A thread may enter several interpreters: it holds the GIL of the
 * one that it has entered last, and leaves them in the reverse order. It may call any interpreter. It must not end
 * before it has left: nobody else can leave for it. It can't be cancelled (`pthread_cancel`) while it stays in an
 * interpreter of #SUBPY_BACKEND_LOCAL.
 *
 * @param id      The interpreter.
 * @param options NULL (#SUBPY_ENTER_OPTIONS_INIT).
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a struct of options that is none;
 *         #SUBPY_ERR_UNSUPPORTED for an interpreter that shares its GIL: with #SUBPY_GIL_SHARED, the main interpreter, and
 *         each one below Python 3.12;
 *         #SUBPY_ERR_NOT_PERMITTED in a function of the host's that a script has called, whatever interpreter that is of (calls
 *         of the script's own are inside of it anyway), for a thread that holds a GIL by itself, and for the main interpreter
 *         without `allow_main`;
 *         #SUBPY_ERR_BUSY, #SUBPY_ERR_INTERRUPTED, #SUBPY_ERR_NOT_FOUND, #SUBPY_ERR_LOST, #SUBPY_ERR_NO_MEMORY and
 *         #SUBPY_ERR_NOT_INITIALIZED as for subpy_run_string_with().
 *
 * Threads: any, save as above.
 */
subpy_status subpy_enter(subpy_id id,
                         const subpy_enter_options *options,
                         subpy_error **error);

/**
 * The calling thread leaves an interpreter that it has entered by subpy_enter().
 *
 * @param id    The interpreter.
 * @param error NULL, or where the error goes.
 * @return #SUBPY_OK, also if its process is lost;
 *         #SUBPY_ERR_NOT_PERMITTED if the thread has not entered it, or has left it;
 *         #SUBPY_ERR_BUSY in a function of the host's that it has called, if the thread has entered another one later and not
 *         left that (with #SUBPY_BACKEND_PROCESS it may), and if it has let go of the GIL by `Python.h` and not taken it back;
 *         #SUBPY_ERR_NOT_FOUND and #SUBPY_ERR_NOT_INITIALIZED as for subpy_run_string_with().
 *
 * Threads: the one that has entered.
 */
subpy_status subpy_leave(subpy_id id,
                         subpy_error **error);

/* Queues --------------------------------------------------------------------------------------------
 *
 * A queue carries values between threads of the host and interpreters, in order. Who waits for it holds
 * no GIL. */

/**
 * What a queue is like. Start from #SUBPY_QUEUE_CONFIG_INIT.
 */
typedef struct subpy_queue_config {
  /**
   * `sizeof(subpy_queue_config)`.
   */
  size_t struct_size;
  /**
   * How many items it holds at most. 0 (the default): any number.
   */
  size_t capacity;
} subpy_queue_config;

/** The defaults of a ::subpy_queue_config. */
#define SUBPY_QUEUE_CONFIG_INIT                                                                    \
  { sizeof(subpy_queue_config), 0 }

/**
 * Makes a queue. Values go in at one end and come out at the other, in order, in any thread of the host and in any
 * interpreter that the queue is given to.
 *
 * A queue is given to an interpreter as a value, which subpy_from_queue() makes. Scripts see an object with the methods
 * `put(obj, block=True, timeout=None)`, `get(block=True, timeout=None)`, `put_nowait`, `get_nowait`, `close`, `qsize`,
 * `empty` and `full`, and can iterate over it. docs/scripting.md says more.
 *
 * @param config NULL for the defaults.
 * @param queue  Where the queue goes, which subpy_queue_free() frees. It is NULL if the call fails.
 * @param error  NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, or NULL for `queue`.
 *
 * Threads: any, at any time; also before subpy_initialize().
 */
subpy_status subpy_queue_create(const subpy_queue_config *config, subpy_queue **queue, subpy_error **error);

/**
 * Puts a copy of a value into a queue. Buffers are shared: the queue, and then who gets the item, keeps the memory until
 * it is not needed any more. (With #SUBPY_BACKEND_PROCESS who gets the item gets a copy of the memory. If its process ends
 * before it has the item, that is the next one again.)
 *
 * @param queue   The queue.
 * @param value   The value. What it lends is given back as each call does it.
 * @param wait_ms How long to wait for room, in milliseconds. 0: not at all. #SUBPY_FOREVER: until there is some.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL, or a value that is wrong;
 *         #SUBPY_ERR_BUSY if the queue is still full when the time is over;
 *         #SUBPY_ERR_NOT_FOUND if the queue is closed;
 *         #SUBPY_ERR_INTERRUPTED if a script has called the host, in whose function this waits, and its run is to end;
 *         #SUBPY_ERR_NO_MEMORY.
 *
 * Threads: any, several at once. A GIL that the calling thread holds is released while it waits.
 */
subpy_status subpy_queue_put(subpy_queue *queue,
                             const subpy_value *value,
                             uint64_t wait_ms,
                             subpy_error **error);

/**
 * Takes the next item out of a queue.
 *
 * @param queue   The queue.
 * @param value   Where the item goes; to be freed by subpy_value_clear(). It is None if the call fails.
 * @param wait_ms How long to wait for an item, in milliseconds. 0: not at all. #SUBPY_FOREVER: until there is one.
 * @param error   NULL, or where the error goes.
 * @return #SUBPY_OK;
 *         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
 *         #SUBPY_ERR_BUSY if the queue is still empty when the time is over;
 *         #SUBPY_ERR_NOT_FOUND if the queue is closed and has no item left, or for an item of a script's queue whose
 *         interpreter has ended;
 *         #SUBPY_ERR_NOT_SHAREABLE if a script has made the queue, and the next item is no plain data. It stays there;
 *         #SUBPY_ERR_INTERRUPTED as for subpy_queue_put().
 *
 * Threads: as for subpy_queue_put().
 */
subpy_status subpy_queue_get(subpy_queue *queue, subpy_value *value, uint64_t wait_ms, subpy_error **error);

/**
 * How many items there are in a queue. The answer may be old by the time it arrives.
 *
 * @param queue The queue, or NULL.
 * @return The number; 0 for NULL.
 *
 * Threads: any. The call waits for nothing.
 */
size_t subpy_queue_length(const subpy_queue *queue);

/**
 * Closes a queue: nothing can be put any more. The items that are there can still be got. Who waits is told. Nothing
 * happens to one that is closed.
 *
 * @param queue The queue, or NULL.
 *
 * Threads: any. The call waits for nothing.
 */
void subpy_queue_close(subpy_queue *queue);

/**
 * Keeps a queue that a value has, beyond the life of the value.
 *
 * @param queue The queue, of subpy_value_queue() for one; or NULL.
 * @return The same, to be freed once more by subpy_queue_free().
 *
 * Threads: any, at any time.
 */
subpy_queue *subpy_queue_retain(const subpy_queue *queue);

/**
 * Frees the host's hold on a queue. The queue lives on as long as a script, a value or an item of a queue has it. Then
 * its items go, and what they lend is given back.
 *
 * @param queue The queue, or NULL.
 *
 * Threads: any, at any time. It may wait for the GIL of an interpreter of which an item has a buffer.
 */
void subpy_queue_free(subpy_queue *queue);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SUBPY_H */
