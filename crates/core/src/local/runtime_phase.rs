//! Where Python's life is: what every call asks first, and what starting and finalizing change.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::data::config::RuntimeConfig;
use crate::data::error::{Error, Result, Status};
use crate::local::enter;
use crate::local::python::thread_states::is_python_started;

/// Where Python's life is. The lock is held to look at it or to change it, never while Python starts,
/// ends or runs, and never while a GIL is awaited: `Changing` stands for that.
pub(crate) enum Phase {
    Fresh,
    /// One thread starts or finalizes Python; others wait for [`CHANGED`].
    Changing,
    Ready(Ready),
    /// For ever; why.
    Over(&'static str),
}

impl Phase {
    fn is_stable(&self) -> bool {
        !matches!(
            self,
            Phase::Changing | Phase::Ready(Ready { ending: true, .. })
        )
    }
}

pub(crate) struct Ready {
    /// Successful [`retain`]s that are not [`release`]d yet.
    pub(crate) count: usize,
    pub(crate) config: RuntimeConfig,
    /// The host started Python, and will finalize it.
    pub(crate) joined: bool,
    /// Interpreters that are being created now.
    pub(crate) creating: usize,
    /// The host ends Python, and the interpreters were ended.
    pub(crate) over: bool,
    /// One thread looks whether Python can be finalized; all goes on meanwhile but what would change that.
    pub(crate) ending: bool,
}

static PHASE: Mutex<Phase> = Mutex::new(Phase::Fresh);
static CHANGED: Condvar = Condvar::new();

/// [`PHASE`] in short, to be read without its lock.
static SHORT: AtomicU8 = AtomicU8::new(NOT_READY);
const NOT_READY: u8 = 0;
const STARTED: u8 = 1;
const JOINED: u8 = 2;
/// This process was forked from one that was more than `Fresh`. The lock may be held for ever.
const FORKED: u8 = 3;

static ALLOWS_MAIN: AtomicBool = AtomicBool::new(false);

fn phase() -> MutexGuard<'static, Phase> {
    PHASE.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The calling thread starts or finalizes Python, further out in its chain of calls.
    static CHANGES: Cell<bool> = const { Cell::new(false) };
}

/// The phase, once nobody changes it. The calling thread waits without a GIL. `Busy`: it would wait
/// for itself.
pub(crate) fn stable() -> Result<MutexGuard<'static, Phase>> {
    not_forked()?;
    if CHANGES.get() {
        let message =
            "this thread is starting or finalizing Python: the call came from inside of that";
        return Err(Error::new(Status::Busy, message));
    }
    let wait = || {
        let changing = |phase: &mut Phase| !phase.is_stable();
        drop(
            CHANGED
                .wait_while(phase(), changing)
                .unwrap_or_else(PoisonError::into_inner),
        );
    };
    loop {
        let phase = phase();
        if phase.is_stable() {
            return Ok(phase);
        }
        drop(phase);
        enter::detached(wait);
    }
}

/// The one thread that changes the phase does `work`, which may call back.
pub(crate) fn changing<T>(work: impl FnOnce() -> T) -> T {
    CHANGES.set(true);
    let result = enter::as_python(work);
    CHANGES.set(false);
    result
}

/// In a child that was just forked.
pub(crate) fn forked() {
    if !matches!(
        PHASE.try_lock().as_deref(),
        Ok(Phase::Fresh | Phase::Over(_))
    ) {
        SHORT.store(FORKED, Ordering::Release);
    }
}

/// Whether this is a child that was forked.
pub(crate) fn is_forked() -> bool {
    SHORT.load(Ordering::Acquire) == FORKED
}

/// Fails in a child that was forked.
fn not_forked() -> Result<()> {
    if is_forked() {
        let message = "this process was forked after subpy was initialized, and has one thread of those that there \
                       were: initialize subpy after the fork, or execute a program in the child";
        return Err(Error::new(Status::Unsupported, message));
    }
    Ok(())
}

/// Python is being finalized, by the one thread that was looking whether it can be.
pub(crate) fn begin_end() {
    SHORT.store(NOT_READY, Ordering::Release);
    *phase() = Phase::Changing;
}

/// The host ends Python: nothing begins any more. `None`: that is nothing to us.
pub(crate) fn begin_end_of_host() -> Option<()> {
    match &mut *stable().ok()? {
        Phase::Ready(ready) if ready.joined && !ready.over => {
            ready.ending = true;
            SHORT.store(NOT_READY, Ordering::Release);
            Some(())
        }
        _ => None,
    }
}

/// Whether an interpreter is being created.
pub(crate) fn is_creating() -> bool {
    matches!(&*phase(), Phase::Ready(ready) if ready.creating > 0)
}

/// What was ours of the host's Python is gone.
pub(crate) fn end_of_host_over() {
    if let Phase::Ready(ready) = &mut *phase() {
        ready.over = true;
    }
    go_on();
}

/// It can't be finalized: all goes on.
pub(crate) fn go_on() {
    if let Phase::Ready(ready) = &mut *phase() {
        ready.ending = false;
    }
    CHANGED.notify_all();
}

/// What the phase is from now on.
pub(crate) fn set(new: Phase) {
    if let Phase::Ready(ready) = &new {
        ALLOWS_MAIN.store(ready.config.allow_main, Ordering::Relaxed);
    }
    let short = match &new {
        Phase::Ready(ready) if ready.joined => JOINED,
        Phase::Ready(_) => STARTED,
        _ => NOT_READY,
    };
    *phase() = new;
    SHORT.store(short, Ordering::Release);
    CHANGED.notify_all();
}

/// Fails unless Python is initialized.
#[inline]
pub(crate) fn ready() -> Result<()> {
    match is_ready() {
        true => Ok(()),
        false => not_forked().and_then(|()| Err(not_ready(&phase()))),
    }
}

/// Whether Python is initialized. Allowed in a signal handler.
#[inline]
pub(crate) fn is_ready() -> bool {
    match SHORT.load(Ordering::Acquire) {
        STARTED => true,
        JOINED => is_python_started(),
        _ => false,
    }
}

/// Fails if the host has finalized the Python that we have joined.
pub(crate) fn ready_to_join(ready: &Ready) -> Result<()> {
    if ready.over || ready.joined && !is_python_started() {
        return Err(Error::new(Status::NotInitialized, HOST_HAS_FINALIZED));
    }
    Ok(())
}

const HOST_HAS_FINALIZED: &str = "the host has finalized Python, or is about to";

#[cold]
pub(crate) fn not_ready(phase: &Phase) -> Error {
    let message = match phase {
        Phase::Fresh => "subpy is not initialized: initialize it first",
        Phase::Changing => "Python is being started or finalized in another thread",
        Phase::Ready(_) => HOST_HAS_FINALIZED,
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
        Phase::Ready(Ready { ending: true, .. }) => {
            let message = "Python is being finalized in another thread";
            Err(Error::new(Status::Busy, message))
        }
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

    /// How Python was started.
    pub(crate) fn config(&self) -> RuntimeConfig {
        match &*phase() {
            Phase::Ready(ready) => ready.config.clone(),
            _ => RuntimeConfig::default(),
        }
    }
}

impl Drop for Creating {
    fn drop(&mut self) {
        if let Phase::Ready(ready) = &mut *phase() {
            ready.creating -= 1;
        }
    }
}

/// Whether the host has started Python.
pub(crate) fn is_joined() -> bool {
    SHORT.load(Ordering::Acquire) == JOINED
}

/// Whether code may run in the main interpreter.
#[inline]
pub(crate) fn allows_main() -> bool {
    ALLOWS_MAIN.load(Ordering::Relaxed)
}
