//! A process that starts Python and forks: each child goes on as if it had started Python itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3_ffi as ffi;

use crate::data::error::Result;
use crate::data::id::Id;
#[cfg(Py_3_12)]
use crate::local::cures::feature_flags;
use crate::local::interpreter::{forked, registry};
#[cfg(Py_3_12)]
use crate::local::python::object::clear_exception;
use crate::util::timer;

static IS_ZYGOTE: AtomicBool = AtomicBool::new(false);

/// This process is one from now on: Python is started without threads of ours.
pub(crate) fn become_one() {
    IS_ZYGOTE.store(true, Ordering::Relaxed);
    timer::wait_for_start(true);
}

pub(super) fn is_one() -> bool {
    IS_ZYGOTE.load(Ordering::Relaxed)
}

/// Which of the two a process is after a fork.
pub(crate) enum Forked {
    Parent(libc::pid_t),
    Child,
}

/// Forks, in the main interpreter. To be called while the process has one thread.
pub(crate) fn fork() -> Result<io::Result<Forked>> {
    let main = registry::find(Id::MAIN)?;
    let forked = main.inside_anew(|context| {
        let _attached = context.attached();
        // SAFETY: attached to the main interpreter; the process has one thread.
        let child = unsafe {
            ffi::PyOS_BeforeFork();
            let child = libc::fork();
            match child {
                0 => ffi::PyOS_AfterFork_Child(),
                _ => ffi::PyOS_AfterFork_Parent(),
            }
            child
        };
        Ok(match child {
            0 => Ok(Forked::Child),
            1.. => Ok(Forked::Parent(child)),
            _ => Err(io::Error::last_os_error()),
        })
    })?;
    if let Ok(Forked::Child) = forked {
        IS_ZYGOTE.store(false, Ordering::Relaxed);
        timer::wait_for_start(false);
    }
    Ok(forked)
}

/// All is imported that is to be there from the start.
pub(crate) fn has_preloaded() -> Result<()> {
    registry::find(Id::MAIN)?.inside_anew(|context| {
        forked::find_preloaded(context.attached());
        Ok(())
    })
}

/// Finds what restricts the main interpreter. To be called while nothing else runs.
pub(crate) fn find_restrictions() -> Result<()> {
    #[cfg(Py_3_12)]
    registry::find(Id::MAIN)?.inside_anew(|context| {
        let py = context.attached();
        if feature_flags::find(py).is_none() {
            clear_exception(py);
        }
        Ok(())
    })?;
    Ok(())
}
