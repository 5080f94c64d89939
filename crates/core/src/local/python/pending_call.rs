//! Calls that CPython makes at the next safe point of any thread of an interpreter: from 3.12 on, where
//! each interpreter has its own.

use std::ffi::{c_int, c_void};

use pyo3_ffi::PyInterpreterState;

/// What is called, with the interpreter attached. -1: an exception is set.
pub(crate) type Call = unsafe extern "C" fn(*mut c_void) -> c_int;

/// Adds a call. Takes a short lock of CPython's, no GIL and no memory. Where too many wait, nothing
/// happens.
///
/// # Safety
/// The interpreter lives, and `argument` is what `call` expects as long as it does.
pub(crate) unsafe fn add(interpreter: *mut PyInterpreterState, call: Call, argument: *mut c_void) {
    unsafe extern "C" {
        fn _PyEval_AddPendingCall(
            interpreter: *mut PyInterpreterState,
            call: Call,
            argument: *mut c_void,
            flags: c_int,
        ) -> c_int;
    }
    // SAFETY: the caller's promise.
    unsafe { _PyEval_AddPendingCall(interpreter, call, argument, 0) };
}
