//! What a host asks for.

use std::ffi::{CString, c_char, c_void};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::data::conversion::Conversion;

/// How Python is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// What Python takes for its `argv[0]` when it looks for its home.
    pub program_name: Option<PathBuf>,
    /// The prefix of the Python installation.
    pub home: Option<PathBuf>,
    /// A Python executable, of a virtual environment for one.
    pub executable: Option<PathBuf>,
    /// Searched before the standard library.
    pub module_search_paths: Arc<[PathBuf]>,
    /// PYTHON* variables and the user's site-packages are ignored.
    pub isolated: bool,
    /// Python installs its signal handlers.
    pub install_signal_handlers: bool,
    /// `site` is imported.
    pub import_site: bool,
    /// Code may run in the main interpreter.
    pub allow_main: bool,
    /// The memory of each interpreter is counted, so that it can be asked for and limited.
    pub account_memory: bool,
    /// SIGPIPE is ignored, if the process does nothing else about it.
    pub ignore_sigpipe: bool,
    /// Scripts of the main interpreter may create interpreters: they have the package `subpy`.
    pub allow_interpreters: bool,
    /// How many there may be at once, with those that these have created.
    pub interpreter_limit: u32,
    /// The code of Python's library stays as it is.
    pub forbid_patches: bool,
    /// The signal that ends waits in C; `None`: a real-time signal that nobody handles.
    pub wait_signal: Option<i32>,
    /// Python goes by the caller's stack, however small that is.
    pub forbid_stack_switches: bool,
    /// What is imported before the processes of interpreters are forked.
    pub preload: Arc<[String]>,
    /// The program of these processes; `None`: `../libexec/subpy/subpy-worker` from the folder of the library or program
    /// that this crate is in, or `subpy-worker` in that.
    pub worker: Option<PathBuf>,
    /// Told what no call can say.
    pub log: Option<Log>,
}

/// A function of the host's that is told what no call can say: a process is lost that nobody waits for, say.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    call: LogFn,
    user: *mut c_void,
}

/// What it is in C: it gets `user`, and a text that ends in a NUL.
pub type LogFn = unsafe extern "C" fn(user: *mut c_void, message: *const c_char);

// SAFETY: by the promise of `new`.
unsafe impl Send for Log {}
// SAFETY: as above.
unsafe impl Sync for Log {}

impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.call, other.call) && self.user == other.user
    }
}

impl Eq for Log {}

impl Log {
    /// ```
    /// use std::ffi::{c_char, c_void};
    ///
    /// unsafe extern "C" fn ignore(_: *mut c_void, _: *const c_char) {}
    /// // SAFETY: it does nothing, in any thread.
    /// let log = unsafe { subpy_core::Log::new(ignore, std::ptr::null_mut()) };
    /// log.say("nothing");
    /// ```
    ///
    /// # Safety
    /// `call` may be called with `user`, in any thread, as long as subpy is initialized.
    pub unsafe fn new(call: LogFn, user: *mut c_void) -> Self {
        Self { call, user }
    }

    /// Says something. What comes after a NUL is left out.
    ///
    /// ```
    /// # use std::ffi::{c_char, c_void};
    /// # unsafe extern "C" fn ignore(_: *mut c_void, _: *const c_char) {}
    /// # // SAFETY: it does nothing, in any thread.
    /// # let log = unsafe { subpy_core::Log::new(ignore, std::ptr::null_mut()) };
    /// log.say("worker 7 is lost");
    /// ```
    pub fn say(&self, message: &str) {
        let text = message.split('\0').next().unwrap_or_default();
        if let Ok(text) = CString::new(text) {
            // SAFETY: by the promise of `new`.
            unsafe { (self.call)(self.user, text.as_ptr()) };
        }
    }
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            program_name: None,
            home: None,
            executable: None,
            module_search_paths: Arc::new([]),
            isolated: true,
            install_signal_handlers: false,
            import_site: true,
            allow_main: false,
            account_memory: false,
            ignore_sigpipe: true,
            allow_interpreters: false,
            interpreter_limit: InterpreterConfig::INTERPRETER_LIMIT,
            forbid_patches: false,
            wait_signal: None,
            forbid_stack_switches: false,
            preload: Arc::new([]),
            worker: None,
            log: None,
        }
    }
}

