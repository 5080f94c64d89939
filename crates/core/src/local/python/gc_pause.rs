//! Work during which Python collects no garbage: a collection costs time, and runs finalizers, which may let go of the
//! GIL.

use pyo3_ffi as ffi;

use crate::local::attach::Attached;

/// Collects garbage in the attached interpreter.
pub(crate) fn collect(_: Attached<'_>) {
    // SAFETY: attached.
    unsafe { ffi::PyGC_Collect() };
}

/// Does some work in the attached interpreter. What there is to collect is collected later.
pub(crate) fn without_collection<T>(_: Attached<'_>, work: impl FnOnce() -> T) -> T {
    // SAFETY: attached.
    let collects = unsafe { ffi::PyGC_Disable() } != 0;
    let result = work();
    if collects {
        // SAFETY: as above.
        unsafe { ffi::PyGC_Enable() };
    }
    result
}
