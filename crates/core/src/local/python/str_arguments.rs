//! Texts and bytes of a call that Python makes.

use std::ffi::CString;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// An argument of a call, in UTF-8 and without a NUL. `None`: it is no such text.
pub(crate) fn argument(py: Attached<'_>, arguments: &Object, index: isize) -> Option<CString> {
    CString::new(arguments.at(py, index)?.to_text(py)?).ok()
}

/// An argument of a call: bytes without a NUL. `None`: it is no such.
pub(crate) fn argument_bytes(
    py: Attached<'_>,
    arguments: &Object,
    index: isize,
) -> Option<CString> {
    CString::new(arguments.at(py, index)?.bytes(py)?).ok()
}

/// Bytes for Python; `None`: an exception is set.
pub(crate) fn bytes(py: Attached<'_>, data: &[u8]) -> Option<Object> {
    // SAFETY: attached; so many bytes, which are copied; a new reference.
    unsafe {
        let (data, length) = (data.as_ptr().cast(), data.len() as isize);
        Object::owned(py, ffi::PyBytes_FromStringAndSize(data, length))
    }
}
