//! Creating, finding and destroying interpreters.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use subpy_core::{
    Backend, Budget, CacheLimits, Error, Gil, Id, Input, Interpreter, InterpreterConfig, Output,
    growable, runtime,
};

use crate::arguments::{User, flag, invalid, list, out, read, reserved, strings};
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};

/// An interpreter. 0 is the main one. An id is never given out twice in a process, and is never negative.
pub type subpy_id = i64;

/// `SUBPY_EVERYWHERE`.
pub(crate) const EVERYWHERE: subpy_id = subpy_id::MIN;

/// What stands behind an interpreter: the values of subpy_interpreter_config::backend.
#[repr(C)]
pub enum subpy_backend {
    /// An interpreter of CPython's in this process.
    SUBPY_BACKEND_LOCAL = 0,
    /// A process of its own: nothing that a script does there can end the host. See "Backends" above.
    SUBPY_BACKEND_PROCESS = 1,
}

/// Whose GIL an interpreter uses: the values of subpy_interpreter_config::gil.
#[repr(C)]
pub enum subpy_gil {
    /// Its own where Python has that (3.12 and later), else the shared one.
    SUBPY_GIL_DEFAULT = 0,
    /// Its own. The interpreter runs in parallel with all others. #SUBPY_ERR_UNSUPPORTED below Python 3.12.
    SUBPY_GIL_OWN = 1,
    /// The main interpreter's. The interpreter takes turns with others that share it. Extension modules that
    /// know nothing of subinterpreters are not refused by CPython; some refuse it themselves, or accept one
    /// interpreter of a process. docs/packages.md has what a hundred packages do.
    SUBPY_GIL_SHARED = 2,
}

/// A function of the host's, which receives text that a script wrote to sys.stdout or sys.stderr.
///
/// @param user   subpy_interpreter_config::output_user.
/// @param text   UTF-8, never split inside of a character; any bytes with subpy_interpreter_config::output_bytes.
///               It does not end in a NUL. It is valid during the call.
/// @param length The length of the text, in bytes. Never 0.
///
/// The library calls it in the thread that wrote, which holds neither a GIL nor a lock of subpy then. It is
/// never called twice at once for one stream of an interpreter. Text comes line by line; the rest comes when the
/// script flushes the stream, or when the run ends. The function may call subpy, also for its own interpreter, but not
/// to destroy that: see subpy_run_string_with(). What is written there comes when the function has returned. It must not
/// leave by an exception or by longjmp().
pub type subpy_write_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, text: *const c_char, length: usize)>;

/// A function of the host's, which gives what a script reads from sys.stdin.
///
/// @param user   subpy_interpreter_config::stdin_user.
/// @param buffer Where it goes: UTF-8, unless the script reads `sys.stdin.buffer`, which takes any bytes.
/// @param length How much there is room for, in bytes. Never 0.
/// @return How many bytes it has written, `length` at most. 0: there is no more (the end of the file).
///
/// The library calls it in the thread that reads, which holds neither a GIL nor a lock of subpy then. It is never called twice
/// at once for one interpreter. It may wait, and a time limit of the run does not end that. The function may call subpy, as a
/// ::subpy_write_fn may. It must not leave by an exception or by longjmp().
pub type subpy_read_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut c_char, length: usize) -> usize>;