impl RuntimeConfig {
    /// The fields in which `there` differs from what `self` asks for, with both values.
    pub(crate) fn differences(&self, there: &Self) -> Vec<String> {
        let both = self.fields().into_iter().zip(there.fields());
        both.filter(|(asked, there)| asked != there)
            .map(|((name, asked), (_, there))| {
                format!("{name} = {there}, where this asks for {asked}")
            })
            .collect()
    }

    fn fields(&self) -> [(&'static str, String); 18] {
        let path = |path: &Option<PathBuf>| match path {
            Some(path) => path.display().to_string(),
            None => "NULL".into(),
        };
        let flag = |flag: bool| u8::from(flag).to_string();
        [
            ("program_name", path(&self.program_name)),
            ("home", path(&self.home)),
            ("executable", path(&self.executable)),
            (
                "module_search_paths",
                format!("{:?}", self.module_search_paths),
            ),
            ("isolated", flag(self.isolated)),
            (
                "install_signal_handlers",
                flag(self.install_signal_handlers),
            ),
            ("import_site", flag(self.import_site)),
            ("allow_main", flag(self.allow_main)),
            ("account_memory", flag(self.account_memory)),
            ("ignore_sigpipe", flag(self.ignore_sigpipe)),
            ("allow_interpreters", flag(self.allow_interpreters)),
            ("interpreter_limit", self.interpreter_limit.to_string()),
            ("forbid_patches", flag(self.forbid_patches)),
            ("wait_signal", self.wait_signal.unwrap_or(0).to_string()),
            ("forbid_stack_switches", flag(self.forbid_stack_switches)),
            ("preload", format!("{:?}", self.preload)),
            ("worker", path(&self.worker)),
            ("log_fn", format!("{:?}", self.log)),
        ]
    }
}

/// What stands behind an interpreter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// An interpreter of CPython's in this process.
    #[default]
    Local,
    /// A process of its own.
    Process,
}

/// Whose GIL an interpreter uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gil {
    /// Its own where this Python has that, else the shared one.
    #[default]
    Default,
    /// Its own.
    Own,
    /// The main interpreter's.
    Shared,
}

/// Takes a piece of a script's output: UTF-8 and whole characters, unless `output_bytes` is set. Called in the thread that
/// wrote, which holds no GIL then; never twice at once.
pub type Output = Box<dyn FnMut(&[u8]) + Send>;

/// Gives a script what it reads: writes to the bytes, from their start, and says how many; none: it is over. Called in the
/// thread that reads, which holds no GIL then; never twice at once.
pub type Input = Box<dyn FnMut(&mut [u8]) -> usize + Send>;

/// How much compiled code an interpreter keeps; 0 of either: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// How many strings.
    pub entries: usize,
    /// The size of their sources in bytes. Their code takes some ten times as much.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            entries: 256,
            bytes: 4 << 20,
        }
    }
}

