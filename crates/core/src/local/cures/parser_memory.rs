//! Defect: where CPython's parser gets no memory for the text of a program, it fails without an exception. Who compiles
//! it takes that for a defect of Python.
//!
//! Has it: all versions.
//!
//! Cure: no exception is MemoryError.

use pyo3_ffi as ffi;

use crate::local::attach::Attached;

/// To be called, while attached, when code was not compiled.
pub(crate) fn raise(_: Attached<'_>) {
    // SAFETY: attached.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_NoMemory();
        }
    }
}