/// What an interpreter is like. Start from #SUBPY_INTERPRETER_CONFIG_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_interpreter_config {
    /// `sizeof(subpy_interpreter_config)`.
    pub struct_size: usize,
    /// One of ::subpy_backend. The default is #SUBPY_BACKEND_LOCAL.
    pub backend: u32,
    /// One of ::subpy_gil. The default is #SUBPY_GIL_DEFAULT.
    pub gil: u32,
    /// 1: `os.fork()` is not refused. 0 (the default): it raises RuntimeError. Below Python 3.12 it is never
    /// refused. (Python ends the child of a fork outside of the main interpreter with exit code 1.
    /// `subprocess` works: it needs no fork of this kind.) With #SUBPY_BACKEND_PROCESS the child runs on, and this is also
    /// for `os.forkpty()` and a `preexec_fn`, which #SUBPY_BACKEND_LOCAL never allows.
    pub allow_fork: u32,
    /// 1: `os.execv()` works. 0 (the default): it raises RuntimeError. Below Python 3.12 it always works.
    pub allow_exec: u32,
    /// 1 (the default): scripts may start threads. 0: they can't; #SUBPY_ERR_UNSUPPORTED below Python 3.12.
    pub allow_threads: u32,
    /// 1 (the default): the threads of scripts may be daemon threads, which servers and pools of the standard library
    /// need. They are no different at the end: an interpreter is not destroyed beside them, unless
    /// subpy_destroy_options::stop_threads is set. 0: they can't be. Below Python 3.12 they always can. Without
    /// `allow_threads` there are none.
    pub allow_daemon_threads: u32,
    /// Receives what scripts write to `sys.stdout`. NULL (the default): the process's stdout does.
    /// If that is closed when the interpreter is created, `sys.stdout` is None, and print() does nothing.
    pub stdout_fn: subpy_write_fn,
    /// Receives what scripts write to `sys.stderr`. NULL (the default): the process's stderr does,
    /// or nothing, as above.
    pub stderr_fn: subpy_write_fn,
    /// Handed to both. The library does not touch it. It has to live until the interpreter is destroyed.
    pub output_user: *mut c_void,
    /// How many strings' compiled code is kept, so that a string that runs again is not compiled again. The
    /// default is 256. 0: none. The code that was not used for the longest time goes first. Code that is kept
    /// does what code that is compiled again does, save that a SyntaxWarning is shown once. Tracebacks show lines of
    /// the strings that are kept, and scripts find those by `linecache` and `inspect.getsource()`.
    pub code_cache_entries: usize,
    /// How large the sources of kept code may be together, in bytes. The default is 4 MiB. 0: none is kept. The
    /// code itself takes some ten times as much.
    pub code_cache_bytes: usize,
    /// How much memory the interpreter may take, in bytes. 0 (the default): as much as there is. At the limit
    /// a script gets a MemoryError, which it can catch. It needs subpy_runtime_config::account_memory.
    pub memory_limit: u64,
    /// 0 (the default): the interpreter has an environment of its own, a copy of the process's as it is when the
    /// interpreter is created. `os.environ`, and the programs that its scripts start, go by that one. C code that
    /// asks getenv() sees the process's, and `time.tzset()` to a time zone other than the process's raises
    /// RuntimeError. 1: its environment is the process's, and what a script changes there is changed for all.
    /// Other scripts may read it meanwhile. C code of the host that changes it meanwhile is the host's to guard.
    pub share_environment: u32,
    /// 0 (the default): `stdout_fn` and `stderr_fn` receive UTF-8. A script that writes other bytes to
    /// `sys.stdout.buffer` gets a ValueError. A last character that is not whole when the interpreter is destroyed
    /// comes as U+FFFD. 1: they receive all bytes as they are, in pieces that may end inside of a character.
    pub output_bytes: u32,
    /// 1: scripts may create interpreters, and run code in them: they have the package `subpy`, which docs/scripting.md
    /// describes. What a script creates belongs to its interpreter: it is what that is, or less, has its limits, writes to
    /// its `stdout_fn` and `stderr_fn`, imports from where it does, and ends with it, unless subpy_take_over() is called. It may
    /// have a process of its own; with #SUBPY_BACKEND_PROCESS it has.
    /// 0 (the default): they have no such package. 2: as 1, but they know all interpreters of the process, and not only those
    /// that scripts of their family have created: they may list them, and ask whether they run.
    pub allow_interpreters: u32,
    /// How many interpreters there may be at once that scripts have created, with those that the scripts of these have
    /// created. 0 (the default) stands for 16. What is past that is a RuntimeError in the script.
    pub interpreter_limit: u32,
    /// How much CPU time each run may use, in milliseconds: that of the thread that runs, in functions of the host's too,
    /// and of the threads that scripts have started. 0 (the default): as much as it likes. Past it the script gets a
    /// KeyboardInterrupt at each safe point until it has ended, and its run returns #SUBPY_ERR_LIMIT. Code that is written to
    /// resist even that, and code in C that never looks, go on. Below Python 3.12 it gets the exception every 10 ms.
    pub cpu_limit_ms: u64,
    /// How much each run may write to `sys.stdout` and `sys.stderr` together, in bytes. 0 (the default): as much as it
    /// likes. What would go past it is not written: the script gets a KeyboardInterrupt there, and goes on as past
    /// `cpu_limit_ms`. What it writes otherwise, by `os.write()` for one, does not count.
    pub output_limit: u64,
    /// How many threads its scripts may have at once. 0 (the default): as many as the system allows. To start one more
    /// raises RuntimeError, as where the system refuses one. For none, see `allow_threads`.
    pub thread_limit: u32,
    /// How deep scripts may let calls be nested. 0 (the default): as Python has it, and as `sys.setrecursionlimit()` changes
    /// that. Past it that function raises ValueError.
    pub recursion_limit: u32,
    /// With #SUBPY_BACKEND_PROCESS, 1: its process may leave a core file where it crashes, and debuggers may look into it. 0 (the
    /// default): neither, since what it has in memory is nobody else's, and a large file would keep the host waiting.
    pub core_dumps: u32,
    /// Has to be 0.
    pub reserved: u32,
    /// `sys.argv`: the name of a program, and its arguments. May be NULL if the count is 0 (the default): Python's own holds,
    /// [""].
    pub argv: *const *const c_char,
    /// How many of them there are.
    pub argc: usize,
    /// Directories or zip files. Each one has to exist. Imports search them in this order, before
    /// subpy_runtime_config::module_search_paths. A relative path is meant from the host's working directory at subpy_create().
    /// May be NULL if the count is 0.
    pub search_paths: *const *const c_char,
    /// How many paths there are.
    pub search_paths_count: usize,
    /// Gives what scripts read from `sys.stdin`. NULL (the default): the process's stdin does.
    pub stdin_fn: subpy_read_fn,
    /// Handed to `stdin_fn`. The library does not touch it. It has to live until the interpreter is destroyed.
    pub stdin_user: *mut c_void,
}

