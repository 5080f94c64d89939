//! Making a thread state, also where the system has no more memory: some is kept for that, because a thread that has
//! something to end can't do so without one.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3_ffi::{PyInterpreterState, PyThreadState};

use super::gilstate_slot;

/// More than a thread state takes.
const SIZE: usize = 4096;

/// A block of the C library, which is freed when there is nothing else; and taken again later.
static KEPT: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Held while a thread state is made without a GIL, and to list those that there are. To 3.11 a new one is in the
/// interpreter's list before it is whole. Nobody waits for anything while it is held.
#[cfg(not(Py_3_12))]
static MAKING: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(not(Py_3_12))]
pub(in crate::local) fn alone() -> std::sync::MutexGuard<'static, ()> {
    MAKING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Makes a thread state, which the calling thread's slot then holds. NULL: no memory.
///
/// # Safety
/// The interpreter lives.
pub(in crate::local) unsafe fn new_state(python: *mut PyInterpreterState) -> *mut PyThreadState {
    #[cfg(not(Py_3_12))]
    let _alone = alone();
    gilstate_slot::set(null_mut());
    // SAFETY: the caller's promise.
    let mut state = unsafe { try_new(python) };
    if state.is_null() {
        keep(null_mut());
        // SAFETY: as above.
        state = unsafe { try_new(python) };
    }
    keep_some();
    state
}

/// Takes the memory that is kept for it. False: there is none.
pub(crate) fn keep_some() -> bool {
    if KEPT.load(Ordering::Relaxed).is_null() {
        // SAFETY: any size will do.
        keep(unsafe { libc::malloc(SIZE) });
    }
    !KEPT.load(Ordering::Relaxed).is_null()
}

fn keep(block: *mut c_void) {
    // SAFETY: NULL, or a block that is nobody else's any more.
    unsafe { libc::free(KEPT.swap(block, Ordering::AcqRel)) };
}

/// # Safety
/// The interpreter lives.
#[cfg(not(all(Py_3_11, not(Py_3_12))))]
unsafe fn try_new(python: *mut PyInterpreterState) -> *mut PyThreadState {
    // SAFETY: the caller's promise.
    unsafe { pyo3_ffi::PyThreadState_New(python) }
}

/// As `PyThreadState_New`, which crashes where there is no memory.
///
/// # Safety
/// The interpreter lives.
#[cfg(all(Py_3_11, not(Py_3_12)))]
unsafe fn try_new(python: *mut PyInterpreterState) -> *mut PyThreadState {
    unsafe extern "C" {
        fn _PyThreadState_Prealloc(python: *mut PyInterpreterState) -> *mut PyThreadState;
        fn _PyThreadState_SetCurrent(state: *mut PyThreadState);
    }
    // SAFETY: the caller's promise; the new one is the calling thread's.
    unsafe {
        let state = _PyThreadState_Prealloc(python);
        if !state.is_null() {
            _PyThreadState_SetCurrent(state);
        }
        state
    }
}
