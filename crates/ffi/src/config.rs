//! The configuration structs: C's side of `RuntimeConfig`, `InterpreterConfig` and `RunOptions`.
//!
//! Each starts with its own size, so that fields may be appended in a later release, which then takes
//! the smaller structs of hosts that were compiled before, too.

use std::ffi::{c_char, c_void};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use subpy_core::{
    CacheLimits, Decision, Error, Gil, InterpreterConfig, OnDeadline, Output, RunOptions,
    RuntimeConfig,
};

use crate::arguments::{flag, invalid, optional};
use crate::id::subpy_id;

/// How Python is started. Fill it with #SUBPY_RUNTIME_CONFIG_INIT, then change what you need. The
/// strings are copied by subpy_initialize().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_runtime_config {
    /// `sizeof(subpy_runtime_config)`.
    pub struct_size: usize,
    /// What Python takes for its `argv[0]` when it looks for its home. NULL: not set.
    pub program_name: *const c_char,
    /// The prefix of the Python installation ("/usr"). NULL: the one that libpython belongs to.
    pub home: *const c_char,
    /// A Python executable; with the one of a virtual environment, its site-packages work. NULL:
    /// the one that libpython belongs to.
    pub executable: *const c_char,
    /// Directories or zip files that are searched before the standard library, in this order. Each
    /// one has to exist. May be NULL if the count is 0.
    pub module_search_paths: *const *const c_char,
    /// How many there are.
    pub module_search_paths_count: usize,
    /// 1 (the default): PYTHON* variables and the user's site-packages are ignored. 0: they count.
    pub isolated: u8,
    /// 1: Python's signal handlers are installed. 0 (the default): the host keeps its own.
    pub install_signal_handlers: u8,
    /// 1 (the default): `site` is imported, so site-packages work. 0: it isn't, and interpreters
    /// are created faster.
    pub import_site: u8,
    /// 1: code may be run in the main interpreter. 0 (the default): that is
    /// #SUBPY_ERR_NOT_PERMITTED.
    pub allow_main: u8,
    /// 1: the memory of each interpreter is counted, for subpy_memory_usage() and
    /// subpy_interpreter_config::memory_limit; allocation-heavy scripts then take some 4 % longer. 0
    /// (the default): it isn't. Python 3.12 and later, started by subpy.
    pub account_memory: u8,
    /// 1: SIGPIPE is ignored from now on, as in any Python process, unless the host has a handler for
    /// it. 0 (the default): it is left alone, and a script that writes to a pipe or a socket that
    /// nobody reads any more ends the process. (The process's own stdout and stderr are safe either way.)
    pub ignore_sigpipe: u8,
}

/// Whose GIL an interpreter uses: the values of subpy_interpreter_config::gil.
#[repr(C)]
pub enum subpy_gil {
    /// Its own where this Python has that (3.12 and later), else the shared one.
    SUBPY_GIL_DEFAULT = 0,
    /// Its own: it runs in parallel with all others. #SUBPY_ERR_UNSUPPORTED below Python 3.12.
    SUBPY_GIL_OWN = 1,
    /// The main interpreter's: it takes turns with others, and extension modules that know nothing
    /// of subinterpreters, such as numpy, load.
    SUBPY_GIL_SHARED = 2,
}

/// Takes a piece of a script's output.
///
/// @param user   subpy_interpreter_config::output_user.
/// @param text   UTF-8, never split inside a character, not terminated; valid during the call.
/// @param length Its length in bytes; never 0.
///
/// Called in the thread that wrote, which holds neither a GIL nor a lock of subpy; never twice at
/// once for one stream of an interpreter. It may call subpy for other interpreters. It must not
/// leave by an exception or longjmp.
pub type subpy_write_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, text: *const c_char, length: usize)>;

/// What an interpreter is like. Fill it with #SUBPY_INTERPRETER_CONFIG_INIT, then change what you
/// need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_interpreter_config {
    /// `sizeof(subpy_interpreter_config)`.
    pub struct_size: usize,
    /// One of ::subpy_gil.
    pub gil: u32,
    /// 1: `os.fork()` is not refused. 0 (the default): it raises RuntimeError. Python 3.12 and later;
    /// before, it is never refused. (Python ends the child of a fork outside of the main interpreter
    /// with exit code 1; `subprocess` works, it needs no fork of this kind.)
    pub allow_fork: u8,
    /// 1: `os.execv()` works. 0 (the default): it raises RuntimeError. As above.
    pub allow_exec: u8,
    /// 1 (the default): scripts may start threads. 0: they can't; #SUBPY_ERR_UNSUPPORTED below
    /// Python 3.12.
    pub allow_threads: u8,
    /// 1: those may be daemon threads. 0 (the default): they can't. Needs `allow_threads`. Python
    /// 3.12 and later; before, they always can.
    pub allow_daemon_threads: u8,
    /// Takes what scripts write to `sys.stdout`. NULL: the process's stdout does.
    pub stdout_fn: subpy_write_fn,
    /// Takes what scripts write to `sys.stderr`. NULL: the process's stderr does.
    pub stderr_fn: subpy_write_fn,
    /// Handed to both; not touched by subpy. It has to live until the interpreter is destroyed.
    pub output_user: *mut c_void,
    /// How many strings' compiled code is kept, so that they are not compiled again: 256 by default;
    /// 0: none. Running kept code does what compiling it again would do, but that a SyntaxWarning is
    /// shown once. Least recently used out first.
    pub code_cache_entries: usize,
    /// How large their sources may be together, in bytes: 4 MiB by default; 0: none is kept. The code
    /// takes some ten times as much.
    pub code_cache_bytes: usize,
    /// How much memory it may take, in bytes; 0 (the default): as much as there is. At the limit a
    /// script gets a MemoryError, which it can catch. Needs subpy_runtime_config::account_memory.
    pub memory_limit: u64,
}