growable!(subpy_interpreter_config, "subpy_interpreter_config", 80, {
    backend: subpy_backend::SUBPY_BACKEND_LOCAL as u32,
    gil: subpy_gil::SUBPY_GIL_DEFAULT as u32,
    allow_fork: 0,
    allow_exec: 0,
    allow_threads: 1,
    allow_daemon_threads: 1,
    stdout_fn: None,
    stderr_fn: None,
    output_user: std::ptr::null_mut(),
    code_cache_entries: 256,
    code_cache_bytes: 4 << 20,
    memory_limit: 0,
    share_environment: 0,
    output_bytes: 0,
    allow_interpreters: 0,
    interpreter_limit: 0,
    cpu_limit_ms: 0,
    output_limit: 0,
    thread_limit: 0,
    recursion_limit: 0,
    core_dumps: 0,
    reserved: 0,
    argv: std::ptr::null(),
    argc: 0,
    search_paths: std::ptr::null(),
    search_paths_count: 0,
    stdin_fn: None,
    stdin_user: std::ptr::null_mut(),
});

/// # Safety
/// `config` is NULL or a valid struct; its functions may be called with its `output_user` and `stdin_user` from any
/// thread until the interpreter is destroyed.
unsafe fn interpreter_config(
    config: *const subpy_interpreter_config,
) -> Result<InterpreterConfig, Error> {
    // SAFETY: the caller's promise.
    let config = unsafe { read(config) }?;
    reserved(config.reserved)?;
    let backend = match config.backend {
        0 => Backend::Local,
        1 => Backend::Process,
        other => {
            return Err(invalid(format!(
                "backend is {other}, but has to be SUBPY_BACKEND_LOCAL or SUBPY_BACKEND_PROCESS"
            )));
        }
    };
    let gil = match config.gil {
        0 => Gil::Default,
        1 => Gil::Own,
        2 => Gil::Shared,
        other => {
            return Err(invalid(format!(
                "gil is {other}, but has to be SUBPY_GIL_DEFAULT, SUBPY_GIL_OWN or SUBPY_GIL_SHARED"
            )));
        }
    };
    // SAFETY: the arrays have that many strings, by the caller's promise.
    let (arguments, search_paths) = unsafe {
        let (paths, count) = (config.search_paths, config.search_paths_count);
        (
            strings(config.argv, config.argc, "argv", "argc")?,
            strings(paths, count, "search_paths", "search_paths_count")?,
        )
    };
    Ok(InterpreterConfig {
        backend,
        gil,
        allow_fork: flag(config.allow_fork, "allow_fork")?,
        allow_exec: flag(config.allow_exec, "allow_exec")?,
        allow_threads: flag(config.allow_threads, "allow_threads")?,
        allow_daemon_threads: flag(config.allow_daemon_threads, "allow_daemon_threads")?,
        stdout: output(config.stdout_fn, config.output_user),
        stderr: output(config.stderr_fn, config.output_user),
        code_cache: CacheLimits {
            entries: config.code_cache_entries,
            bytes: config.code_cache_bytes,
        },
        memory_limit: config.memory_limit,
        share_environment: flag(config.share_environment, "share_environment")?,
        output_bytes: flag(config.output_bytes, "output_bytes")?,
        allow_interpreters: match config.allow_interpreters {
            2 => true,
            other => flag(other, "allow_interpreters")?,
        },
        know_all_interpreters: config.allow_interpreters == 2,
        interpreter_limit: interpreter_limit(config.interpreter_limit),
        budget: budget(config.cpu_limit_ms, config.output_limit),
        thread_limit: config.thread_limit,
        recursion_limit: config.recursion_limit,
        core_dumps: flag(config.core_dumps, "core_dumps")?,
        arguments,
        search_paths,
        stdin: input(config.stdin_fn, config.stdin_user),
    })
}

