//! What an interpreter has of signals: which wait to be handled, and how.

use std::ffi::{CStr, c_int};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::interpreter::claim::Run;
use crate::local::python::interpreter_dict::kept;
use crate::local::python::object::Object;

/// What an interpreter keeps: what calls the script's handlers.
pub(in crate::local::interpreter) const HANDLE: &CStr = c"subpy.handle";

/// `default_int_handler`.
const RAISES: u8 = 0;
/// A handler of its own.
const HANDLES: u8 = 1;

/// What an interpreter has of signals.
#[derive(Default)]
pub(in crate::local::interpreter) struct Signals {
    /// Those that are to be handled: a bit for each.
    waiting: AtomicU64,
    /// By which run.
    run: AtomicU64,
    /// What the script has for SIGINT: [`RAISES`], [`HANDLES`], or SIG_IGN or SIG_DFL.
    at_interrupt: AtomicU8,
    /// A copy of the script's wakeup descriptor, so that it is no other file's, whatever the script closes. Held for a
    /// write that does not wait.
    wakeup: Mutex<Option<OwnedFd>>,
}

impl Signals {
    /// A run is to handle a signal.
    pub(in crate::local::interpreter) fn add(&self, run: Run, signal: c_int) {
        if self.run.swap(run.number(), Ordering::Relaxed) != run.number() {
            self.forget();
        }
        self.waiting.fetch_or(bit(signal), Ordering::Relaxed);
    }

    /// Whether this run is to handle one.
    pub(in crate::local::interpreter) fn are_waiting(&self, run: Run) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
            && self.run.load(Ordering::Relaxed) == run.number()
    }

    /// Whether this run is to handle a signal. It is not any more.
    pub(in crate::local::interpreter) fn take(&self, run: Run, signal: c_int) -> bool {
        self.are_waiting(run)
            && self.waiting.fetch_and(!bit(signal), Ordering::Relaxed) & bit(signal) != 0
    }

    /// None is to be handled any more.
    #[inline]
    pub(in crate::local::interpreter) fn forget(&self) {
        self.waiting.store(0, Ordering::Relaxed);
    }

    /// Whether the script has something of its own for SIGINT, which can be told.
    pub(in crate::local::interpreter) fn handle_interrupt(&self) -> bool {
        self.at_interrupt.load(Ordering::Relaxed) == HANDLES
            && (cfg!(Py_3_12) || self.wakeup().is_some())
    }

    /// Whether a SIGINT that the script sends itself is a KeyboardInterrupt, which another thread can leave with the one
    /// that runs.
    pub(in crate::local::interpreter) fn raise_interrupt(&self) -> bool {
        match self.at_interrupt.load(Ordering::Relaxed) {
            HANDLES => cfg!(not(Py_3_12)),
            how => how == RAISES,
        }
    }

    /// Wakes up who waits for a signal at the script's wakeup descriptor, if there is one and it has room.
    pub(in crate::local::interpreter) fn wake_up(&self, signal: c_int) {
        if let Some(wakeup) = &*self.wakeup() {
            let number = signal as u8;
            let mut room = libc::pollfd {
                fd: wakeup.as_raw_fd(),
                events: libc::POLLOUT,
                revents: 0,
            };
            // SAFETY: one entry; one byte. A socket or a pipe that nobody reads is an error here, and no signal: the
            // number goes nowhere.
            unsafe {
                if libc::poll(&mut room, 1, 0) == 1 && room.revents == libc::POLLOUT {
                    libc::write(room.fd, (&raw const number).cast(), 1);
                }
            }
        }
    }

    /// What the script has for SIGINT from now on.
    pub(in crate::local::interpreter) fn set_at_interrupt(&self, how: u8) {
        self.at_interrupt.store(how, Ordering::Relaxed);
    }

    /// The script's wakeup descriptor from now on.
    pub(in crate::local::interpreter) fn set_wakeup(&self, copy: Option<OwnedFd>) {
        *self.wakeup() = copy;
    }

    fn wakeup(&self) -> MutexGuard<'_, Option<OwnedFd>> {
        self.wakeup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the script's handlers called for what this run is to handle, in the thread that runs. False: an exception is
    /// set.
    #[cfg(Py_3_12)]
    pub(in crate::local::interpreter) fn handle(&self, py: Attached<'_>, run: Run) -> bool {
        (1..=libc::SIGRTMAX()).all(|signal| !self.take(run, signal) || handle(py, signal))
    }
}

fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// Has the handler of a signal called, as far as there is one, in the thread that runs. False: an exception is set.
pub(in crate::local::interpreter) fn handle(py: Attached<'_>, signal: c_int) -> bool {
    let Some(handle) = kept(py, HANDLE) else {
        // `signal` was not imported: what handles SIGINT is what Python starts with.
        if signal == libc::SIGINT {
            // SAFETY: attached; a class of Python's own.
            unsafe { ffi::PyErr_SetNone(ffi::PyExc_KeyboardInterrupt) };
        }
        return signal != libc::SIGINT;
    };
    // SAFETY: attached; the borrowed reference is made ours.
    let frame = unsafe { Object::borrowed(py, ffi::PyEval_GetFrame().cast()) };
    let called = || {
        let frame = frame.or_else(|| Object::none(py))?;
        handle.call(py, &[&Object::int(py, signal.into())?, &frame])
    };
    called().is_some()
}
