//! Python as a whole: started or joined, counted, finalized.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3_ffi as ffi;

use crate::config::RuntimeConfig;
use crate::cures::{self, global_symbols, sigpipe, stack_bounds};
use crate::interpreter::{self, Interpreter};
use crate::{Error, Id, Result, Status, host_function, registry, startup, thread_state};

/// What a Python can or can't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Interpreters with a GIL of their own.
    OwnGil,
    /// The `allow_*` fields of an interpreter's config are enforced.
    Restrictions,
    /// The memory of interpreters can be counted and limited.
    MemoryAccounts,
}

/// Where Python's life is. The lock is held to look at it or to change it, never while Python starts,
/// ends or runs, and never while a GIL is awaited: `Changing` stands for that.
enum Phase {
    Fresh,
    /// One thread starts or finalizes Python; others wait for [`CHANGED`].
    Changing,
    Ready(Ready),
    /// For ever; why.
    Over(&'static str),
}

struct Ready {
    /// Successful [`retain`]s that are not [`release`]d yet.
    count: usize,
    config: RuntimeConfig,
    /// The host started Python, and will finalize it.
    joined: bool,
    /// Interpreters that are being created now.
    creating: usize,
}

static PHASE: Mutex<Phase> = Mutex::new(Phase::Fresh);
static CHANGED: Condvar = Condvar::new();

/// [`PHASE`] in short, to be read without its lock.
static SHORT: AtomicU8 = AtomicU8::new(NOT_READY);
const NOT_READY: u8 = 0;
const STARTED: u8 = 1;
const JOINED: u8 = 2;

static ALLOWS_MAIN: AtomicBool = AtomicBool::new(false);

const FINALIZED: &str = "Python was finalized, which can't be undone in a process: keep it \
                         initialized as long as it may be needed again";
const FAILED: &str = "Python could not be started before, which can't be tried again in a process";

/// One count of the runtime, given back when it is dropped.
#[derive(Debug)]
pub struct Runtime(());

impl Runtime {
    /// Starts Python, or joins the one that runs already. See [`retain`].
    pub fn initialize(config: &RuntimeConfig) -> Result<Self> {
        retain(Some(config))?;
        Ok(Self(()))
    }

    /// Gives the count back, and says how that went. See [`release`].
    pub fn finalize(self) -> Result<()> {
        std::mem::forget(self);
        release()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = release();
    }
}

fn phase() -> MutexGuard<'static, Phase> {
    PHASE.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The calling thread starts or finalizes Python, further out in its chain of calls.
    static CHANGES: Cell<bool> = const { Cell::new(false) };
}

/// The phase, once nobody changes it. The calling thread waits without a GIL. `Busy`: it would wait
/// for itself.
fn settled_phase() -> Result<MutexGuard<'static, Phase>> {
    if CHANGES.get() {
        let message =
            "this thread is starting or finalizing Python: the call came from inside of that";
        return Err(Error::new(Status::Busy, message));
    }
    let wait = || {
        let changing = |phase: &mut Phase| matches!(phase, Phase::Changing);
        drop(
            CHANGED
                .wait_while(phase(), changing)
                .unwrap_or_else(PoisonError::into_inner),
        );
    };
    loop {
        let phase = phase();
        if !matches!(*phase, Phase::Changing) {
            return Ok(phase);
        }
        drop(phase);
        thread_state::detached(wait);
    }
}

fn set_phase(new: Phase) {
    let short = match &new {
        Phase::Ready(ready) if ready.joined => JOINED,
        Phase::Ready(_) => STARTED,
        _ => NOT_READY,
    };
    *phase() = new;
    SHORT.store(short, Ordering::Release);
    CHANGED.notify_all();
}

/// Starts Python, or joins the one that runs already; counts. `None` asks for nothing in particular:
/// the defaults, or what there is.
pub fn retain(config: Option<&RuntimeConfig>) -> Result<()> {
    let mut phase = settled_phase()?;
    match &mut *phase {
        Phase::Ready(ready) => {
            if let Some(config) = config {
                same(config, &ready.config)?;
            }
            ready.count += 1;
            return Ok(());
        }
        Phase::Over(why) => return Err(Error::new(Status::Unsupported, *why)),
        Phase::Fresh | Phase::Changing => *phase = Phase::Changing,
    }
    drop(phase);
    CHANGES.set(true);
    let begun = begin(config);
    CHANGES.set(false);
    match begun {
        Ok(ready) => {
            ALLOWS_MAIN.store(ready.config.allow_main, Ordering::Relaxed);
            set_phase(Phase::Ready(ready));
            Ok(())
        }
        Err(Failed { for_ever, error }) => {
            set_phase(if for_ever {
                Phase::Over(FAILED)
            } else {
                Phase::Fresh
            });
            Err(error)
        }
    }
}

fn same(asked: &RuntimeConfig, there: &RuntimeConfig) -> Result<()> {
    let differences = asked.differences(there);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Python is initialized already, with another {}: pass no config to use it as it is",
        differences.join(", ")
    );
    Err(Error::new(Status::NotPermitted, message))
}

/// Why Python was not started, and whether it can't be tried again.
struct Failed {
    for_ever: bool,
    error: Error,
}

fn for_now(error: Error) -> Failed {
    Failed {
        for_ever: false,
        error,
    }
}

fn for_ever(error: Error) -> Failed {
    Failed {
        for_ever: true,
        error,
    }
}