/// Asked when a run is out of time; see subpy_run_options::deadline_fn.
///
/// @param user       subpy_run_options::deadline_user.
/// @param id         The interpreter.
/// @param elapsed_ms How long the run has taken so far, in milliseconds.
/// @return For how many milliseconds more it may run, after which the question is asked again; 0: it
///         is interrupted and returns #SUBPY_ERR_TIMEOUT; #SUBPY_NO_DEADLINE: it goes on without a
///         limit.
///
/// Called in a thread of subpy's that serves all limits: be quick. It holds no GIL and no lock. It
/// must not call subpy, and must not leave by an exception or longjmp.
pub type subpy_deadline_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, id: subpy_id, elapsed_ms: u64) -> u64>;

/// What a ::subpy_deadline_fn returns for a run that may go on for ever.
pub const SUBPY_NO_DEADLINE: u64 = u64::MAX;

/// How a string is run. Fill it with #SUBPY_RUN_OPTIONS_INIT, then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_run_options {
    /// `sizeof(subpy_run_options)`.
    pub struct_size: usize,
    /// What tracebacks call the code. NULL: "<string>", or "<string-2>" and so on for the second
    /// string that the interpreter compiles and those after it.
    pub filename: *const c_char,
    /// How long it may take, in milliseconds; 0 (the default): as long as it likes. When the time is
    /// over the script gets a KeyboardInterrupt, as by subpy_interrupt(), and the run returns
    /// #SUBPY_ERR_TIMEOUT.
    pub timeout_ms: u64,
    /// Asked when the time is over, instead of interrupting at once. NULL: it is interrupted. Not
    /// called any more when the run has returned.
    pub deadline_fn: subpy_deadline_fn,
    /// Handed to it; not touched by subpy.
    pub deadline_user: *mut c_void,
    /// 1: the time of the run is measured, for subpy_stats(); it costs a microsecond. 0 (the default):
    /// only that of a run with a limit is.
    pub measure: u8,
}

/// Copies `*config` over `default`, as much of it as the caller's header knows.
///
/// # Safety
/// `config` is NULL or a struct of the size that its first field says.
pub(crate) unsafe fn read<T: Copy>(config: *const T, default: T, name: &str) -> Result<T, Error> {
    if config.is_null() {
        return Ok(default);
    }
    // SAFETY: the first field of each of these structs is its size.
    let size = unsafe { config.cast::<usize>().read() };
    if size != size_of::<T>() {
        return Err(invalid(format!(
            "{name}.struct_size is {size}, but this version of subpy knows {}; start from the \
             struct's INIT macro",
            size_of::<T>()
        )));
    }
    // SAFETY: the caller's promise, and its header has all the fields that this library has.
    Ok(unsafe { config.read() })
}

const RUNTIME_DEFAULT: subpy_runtime_config = subpy_runtime_config {
    struct_size: size_of::<subpy_runtime_config>(),
    program_name: std::ptr::null(),
    home: std::ptr::null(),
    executable: std::ptr::null(),
    module_search_paths: std::ptr::null(),
    module_search_paths_count: 0,
    isolated: 1,
    install_signal_handlers: 0,
    import_site: 1,
    allow_main: 0,
    account_memory: 0,
    ignore_sigpipe: 0,
};

const INTERPRETER_DEFAULT: subpy_interpreter_config = subpy_interpreter_config {
    struct_size: size_of::<subpy_interpreter_config>(),
    gil: subpy_gil::SUBPY_GIL_DEFAULT as u32,
    allow_fork: 0,
    allow_exec: 0,
    allow_threads: 1,
    allow_daemon_threads: 0,
    stdout_fn: None,
    stderr_fn: None,
    output_user: std::ptr::null_mut(),
    code_cache_entries: 256,
    code_cache_bytes: 4 << 20,
    memory_limit: 0,
};