/// What limits of C's stand for.
pub(crate) fn budget(cpu_limit_ms: u64, output_limit: u64) -> Budget {
    Budget {
        cpu: (cpu_limit_ms > 0).then(|| Duration::from_millis(cpu_limit_ms)),
        output: (output_limit > 0).then_some(output_limit),
    }
}

/// What a limit of C's stands for.
pub(crate) fn interpreter_limit(limit: u32) -> u32 {
    match limit {
        0 => InterpreterConfig::INTERPRETER_LIMIT,
        limit => limit,
    }
}

fn output(write: subpy_write_fn, user: *mut c_void) -> Option<Output> {
    let write = write?;
    let user = User(user);
    Some(Box::new(move |text: &[u8]| {
        // SAFETY: the host promised that `write` and `user` live as long as the interpreter.
        unsafe { write(user.get(), text.as_ptr().cast(), text.len()) }
    }))
}

fn input(read: subpy_read_fn, user: *mut c_void) -> Option<Input> {
    let read = read?;
    let user = User(user);
    Some(Box::new(move |room: &mut [u8]| {
        // SAFETY: as above; so much may be written to.
        unsafe { read(user.get(), room.as_mut_ptr().cast(), room.len()) }
    }))
}

/// How an interpreter is destroyed. Start from #SUBPY_DESTROY_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_destroy_options {
    /// `sizeof(subpy_destroy_options)`.
    pub struct_size: usize,
    /// How long to wait for the Python threads of the scripts to end, in milliseconds. 0 (the default): not at
    /// all. #SUBPY_FOREVER: until they have ended. It is no wait for a run: that, and a call that waits for its turn
    /// (subpy_run_options::wait_ms), is #SUBPY_ERR_BUSY at once.
    pub wait_ms: u64,
    /// 1: threads that are left then are asked to end, as subpy_stop_threads() does it, in the order in which Python ends: the
    /// ones that Python waits for have a second; then exit functions run; then daemon threads have a second. 0 (the
    /// default): they are not, and the destroy is #SUBPY_ERR_BUSY.
    pub stop_threads: u32,
    /// 1: with #SUBPY_BACKEND_PROCESS, the process is killed first, whatever runs there: nothing of it runs any more, and a call
    /// that waits for it returns #SUBPY_ERR_LOST. #SUBPY_ERR_UNSUPPORTED for other interpreters. 0 (the default): it is not.
    pub kill: u32,
}

growable!(subpy_destroy_options, "subpy_destroy_options", 16, {
    wait_ms: 0,
    stop_threads: 0,
    kill: 0,
});