/// The one thread that changes the phase starts or joins Python.
fn begin(config: Option<&RuntimeConfig>) -> Result<Ready, Failed> {
    let config = config.cloned().unwrap_or_default();
    // SAFETY: at any time, in any thread.
    let joined = unsafe { ffi::Py_IsInitialized() } != 0;
    let main = if joined {
        // What a running Python can't be told any more.
        let asked = RuntimeConfig {
            allow_main: false,
            ignore_sigpipe: false,
            ..config.clone()
        };
        same(&asked, &RuntimeConfig::default()).map_err(for_now)?;
        thread_state::locate_slot();
        thread_state::new_main()
    } else {
        startup::check(&config).map_err(for_now)?;
        startup::start(&config).map_err(for_ever)?;
        thread_state::locate_slot();
        thread_state::leave_main()
    };
    global_symbols::expose();
    if config.ignore_sigpipe {
        sigpipe::ignore();
    }
    if !stack_bounds::can_follow() {
        let version = cures::python_version();
        let message = format!(
            "Python {version} can't be told when a thread state changes its stack: use 3.14.2 or later"
        );
        return Err(for_ever(Error::new(Status::Unsupported, message)));
    }
    let main =
        Interpreter::adopt_main(main, &config.module_search_paths, !joined).map_err(for_ever)?;
    registry::insert(main);
    Ok(Ready {
        count: 1,
        config,
        joined,
        creating: 0,
    })
}

/// Gives back one [`retain`]. The last one destroys the interpreters, and finalizes Python unless the
/// host started it. `Busy`: nothing has happened.
pub fn release() -> Result<()> {
    let mut phase = settled_phase()?;
    let Phase::Ready(ready) = &mut *phase else {
        return Err(not_ready(&phase));
    };
    if ready.count > 1 {
        ready.count -= 1;
        return Ok(());
    }
    if ready.creating > 0 {
        let message = "an interpreter is being created in another thread: finalize after it";
        return Err(Error::new(Status::Busy, message));
    }
    if !ready.joined && thread_state::is_attached() {
        let message = "this thread holds a GIL: release it, or leave the interpreter, first";
        return Err(Error::new(Status::Busy, message));
    }
    let Phase::Ready(ready) = std::mem::replace(&mut *phase, Phase::Changing) else {
        unreachable!("it was ready just now");
    };
    SHORT.store(NOT_READY, Ordering::Release);
    drop(phase);
    CHANGES.set(true);
    let ended = interpreter::end_all(!ready.joined);
    if ended.is_ok() {
        host_function::forget_everywhere();
    }
    CHANGES.set(false);
    match ended {
        Ok(()) if ready.joined => set_phase(Phase::Fresh),
        Ok(()) => set_phase(Phase::Over(FINALIZED)),
        Err(busy) => {
            set_phase(Phase::Ready(ready));
            return Err(busy);
        }
    }
    Ok(())
}

/// Fails unless Python is initialized.
#[inline]
pub(crate) fn ready() -> Result<()> {
    match SHORT.load(Ordering::Acquire) {
        STARTED => Ok(()),
        // SAFETY: at any time, in any thread.
        JOINED if unsafe { ffi::Py_IsInitialized() } != 0 => Ok(()),
        _ => Err(not_ready(&phase())),
    }
}

#[cold]
fn not_ready(phase: &Phase) -> Error {
    let message = match phase {
        Phase::Fresh => "subpy is not initialized: initialize it first",
        Phase::Changing => "Python is being started or finalized in another thread",
        Phase::Ready(_) => "the host has finalized Python",
        Phase::Over(why) => why,
    };
    Error::new(Status::NotInitialized, message)
}

/// Counts an interpreter that is being created, so that Python is not finalized meanwhile.
pub(crate) struct Creating {
    module_search_paths: Arc<[PathBuf]>,
}

pub(crate) fn creating() -> Result<Creating> {
    ready()?;
    match &mut *phase() {
        Phase::Ready(ready) => {
            ready.creating += 1;
            Ok(Creating {
                module_search_paths: ready.config.module_search_paths.clone(),
            })
        }
        other => Err(not_ready(other)),
    }
}

impl Creating {
    pub(crate) fn module_search_paths(&self) -> &[PathBuf] {
        &self.module_search_paths
    }
}

impl Drop for Creating {
    fn drop(&mut self) {
        if let Phase::Ready(ready) = &mut *phase() {
            ready.creating -= 1;
        }
    }
}

/// Whether code may run in the main interpreter.
#[inline]
pub(crate) fn allows_main() -> bool {
    ALLOWS_MAIN.load(Ordering::Relaxed)
}

/// Whether Python is initialized, as far as subpy is concerned.
pub fn is_initialized() -> bool {
    ready().is_ok()
}

/// The ids of all interpreters, in ascending order.
pub fn list_all() -> Result<Vec<Id>> {
    ready()?;
    Ok(registry::all().iter().map(Interpreter::id).collect())
}

/// The main interpreter's id: 0.
pub fn main() -> Result<Id> {
    ready()?;
    Ok(0)
}

/// The interpreter whose code runs in the calling thread now.
pub fn current() -> Result<Id> {
    ready()?;
    let found = match thread_state::whereabouts() {
        (Some(id), _) => Some(id),
        (None, python) if !python.is_null() => registry::find_by(|i| i.is(python)).map(|i| i.id()),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = "no code of an interpreter that subpy knows runs in this thread";
        Error::new(Status::NotFound, message)
    })
}

/// The version of the Python library that is loaded: `3.13.0`.
pub fn python_version() -> &'static str {
    cures::python_version()
}

/// Whether the Python that is loaded can do something.
pub fn supports(feature: Feature) -> bool {
    match feature {
        Feature::OwnGil | Feature::Restrictions | Feature::MemoryAccounts => cfg!(Py_3_12),
    }
}
