//! A process that starts Python and forks: each child goes on as if it had started Python itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3_ffi as ffi;

use crate::data::error::Result;
use crate::data::id::Id;
#[cfg(Py_3_12)]
use crate::local::cures::feature_flags;
use crate::local::interpreter::registry;
use crate::local::python::object::{clear_exception, imported};
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

/// Seeds anew what workers would draw the same numbers of: numpy's global generator, if that was imported. (`random` sees to
/// it in the child.) To be called before each fork: a child would have to copy each page that numpy needs for it. False: there
/// is nothing to seed.
pub(crate) fn reseed() -> Result<bool> {
    registry::find(Id::MAIN)?.inside_anew(|context| {
        let py = context.attached();
        let numpy = imported(py, c"numpy.random");
        let seed = numpy
            .as_ref()
            .and_then(|numpy| numpy.attribute(py, c"seed"));
        drop(seed.and_then(|seed| seed.call(py, &[])));
        clear_exception(py);
        Ok(numpy.is_some())
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