const RUN_DEFAULT: subpy_run_options = subpy_run_options {
    struct_size: size_of::<subpy_run_options>(),
    filename: std::ptr::null(),
    timeout_ms: 0,
    deadline_fn: None,
    deadline_user: std::ptr::null_mut(),
    measure: 0,
};

/// # Safety
/// `config` is NULL or a valid struct, its strings end in a NUL.
pub(crate) unsafe fn runtime(config: *const subpy_runtime_config) -> Result<RuntimeConfig, Error> {
    // SAFETY: the caller's promise.
    let config = unsafe { read(config, RUNTIME_DEFAULT, "runtime config") }?;
    if config.module_search_paths.is_null() && config.module_search_paths_count > 0 {
        return Err(invalid(format!(
            "module_search_paths is NULL, but module_search_paths_count is {}",
            config.module_search_paths_count
        )));
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for i in 0..config.module_search_paths_count {
        let name = format!("module_search_paths[{i}]");
        // SAFETY: the array has that many strings, by the caller's promise.
        let path = unsafe { optional(*config.module_search_paths.add(i), &name) }?;
        paths.push(
            path.ok_or_else(|| invalid(format!("{name} is NULL")))?
                .into(),
        );
    }
    // SAFETY: the caller's promise.
    let path = |text, name| unsafe { optional(text, name) }.map(|t| t.map(PathBuf::from));
    Ok(RuntimeConfig {
        program_name: path(config.program_name, "program_name")?,
        home: path(config.home, "home")?,
        executable: path(config.executable, "executable")?,
        module_search_paths: paths.into(),
        isolated: flag(config.isolated, "isolated")?,
        install_signal_handlers: flag(config.install_signal_handlers, "install_signal_handlers")?,
        import_site: flag(config.import_site, "import_site")?,
        allow_main: flag(config.allow_main, "allow_main")?,
        account_memory: flag(config.account_memory, "account_memory")?,
        ignore_sigpipe: flag(config.ignore_sigpipe, "ignore_sigpipe")?,
    })
}

/// # Safety
/// `config` is NULL or a valid struct; its functions may be called with its `output_user` from any
/// thread until the interpreter is destroyed.
pub(crate) unsafe fn interpreter(
    config: *const subpy_interpreter_config,
) -> Result<InterpreterConfig, Error> {
    // SAFETY: the caller's promise.
    let config = unsafe { read(config, INTERPRETER_DEFAULT, "interpreter config") }?;
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
    Ok(InterpreterConfig {
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
    })
}

/// A pointer of the host's, which it lets any thread use: the header says in which a callback is called.
struct User(*mut c_void);
// SAFETY: the host's promise.
unsafe impl Send for User {}
// SAFETY: as above; and a callback is never called twice at once with one.
unsafe impl Sync for User {}

impl User {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

fn output(write: subpy_write_fn, user: *mut c_void) -> Option<Output> {
    let write = write?;
    let user = User(user);
    Some(Box::new(move |text: &str| {
        // SAFETY: the host promised that `write` and `user` live as long as the interpreter.
        unsafe { write(user.get(), text.as_ptr().cast(), text.len()) }
    }))
}

/// # Safety
/// `options` is NULL or a valid struct, its strings end in a NUL and live as long as `'a`.
#[inline(always)]
pub(crate) unsafe fn run<'a>(
    id: subpy_id,
    options: *const subpy_run_options,
) -> Result<RunOptions<'a>, Error> {
    if options.is_null() {
        return Ok(RunOptions::default());
    }
    // SAFETY: the caller's promise.
    unsafe { run_given(id, options) }
}

/// # Safety
/// As for [`run`], and not NULL.
unsafe fn run_given<'a>(
    id: subpy_id,
    options: *const subpy_run_options,
) -> Result<RunOptions<'a>, Error> {
    // SAFETY: the caller's promise.
    let options = unsafe { read(options, RUN_DEFAULT, "run options") }?;
    // SAFETY: the caller's promise.
    let filename = unsafe { optional(options.filename, "filename") }?;
    if options.deadline_fn.is_some() && options.timeout_ms == 0 {
        return Err(invalid(
            "deadline_fn needs timeout_ms: the time after which it is asked",
        ));
    }
    Ok(RunOptions {
        filename,
        timeout: (options.timeout_ms > 0).then(|| Duration::from_millis(options.timeout_ms)),
        on_deadline: deadline(id, options.deadline_fn, options.deadline_user),
        measure: flag(options.measure, "measure")?,
    })
}

fn deadline(id: subpy_id, ask: subpy_deadline_fn, user: *mut c_void) -> Option<OnDeadline> {
    let ask = ask?;
    let user = User(user);
    Some(Arc::new(move |elapsed: Duration| {
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: the host promised that `ask` and `user` live as long as the run.
        match unsafe { ask(user.get(), id, elapsed) } {
            0 => Decision::Interrupt,
            SUBPY_NO_DEADLINE => Decision::GoOn,
            more => Decision::Extend(Duration::from_millis(more)),
        }
    }))
}