/// Creates an interpreter. It stays idle until something runs in it.
///
/// @param config NULL for the defaults.
/// @param id     Where the id of the new interpreter goes. It is -1 if the call fails.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a `memory_limit` that an idle interpreter does not fit into, or NULL for `id`;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_UNSUPPORTED for #SUBPY_GIL_OWN (with #SUBPY_BACKEND_LOCAL) or `allow_threads = 0` below Python 3.12, and
///         for a `memory_limit` where memory is not counted; with #SUBPY_BACKEND_PROCESS also for `share_environment`, where its
///         program is not there or can't be executed (the message has its path), and for a module of `preload` that leaves a
///         Python thread behind;
///         #SUBPY_ERR_EXCEPTION or #SUBPY_ERR_EXIT if a module that a function is defined in everywhere, or one of `preload`,
///         raises an exception when it is imported;
///         #SUBPY_ERR_NO_MEMORY if there are no more processes, descriptors or memory for one;
///         #SUBPY_ERR_LOST if its process has ended before it was ready, or was not ready after a minute;
///         #SUBPY_ERR_INTERNAL if Python could not create it (the message says why).
///
/// Threads: any, several at once. A GIL that the calling thread holds is released meanwhile.
///
/// Source: `_interpreters.create()`; CPython's `Py_NewInterpreterFromConfig`, PEP 684.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_create(
    config: *const subpy_interpreter_config,
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error`, `id` and `config`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = -1;
            *id = Interpreter::create(interpreter_config(config)?)?.id().get();
            Ok(())
        })
    }
}

/// The main interpreter, in which code may run (subpy_runtime_config::allow_main), becomes like this: with callbacks for its
/// streams, limits, arguments. Until then it has none of these. It is done once.
///
/// @param config As for subpy_create(), save that `backend` has to be #SUBPY_BACKEND_LOCAL, `gil` not #SUBPY_GIL_OWN,
///               `allow_threads` and `allow_daemon_threads` 1, and `allow_interpreters` 0
///               (subpy_runtime_config::allow_interpreters says that). CPython lets its main interpreter fork and execute
///               programs, and its environment is the process's, whatever `allow_fork`, `allow_exec` and `share_environment`
///               say. Its callbacks may be called until subpy_finalize() has returned. NULL for the defaults.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, and a `memory_limit` that the idle interpreter does not fit into;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_PERMITTED without `allow_main`, and if it has a config already;
///         #SUBPY_ERR_BUSY if it runs;
///         #SUBPY_ERR_UNSUPPORTED for what the main interpreter can't be, where the host has started Python itself, and as for
///         subpy_create();
///         #SUBPY_ERR_EXCEPTION if Python has no memory for it.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: as subpy_create().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_configure_main(
    config: *const subpy_interpreter_config,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error` and `config`.
    unsafe {
        enter(error, || {
            runtime::configure_main(interpreter_config(config)?)
        })
    }
}

/// Finalizes an interpreter: subpy_destroy_with() with the defaults, so it waits for no thread.
///
/// @param id    The interpreter.
/// @param error NULL, or where the error goes.
/// @return As subpy_destroy_with().
///
/// Threads: as subpy_destroy_with().
///
/// Source: `_interpreters.destroy()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_destroy(id: subpy_id, error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(Id::new(id))?.destroy()) }
}

