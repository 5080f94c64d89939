//! Defect: while an interpreter that ends takes its modules apart, a finalizer may still start a thread.
//! Its thread state is freed with the interpreter, and the thread goes on with it.
//!
//! Has it: 3.11 and before; later versions refuse ("can't create new thread at interpreter shutdown").
//!
//! Cure: once nothing but the end is left to do, the interpreter is marked as an isolated one, in which
//! these versions start no thread.

/// To be called when an interpreter has no other threads, before it ends, while it is attached.
#[cfg(Py_3_12)]
pub(crate) fn refuse() {}

/// To be called when an interpreter has no other threads, before it ends, while it is attached.
#[cfg(not(Py_3_12))]
pub(crate) fn refuse() {
    use pyo3_ffi as ffi;

    unsafe extern "C" {
        fn _PyInterpreterState_GetConfig(
            interpreter: *mut ffi::PyInterpreterState,
        ) -> *mut ffi::PyConfig;
    }

    // SAFETY: attached; the config is the interpreter's own, and read only by threads that hold its GIL.
    unsafe {
        (*_PyInterpreterState_GetConfig(ffi::PyInterpreterState_Get()))._isolated_interpreter = 1;
    }
}
