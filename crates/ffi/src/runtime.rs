//! Starting and stopping Python.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;

use subpy_core::{Error, Log, RuntimeConfig, growable, runtime, worker_main};

use crate::arguments::{flag, optional, read, reserved, strings};
use crate::boundary::{enter, or_else};
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::interpreter_limit;

/// A function of the host's that is told what no call can say.
///
/// @param user    subpy_runtime_config::log_user.
/// @param message What has happened: a line of UTF-8 without its end. It is valid during the call.
///
/// The library calls it in a thread of its own or in one of the host's that calls subpy, several at once. That thread holds no
/// GIL. The function must not call subpy, and must not leave by an exception or by longjmp().
pub type subpy_log_fn = Option<unsafe extern "C" fn(user: *mut c_void, message: *const c_char)>;

/// How Python is started. Start from #SUBPY_RUNTIME_CONFIG_INIT. subpy_initialize() copies the strings.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_runtime_config {
    /// `sizeof(subpy_runtime_config)`.
    pub struct_size: usize,
    /// What Python takes for its `argv[0]` when it looks for its home. NULL (the default): it is not set.
    pub program_name: *const c_char,
    /// The prefix of the Python installation, such as "/usr". NULL (the default): the one that libpython
    /// belongs to.
    pub home: *const c_char,
    /// A Python executable. With the executable of a virtual environment, the environment's site-packages
    /// work; it has to be of the Python version that subpy is built for. NULL (the default): the executable that
    /// libpython belongs to.
    pub executable: *const c_char,
    /// Directories or zip files. Each one has to exist. Python searches them in this order, before the
    /// standard library. May be NULL if the count is 0.
    pub module_search_paths: *const *const c_char,
    /// How many paths there are.
    pub module_search_paths_count: usize,
    /// 1 (the default): the PYTHON* variables and the user's site-packages are ignored. 0: they count.
    pub isolated: u32,
    /// 1: Python installs its signal handlers. 0 (the default): the host keeps its own. Handlers that scripts set are
    /// then kept, and none is installed: see subpy_interrupt().
    pub install_signal_handlers: u32,
    /// 1 (the default): Python imports `site`, so site-packages work. 0: it does not, and an interpreter is
    /// created faster.
    pub import_site: u32,
    /// 1: code may run in the main interpreter. 0 (the default): that is #SUBPY_ERR_NOT_PERMITTED.
    pub allow_main: u32,
    /// 1: the memory of each interpreter is counted. subpy_memory_usage() and
    /// subpy_interpreter_config::memory_limit need it. Scripts that allocate much then take some 4 % longer.
    /// 0 (the default): it is not counted. It needs Python 3.12 or later, and a Python that subpy has started.
    pub account_memory: u32,
    /// 1 (the default): SIGPIPE and SIGXFSZ are ignored, as in any Python process, each unless the host does
    /// something about it. The last subpy_finalize() puts them back. A script that writes to a pipe or a socket that
    /// nobody reads any more, or past the limit of a file's size, gets an exception then. 0: subpy leaves both alone,
    /// and such a script ends the process. (The process's own stdout and stderr are safe from SIGPIPE either way.)
    pub ignore_sigpipe: u32,
    /// 1: scripts of the main interpreter may create interpreters, as those may that are created with
    /// subpy_interpreter_config::allow_interpreters. They know all interpreters of the process, but use only what they have
    /// created. That is like an interpreter that subpy_create() makes by its defaults, and may create others in its turn. 0
    /// (the default): they can't.
    pub allow_interpreters: u32,
    /// How many of these there may be at once: see subpy_interpreter_config::interpreter_limit. 0 (the default) stands
    /// for 16.
    pub interpreter_limit: u32,
    /// 1: the code of Python's library stays as it is in memory. Then a time limit or an interrupt ends no wait in C, but
    /// for some locks. 0 (the default): subpy_initialize() has functions of a Python that it starts call subpy first, by a
    /// jump at their start: `PyErr_CheckSignals`, `Py_MakePendingCalls`, and `_PyEval_MakePendingCalls` from Python 3.12 on. Where the system lets no
    /// memory become executable, as with systemd's MemoryDenyWriteExecute, they stay as they are.
    pub forbid_patches: u32,
    /// The number of the signal that ends waits in C. It is sent to a thread that runs a script which is to end, and to no other
    /// one; its handler does nothing that a program could notice. 0 (the default) stands for a real-time signal: the last
    /// one that the process does nothing about. The last subpy_finalize() puts it back. If the host takes the signal for itself
    /// later, none is sent.
    pub wait_signal: i32,
    /// 1: each call goes by the stack that it comes on, however small that is. 0 (the default): a call that has less than 6
    /// MiB of it left, or that comes on a stack of the host's own making, goes by a stack of the library's, on which functions
    /// of the host's are called, too: see "Stacks" above. A host needs 1 if something in it checks the stack pointer in such a
    /// function: a Java virtual machine does, and a garbage collector that looks for pointers on stacks. Its threads should
    /// have 8 MiB then: a script that nests deeply ends the process otherwise.
    pub forbid_stack_switches: u32,
    /// Has to be 0.
    pub reserved: u32,
    /// Names of modules, which are imported once, before the processes of interpreters are made: each interpreter with
    /// #SUBPY_BACKEND_PROCESS has them from its start, and they take no more memory for the second one. A module that leaves
    /// a thread of Python's behind is refused. May be NULL if the count is 0. The main interpreter of this process does not
    /// import them.
    pub preload: *const *const c_char,
    /// How many modules there are.
    pub preload_count: usize,
    /// The program of interpreters with #SUBPY_BACKEND_PROCESS, which subpy comes with. NULL (the default):
    /// "../libexec/subpy/subpy-worker" from the folder of the library, then "subpy/subpy-worker" and "subpy-worker" in that. A
    /// program that has the static library in it gives its own path, and calls subpy_worker_main() first in its `main`. A
    /// relative path is meant from the working directory at subpy_initialize().
    pub worker: *const c_char,
    /// Told what no call can say: that a process has ended which nobody waits for, that the one that makes them has and was
    /// started again, that a module of `preload` has left threads of its own. NULL (the default): nobody is told.
    pub log_fn: subpy_log_fn,
    /// Handed to `log_fn`. The library does not touch it.
    pub log_user: *mut c_void,
}

