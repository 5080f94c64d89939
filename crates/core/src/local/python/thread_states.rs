//! The thread states of an interpreter.

use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

#[cfg(not(Py_3_12))]
use crate::local::attach::alone;

use crate::local::attach::Attached;

/// The interpreter of a thread state.
pub(crate) fn interpreter_of(thread_state: *mut PyThreadState) -> *mut PyInterpreterState {
    // SAFETY: reads a field that never changes, of a thread state that its caller owns.
    unsafe { ffi::PyThreadState_GetInterpreter(thread_state) }
}

/// The attached thread state.
pub(crate) fn attached(_: Attached<'_>) -> *mut PyThreadState {
    // SAFETY: attached.
    unsafe { ffi::PyThreadState_Get() }
}

/// The attached interpreter.
pub(crate) fn interpreter(_: Attached<'_>) -> *mut PyInterpreterState {
    // SAFETY: attached.
    unsafe { ffi::PyInterpreterState_Get() }
}

/// Whether Python is started.
pub(crate) fn is_python_started() -> bool {
    // SAFETY: at any time, in any thread.
    unsafe { ffi::Py_IsInitialized() != 0 }
}

/// NULL: Python is not started.
pub(crate) fn main_interpreter() -> *mut PyInterpreterState {
    // SAFETY: at any time, in any thread.
    unsafe { ffi::PyInterpreterState_Main() }
}

/// The thread states of the attached interpreter. They live as long as its GIL is held.
pub(crate) fn all_of_attached(py: Attached<'_>) -> Vec<*mut PyThreadState> {
    #[cfg(not(Py_3_12))]
    let _alone = alone();
    let mut all = Vec::new();
    // SAFETY: attached. A thread state goes only while its interpreter's GIL is held, which we hold; one that
    // comes is put before the first.
    unsafe {
        let mut next = ffi::PyInterpreterState_ThreadHead(interpreter(py));
        while !next.is_null() {
            all.push(next);
            next = ffi::PyThreadState_Next(next);
        }
    }
    all
}

/// How many thread states the attached interpreter has besides the attached one: Python threads that
/// its scripts started, or the host's own.
pub(crate) fn others(_: Attached<'_>) -> usize {
    // SAFETY: attached. A thread state comes and goes only while its interpreter's GIL is held,
    // which we hold.
    unsafe {
        let own = ffi::PyThreadState_Get();
        let mut next = ffi::PyInterpreterState_ThreadHead(ffi::PyThreadState_GetInterpreter(own));
        let mut count = 0;
        while !next.is_null() {
            count += usize::from(next != own);
            next = ffi::PyThreadState_Next(next);
        }
        count
    }
}
