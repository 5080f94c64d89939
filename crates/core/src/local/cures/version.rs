//! Defect: `Py_GetVersion` writes its text when it is called, and a second thread that calls it at the same time reads
//! what is not written yet: an empty text, say.
//!
//! Has it: every version. 3.10 and 3.11 write it at each call, later ones at the first.
//!
//! Cure: it is called inside of the loader's lock, one call at a time. A lock of ours would not do: another copy of
//! subpy, which uses the same libpython, has another. What is written again is the same text.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null;

/// The version of the Python library that is loaded: `3.13.0`.
pub(crate) fn python_version() -> &'static str {
    let mut text: *const c_char = null();
    // SAFETY: the callback takes what it is given here; the text is a static string.
    let text = unsafe {
        libc::dl_iterate_phdr(Some(get), (&raw mut text).cast());
        CStr::from_ptr(text)
    };
    let text = text.to_str().unwrap_or_default();
    text.split(' ').next().unwrap_or_default()
}

unsafe extern "C" fn get(_: *mut libc::dl_phdr_info, _: usize, text: *mut c_void) -> c_int {
    // SAFETY: `python_version`'s place; the function may be called at any time, initialized or not.
    unsafe { *text.cast() = pyo3_ffi::Py_GetVersion() };
    1
}