growable!(subpy_runtime_config, "subpy_runtime_config", 72, {
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
    ignore_sigpipe: 1,
    allow_interpreters: 0,
    interpreter_limit: 0,
    forbid_patches: 0,
    wait_signal: 0,
    forbid_stack_switches: 0,
    reserved: 0,
    preload: std::ptr::null(),
    preload_count: 0,
    worker: std::ptr::null(),
    log_fn: None,
    log_user: std::ptr::null_mut(),
});

/// # Safety
/// `config` is NULL or a valid struct, its strings end in a NUL.
unsafe fn runtime_config(config: *const subpy_runtime_config) -> Result<RuntimeConfig, Error> {
    // SAFETY: the caller's promise.
    let config = unsafe { read(config) }?;
    reserved(config.reserved)?;
    // SAFETY: the arrays have that many strings, by the caller's promise.
    let (paths, preload) = unsafe {
        let (paths, count) = (config.module_search_paths, config.module_search_paths_count);
        let paths: Vec<PathBuf> = strings(
            paths,
            count,
            "module_search_paths",
            "module_search_paths_count",
        )?;
        let preload: Vec<String> = strings(
            config.preload,
            config.preload_count,
            "preload",
            "preload_count",
        )?;
        (paths, preload)
    };
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
        allow_interpreters: flag(config.allow_interpreters, "allow_interpreters")?,
        interpreter_limit: interpreter_limit(config.interpreter_limit),
        forbid_patches: flag(config.forbid_patches, "forbid_patches")?,
        wait_signal: Some(config.wait_signal).filter(|signal| *signal != 0),
        forbid_stack_switches: flag(config.forbid_stack_switches, "forbid_stack_switches")?,
        preload: preload.into(),
        worker: path(config.worker, "worker")?,
        // SAFETY: the host promises that it may be called as long as subpy is initialized.
        log: config
            .log_fn
            .map(|call| unsafe { Log::new(call, config.log_user) }),
    })
}

