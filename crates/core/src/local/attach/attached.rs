//! The proof that a thread is attached.

use std::marker::PhantomData;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use super::gilstate_slot;

/// Proof that the calling thread is attached to an interpreter. It stays in its thread, and lives no longer than the
/// attachment.
#[derive(Clone, Copy)]
pub(crate) struct Attached<'a>(PhantomData<(&'a (), *mut ())>);

impl Attached<'_> {
    /// For who has just attached the calling thread.
    #[inline]
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

/// Attaches a thread state that the calling thread's slot has held before, as it has each that we make. See
/// [`gilstate_slot`] for why the slot comes first.
///
/// # Safety
/// The calling thread is detached, and the thread state is nobody else's to attach. The answer is used no longer than it
/// stays attached.
#[inline]
pub(in crate::local) unsafe fn attach<'a>(thread_state: *mut PyThreadState) -> Attached<'a> {
    gilstate_slot::set(thread_state);
    // SAFETY: the caller's promise.
    unsafe { ffi::PyEval_RestoreThread(thread_state) };
    Attached::new()
}

/// For a thread that is attached still.
///
/// # Safety
/// It is. The answer is used no longer than it stays attached.
#[inline]
pub(in crate::local) unsafe fn still_attached<'a>() -> Attached<'a> {
    Attached::new()
}

/// What the calling thread is attached to now: CPython was asked.
pub(crate) struct Current(PhantomData<*mut ()>);

impl Current {
    /// For what Python calls, or has just attached.
    #[inline]
    pub(crate) fn get() -> Self {
        // SAFETY: at any time, in any thread. (Before 3.12 it may be another thread's.)
        if unsafe { ffi::compat::PyThreadState_GetUnchecked() }.is_null() {
            is_detached();
        }
        Self(PhantomData)
    }

    /// The thread does not detach while the answer lives.
    #[inline]
    pub(crate) fn attached(&self) -> Attached<'_> {
        Attached::new()
    }
}

#[cold]
fn is_detached() -> ! {
    panic!("Python has called a function of subpy without its GIL")
}