/// What an interpreter is like.
pub struct InterpreterConfig {
    /// What stands behind it.
    pub backend: Backend,
    /// Whose GIL it uses.
    pub gil: Gil,
    /// `os.fork()` works.
    pub allow_fork: bool,
    /// `os.execv()` works.
    pub allow_exec: bool,
    /// Scripts may start threads.
    pub allow_threads: bool,
    /// Those may be daemon threads.
    pub allow_daemon_threads: bool,
    /// Takes `sys.stdout`; `None`: the process's stdout.
    pub stdout: Option<Output>,
    /// Takes `sys.stderr`; `None`: the process's stderr.
    pub stderr: Option<Output>,
    /// These take any bytes; else writing what is not UTF-8 raises ValueError.
    pub output_bytes: bool,
    /// How much compiled code it keeps.
    pub code_cache: CacheLimits,
    /// How much memory it may take, in bytes; 0: as much as there is.
    pub memory_limit: u64,
    /// Its environment is the process's, and not a copy of that.
    pub share_environment: bool,
    /// Its scripts may create interpreters: they have the package `subpy`.
    pub allow_interpreters: bool,
    /// Its scripts know all interpreters of the process, and not those of their family alone.
    pub know_all_interpreters: bool,
    /// How many interpreters there may be at once that its scripts have created, with those that these have created.
    pub interpreter_limit: u32,
    /// How much a run may use.
    pub budget: Budget,
    /// How many threads its scripts may have at once; 0: as many as the system allows.
    pub thread_limit: u32,
    /// How deep its scripts may let calls be nested, at most; 0: as they like.
    pub recursion_limit: u32,
    /// A process of its own may leave a core file, and may be looked into by debuggers.
    pub core_dumps: bool,
    /// `sys.argv`, if there is any.
    pub arguments: Vec<String>,
    /// Directories or zip files, which are searched before all others.
    pub search_paths: Vec<PathBuf>,
    /// Gives `sys.stdin`; `None`: the process's stdin.
    pub stdin: Option<Input>,
}

/// How much a run may use, from its start to its end. `None`: as much as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// CPU time of the thread that runs, and of the threads that scripts have started.
    pub cpu: Option<Duration>,
    /// Bytes that it writes to `sys.stdout` and `sys.stderr`.
    pub output: Option<u64>,
}

impl Budget {
    /// As much as it likes.
    pub const NONE: Self = Self {
        cpu: None,
        output: None,
    };

    /// The lower of both, for each.
    pub(crate) fn within(self, other: Self) -> Self {
        fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            }
        }
        Self {
            cpu: lower(self.cpu, other.cpu),
            output: lower(self.output, other.output),
        }
    }
}

impl InterpreterConfig {
    /// The default of [`interpreter_limit`](Self::interpreter_limit).
    pub const INTERPRETER_LIMIT: u32 = 16;
}

impl Default for InterpreterConfig {
    fn default() -> Self {
        Self {
            backend: Backend::Local,
            gil: Gil::Default,
            allow_fork: false,
            allow_exec: false,
            allow_threads: true,
            allow_daemon_threads: true,
            stdout: None,
            stderr: None,
            output_bytes: false,
            code_cache: CacheLimits::default(),
            memory_limit: 0,
            share_environment: false,
            allow_interpreters: false,
            know_all_interpreters: false,
            interpreter_limit: Self::INTERPRETER_LIMIT,
            budget: Budget::NONE,
            thread_limit: 0,
            recursion_limit: 0,
            core_dumps: false,
            arguments: Vec::new(),
            search_paths: Vec::new(),
            stdin: None,
        }
    }
}

impl fmt::Debug for InterpreterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterpreterConfig")
            .field("gil", &self.gil)
            .field("allow_fork", &self.allow_fork)
            .field("allow_exec", &self.allow_exec)
            .field("allow_threads", &self.allow_threads)
            .field("allow_daemon_threads", &self.allow_daemon_threads)
            .field("stdout", &self.stdout.is_some())
            .field("stderr", &self.stderr.is_some())
            .field("output_bytes", &self.output_bytes)
            .field("code_cache", &self.code_cache)
            .field("memory_limit", &self.memory_limit)
            .field("share_environment", &self.share_environment)
            .field("allow_interpreters", &self.allow_interpreters)
            .field("know_all_interpreters", &self.know_all_interpreters)
            .field("interpreter_limit", &self.interpreter_limit)
            .field("budget", &self.budget)
            .field("thread_limit", &self.thread_limit)
            .field("recursion_limit", &self.recursion_limit)
            .field("core_dumps", &self.core_dumps)
            .field("arguments", &self.arguments)
            .field("search_paths", &self.search_paths)
            .field("stdin", &self.stdin.is_some())
            .finish()
    }
}