/// Finalizes an interpreter. Its `atexit` functions run, and its modules and objects go. From then on its id is
/// #SUBPY_ERR_NOT_FOUND.
///
/// Finalizers that raise, print or run code do so as at the end of any Python process. They can't start threads.
/// `atexit` functions may take 5 seconds, or subpy_destroy_options::wait_ms if that is more,
/// and finalizers may take as long again. What still runs then gets a KeyboardInterrupt. subpy_interrupt() works
/// before that time, too. (Below Python 3.12 finalizers are not interrupted.)
///
/// While the call waits for threads, nothing else can run in the interpreter. Idle workers of a
/// `concurrent.futures.ThreadPoolExecutor` would wait for work for ever: where the call waits, they are told to
/// end, and executors take no more work, also if the call fails in the end. Nothing ends the wait early: a finite
/// time is better than #SUBPY_FOREVER where scripts are not known.
///
/// Interpreters that its scripts have created end with it: see subpy_interpreter_config::allow_interpreters. If one of them
/// can't, the call fails as it would for that one, and the message says which it is. (With #SUBPY_BACKEND_PROCESS they are asked to
/// end when its process has ended, and killed if they can't.)
///
/// An extension module may wait in its own C code when its objects go. Nothing ends that. The package grpcio does, for
/// a server that was started and not stopped, and for calls by `.future()`, where the daemon thread that it wants is
/// refused: give it a wait.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for wrong options;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_NOT_PERMITTED for the main interpreter;
///         #SUBPY_ERR_BUSY if the interpreter runs now (also if the caller is inside of it), if calls wait for their turn in
///         it, if another call destroys it, if the host holds a buffer of it, or if Python threads that its scripts started still
///         run when the time is over. The message says how many, and names some, each with the code that it is in. Nothing else has happened then, unless an
///         `atexit` function started that thread: those functions run once.
///
/// Threads: any; it need not be the one that created the interpreter. A GIL that the calling thread holds is
/// released meanwhile.
///
/// Source: `_interpreters.destroy()`; CPython's `Py_EndInterpreter`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_destroy_with(
    id: subpy_id,
    options: *const subpy_destroy_options,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `options` and `error`.
    unsafe {
        enter(error, || {
            let options = read(options)?;
            let wait = Duration::from_millis(options.wait_ms);
            let interpreter = Interpreter::find(Id::new(id))?;
            let stop_threads = flag(options.stop_threads, "stop_threads")?;
            match flag(options.kill, "kill")? {
                true => interpreter.destroy_and_kill(),
                false if stop_threads => interpreter.destroy_and_stop_threads(wait),
                false => interpreter.destroy_within(wait),
            }
        })
    }
}

/// Takes over an interpreter that a script has created: it belongs to the host from now on, and does not end with the
/// interpreter whose script created it. It does not count for that one's subpy_interpreter_config::interpreter_limit any
/// more. Nothing happens if the host has created it, or has taken it over.
///
/// Other scripts do not know it any more. What it writes still goes where the interpreter writes whose script created it.
/// If those are functions of the host's, what it writes is thrown away when that interpreter has been destroyed.
///
/// @param id    The interpreter.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any. The call waits for nothing.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_take_over(
    id: subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(Id::new(id))?.take_over()) }
}

/// Lists the interpreters that subpy knows, in ascending order: the main one, and those that it created.
///
/// @param ids      Where the ids go. May be NULL if `capacity` is 0.
/// @param capacity How many ids fit there. No more than that are written.
/// @param count    Where the number of all interpreters goes, however many fitted.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED.
///
/// Threads: any.
///
/// Source: `_interpreters.list_all()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_list_all(
    ids: *mut subpy_id,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `ids` has room for `capacity` ids.
    unsafe {
        enter(error, || {
            list(ids, "ids", capacity, count, || {
                Ok(runtime::list_all()?.into_iter().map(Id::get))
            })
        })
    }
}

/// Finds the interpreter whose code runs in the calling thread now. A host function that a script has called may
/// ask it. A thread that stays in one (subpy_enter()) and does nothing there now is told that one.
///
/// @param id    Where its id goes. It is -1 if the call fails.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND outside of any interpreter that subpy knows.
///
/// Threads: any.
///
/// Source: `_interpreters.get_current()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_current(
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `id`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = -1;
            *id = runtime::current()?.get();
            Ok(())
        })
    }
}

/// Finds the main interpreter: its id is always 0.
///
/// @param id    Where its id goes. It is -1 if the call fails.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED.
///
/// Threads: any.
///
/// Source: `_interpreters.get_main()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_main(
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `id`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = -1;
            *id = runtime::main()?.get();
            Ok(())
        })
    }
}

/// Whether something runs in an interpreter. The answer may be old by the time it arrives.
///
/// @param id      The interpreter; it may be the main one.
/// @param running Where the answer goes.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any. The call waits for nothing.
///
/// Source: `_interpreters.is_running()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_is_running(
    id: subpy_id,
    running: *mut bool,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `running`.
    unsafe {
        enter(error, || {
            let running = out(running, "running")?;
            *running = false;
            *running = Interpreter::find(Id::new(id))?.is_running()?;
            Ok(())
        })
    }
}
