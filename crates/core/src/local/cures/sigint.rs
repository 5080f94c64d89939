//! Defect: when `signal` is imported in the main interpreter, which extension modules do, CPython takes SIGINT for
//! itself, although it was started without signal handlers. And when it is finalized it sets SIGINT to the default,
//! whatever the host has set meanwhile.
//!
//! Has it: to 3.13.
//!
//! Cure: the module is imported at the start, and SIGINT's action is put back after that and after the end.

use std::ptr::{null, null_mut};

use crate::local::attach::Attached;
use crate::local::python::object::{clear_exception, import};

/// To be called while the main interpreter is attached.
pub(crate) fn import_signal(py: Attached<'_>) {
    if cfg!(not(Py_3_14)) {
        kept(|| drop(import(py, c"_signal")));
        clear_exception(py);
    }
}

/// Does `work`, after which SIGINT does what it did before.
pub(crate) fn kept<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: structs that the calls fill or read; an action that the host has set.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, null(), &mut before);
        let result = work();
        let mut after: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, null(), &mut after);
        let has = |action: &libc::sigaction| (action.sa_sigaction, action.sa_flags);
        if has(&after) != has(&before) {
            libc::sigaction(libc::SIGINT, &before, null_mut());
        }
        result
    }
}
