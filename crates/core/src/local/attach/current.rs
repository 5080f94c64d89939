//! What the calling thread is attached to.

use std::ptr::null_mut;

use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

use super::gilstate_slot;

/// The thread state that the calling thread is attached to; NULL if there is none.
pub(in crate::local) fn attached() -> *mut PyThreadState {
    attached_with(gilstate_slot::get())
}

/// The same; `slot` is what the thread's slot holds. A thread that is attached has something there, which is found
/// faster.
#[inline]
pub(in crate::local) fn attached_with(slot: *mut PyThreadState) -> *mut PyThreadState {
    if slot.is_null() {
        return null_mut();
    }
    // SAFETY: initialized or not, in any thread.
    let current = unsafe { ffi::compat::PyThreadState_GetUnchecked() };
    // Before 3.12 that is the one that holds the GIL, in whatever thread. Ours, and the host's first one, are
    // in our slot; a state of an interpreter that the host has made itself isn't, and can't be told from
    // another thread's.
    if cfg!(Py_3_12) || current == slot {
        current
    } else {
        null_mut()
    }
}

/// Whether the calling thread is attached to this thread state, which is of an interpreter with a GIL of its own.
#[inline]
pub(in crate::local) fn is_attached_to(thread_state: *mut PyThreadState) -> bool {
    // SAFETY: as above. (There are such interpreters from 3.12 on.)
    unsafe { ffi::compat::PyThreadState_GetUnchecked() == thread_state }
}

/// Whether the calling thread is attached to a thread state.
pub(crate) fn is_attached() -> bool {
    !attached().is_null()
}

/// The interpreter that the calling thread is attached to; NULL if there is none.
pub(crate) fn attached_interpreter() -> *mut PyInterpreterState {
    let current = attached();
    if current.is_null() {
        return null_mut();
    }
    // SAFETY: attached in this thread, so it lives.
    unsafe { ffi::PyThreadState_GetInterpreter(current) }
}
