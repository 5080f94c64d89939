//! What the calling thread is attached to.

use std::ptr::null_mut;

use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

use crate::local::cures::gilstate_slot;
use crate::local::python::thread_states;

/// The thread state that the calling thread is attached to; NULL if there is none.
pub(super) fn attached() -> *mut PyThreadState {
    attached_with(gilstate_slot::get())
}

/// The same; `slot` is what the thread's slot holds. A thread that is attached has something there, which is found
/// faster.
#[inline]
pub(super) fn attached_with(slot: *mut PyThreadState) -> *mut PyThreadState {
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

/// Whether the calling thread is attached to a thread state.
pub(crate) fn is_attached() -> bool {
    !attached().is_null()
}

/// Attaches a thread state that the calling thread's slot has held before, as it has each that we make. See
/// [`gilstate_slot`] for why the slot comes first.
///
/// # Safety
/// The calling thread is detached, and the thread state is nobody else's to attach.
#[inline(always)]
pub(super) unsafe fn attach(thread_state: *mut PyThreadState) {
    gilstate_slot::set(thread_state);
    // SAFETY: the caller's promise.
    unsafe { ffi::PyEval_RestoreThread(thread_state) };
}

/// The interpreter that the calling thread is attached to; NULL if there is none.
pub(crate) fn attached_interpreter() -> *mut PyInterpreterState {
    let current = attached();
    if current.is_null() {
        return null_mut();
    }
    thread_states::interpreter_of(current)
}
