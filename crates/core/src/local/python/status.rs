//! What CPython answers where it starts something.

use std::ffi::CStr;

use pyo3_ffi as ffi;

/// What a status of Python's says.
pub(crate) fn describe(status: &ffi::PyStatus) -> String {
    if status.err_msg.is_null() {
        return "no reason given".into();
    }
    // SAFETY: Python's messages are static strings.
    unsafe { CStr::from_ptr(status.err_msg) }
        .to_string_lossy()
        .into_owned()
}