/// Serves as the program of interpreters with #SUBPY_BACKEND_PROCESS, if this process was started for that; else nothing happens.
/// A program that has the static library in it calls it first in its `main`, with what that got, and gives its own path as
/// subpy_runtime_config::worker. A program that uses the shared library does not need it.
///
/// @param argc The number of arguments.
/// @param argv The arguments. May be NULL if `argc` is 0.
///
/// It does not return in a process that was started for that.
///
/// Threads: the first one of the process, before there is another one.
///
/// Source: subpy's own.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_worker_main(argc: c_int, argv: *const *mut c_char) {
    if argc != 2 || argv.is_null() {
        return;
    }
    // SAFETY: the caller keeps the header's contract.
    let argument = unsafe { CStr::from_ptr(*argv.add(1)) };
    or_else((), || worker_main(argument.to_bytes()));
}

/// Starts Python, or joins the Python that the host has started itself.
///
/// Calls count: each successful one needs a subpy_finalize(). The config of the first call holds. A later call
/// with NULL joins whatever there is. A later call that asks for something else fails.
///
/// A Python that subpy starts takes its configuration from here alone. The locale and the signal handlers of
/// the process stay as they are, and text is UTF-8 everywhere. The thread of the first call becomes Python's
/// main thread. That matters to scripts only where they use `signal`.
///
/// If the host has started Python before, subpy uses it as it is, and subpy_finalize() leaves it running. The
/// calling thread may hold a GIL then, and holds it again afterwards.
///
/// A host should call subpy_finalize() before it ends its own Python. If it does not, `Py_FinalizeEx` ends subpy's
/// interpreters first, by an exit function of the main interpreter: it interrupts what runs in them, and waits up to
/// 5 s. What does not end in that time may end the process, as it does without subpy. All calls are
/// #SUBPY_ERR_NOT_INITIALIZED from then on.
///
/// A child that the host forks afterwards has none of Python's other threads, and a lock that one of them held stays
/// locked. So each call is #SUBPY_ERR_UNSUPPORTED there. Fork first and initialize in the child, or execute a program.
///
/// @param config NULL for the defaults.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, for a path that does not exist, for an `executable` of
///         another version of Python (the message has both), where no standard library is found (the message has
///         the places that were searched), and for a PYTHON... variable that Python does not understand;
///         #SUBPY_ERR_NOT_PERMITTED if Python runs already and the config asks for something else, and if
///         another copy of subpy is initialized in this process (the message names its file);
///         #SUBPY_ERR_UNSUPPORTED after Python was finalized, which can't be undone in a process, for
///         `account_memory` below Python 3.12 or with PYTHONMALLOC in the environment, if the process has
///         another version of Python than subpy is built for (the message names both, and their files), and in a child
///         that was forked after subpy was initialized;
///         #SUBPY_ERR_NO_MEMORY if there is no memory to start Python;
///         #SUBPY_ERR_INTERNAL if Python could not be started for another reason.
///
/// Threads: any, at any time.
///
/// Source: CPython's `Py_InitializeFromConfig`, PEP 587.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_initialize(
    config: *const subpy_runtime_config,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error` and for `config`.
    unsafe {
        enter(error, || {
            if config.is_null() {
                runtime::retain(None)
            } else {
                runtime::retain(Some(&runtime_config(config)?))
            }
        })
    }
}

/// Gives back one subpy_initialize(). The last one destroys the interpreters that are left and finalizes
/// Python, unless the host has started it.
///
/// Afterwards these still work: subpy_is_initialized(), subpy_initialize(), the functions of the sections
/// "Version" and "Status and errors", and subpy_value_clear(). Others are #SUBPY_ERR_NOT_INITIALIZED. A process
/// may also exit without this call.
///
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED if there is nothing to give back;
///         #SUBPY_ERR_BUSY if an interpreter is in use, is being created or destroyed, if Python threads of one
///         still run, if the host holds a buffer of one, or if the calling thread holds a GIL of a Python that
///         subpy has started. Nothing has happened then, and the call can be made again.
///
/// Threads: any, at any time.
///
/// Source: CPython's `Py_FinalizeEx`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_finalize(error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, runtime::release) }
}

/// Whether subpy is initialized: between subpy_initialize() and the last subpy_finalize().
///
/// @return true or false. It never fails.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_is_initialized() -> bool {
    or_else(false, runtime::is_initialized)
}