/// What is to happen when a run is out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is interrupted, and returns `Timeout`.
    Interrupt,
    /// It gets that much more; then the question is asked again.
    Extend(Duration),
    /// It goes on without a limit.
    GoOn,
}

/// Asked when a run is out of time, with the time that it has taken so far. Called in subpy's timer
/// thread, which it holds up: it should be quick, and must not call back.
pub type OnDeadline = Arc<dyn Fn(Duration) -> Decision + Send + Sync>;

/// How a string is run.
#[derive(Clone)]
pub struct RunOptions<'a> {
    /// What tracebacks call the code; `None`: `<string>`, or `<string-2>` and so on for the second
    /// string that an interpreter compiles and those after it.
    pub filename: Option<&'a str>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Asked when the time is over; `None`: it is interrupted.
    pub on_deadline: Option<OnDeadline>,
    /// This long after a time limit that the script has ignored, its process is killed, if it has one. `None`: never.
    pub kill_after: Option<Duration>,
    /// Its time is measured, for `Interpreter::stats`. So is that of a run with a timeout.
    pub measure: bool,
    /// What it may use, where that is less than its interpreter's [`budget`](InterpreterConfig::budget).
    pub budget: Budget,
    /// The namespace in which it is done; `None`: `__main__`.
    pub in_namespace: Option<&'a str>,
    /// How long it waits for an interpreter that runs in another thread; `None`: for ever. First come, first served. Its
    /// `timeout` starts when it does.
    pub wait: Option<Duration>,
}

impl RunOptions<'static> {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        filename: None,
        timeout: None,
        on_deadline: None,
        kill_after: Some(Duration::from_secs(1)),
        measure: false,
        budget: Budget::NONE,
        in_namespace: None,
        wait: Some(Duration::ZERO),
    };
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        RunOptions::DEFAULT
    }
}

impl RunOptions<'_> {
    /// Whether it has a limit of its own.
    pub(crate) fn is_limited(&self) -> bool {
        self.timeout.is_some() || self.budget != Budget::NONE
    }

    /// Whether it has a limit of its own, or is measured.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.timeout.is_some() || self.measure || self.budget != Budget::NONE
    }

    /// Whether it is done in `__main__`, and not timed.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_timed() && self.in_namespace.is_none()
    }
}

impl fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("filename", &self.filename)
            .field("timeout", &self.timeout)
            .field("on_deadline", &self.on_deadline.is_some())
            .field("measure", &self.measure)
            .field("budget", &self.budget)
            .field("in_namespace", &self.in_namespace)
            .field("wait", &self.wait)
            .finish()
    }
}

/// How an expression is evaluated, or a function is called.
#[derive(Clone, Debug)]
pub struct CallOptions<'a> {
    /// How the result becomes a value; `None`: it is thrown away.
    pub conversion: Option<Conversion>,
    /// As for a run.
    pub run: RunOptions<'a>,
}

impl CallOptions<'static> {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        conversion: Some(Conversion::DEFAULT),
        run: RunOptions::DEFAULT,
    };

    /// The defaults, for a result that is thrown away.
    pub const THROW_AWAY: Self = Self {
        conversion: None,
        run: RunOptions::DEFAULT,
    };
}

impl Default for CallOptions<'_> {
    fn default() -> Self {
        CallOptions::DEFAULT
    }
}

/// How a file or a module is run as a program.
#[derive(Clone, Debug, Default)]
pub struct FileOptions<'a> {
    /// As for a string. Its `filename` is that of the file.
    pub run: RunOptions<'a>,
    /// What follows the program in `sys.argv`; `None`: what follows there.
    pub arguments: Option<&'a [&'a str]>,
    /// What is named is a module, as for `python -m`.
    pub is_module: bool,
}
