//! Letting go of the GIL for a while.

use pyo3_ffi as ffi;

use crate::local::attach::Attached;

/// Does some work that may wait, called by Python, without its GIL, as Py_BEGIN_ALLOW_THREADS has it.
pub(crate) fn allow_threads<T>(_: Attached<'_>, work: impl FnOnce() -> T) -> T {
    // SAFETY: attached.
    let attached = unsafe { ffi::PyEval_SaveThread() };
    let result = work();
    // SAFETY: what was attached in this thread, and is nobody else's to attach.
    unsafe { ffi::PyEval_RestoreThread(attached) };
    result
}
