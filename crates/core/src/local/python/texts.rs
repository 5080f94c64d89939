//! Texts and bytes of a call that Python makes.

use std::ffi::CString;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// An argument of a call, in UTF-8 and without a NUL. `None`: it is no such text.
///
/// # Safety
/// Called by Python, attached, with a tuple.
pub(crate) unsafe fn argument(
    py: Attached<'_>,
    arguments: *mut ffi::PyObject,
    index: isize,
) -> Option<CString> {
    // SAFETY: the caller's promise; a borrowed reference.
    let text =
        unsafe { Object::borrowed(py, ffi::PyTuple_GetItem(arguments, index))?.to_text(py)? };
    CString::new(text).ok()
}

/// An argument of a call: bytes without a NUL. `None`: it is no such.
///
/// # Safety
/// Called by Python, attached, with a tuple.
pub(crate) unsafe fn argument_bytes(
    _: Attached<'_>,
    arguments: *mut ffi::PyObject,
    index: isize,
) -> Option<CString> {
    // SAFETY: the caller's promise; a borrowed reference, whose bytes are copied.
    unsafe {
        let argument = ffi::PyTuple_GetItem(arguments, index);
        if argument.is_null() || ffi::PyBytes_Check(argument) == 0 {
            return None;
        }
        let data = ffi::PyBytes_AsString(argument).cast::<u8>();
        let length = ffi::PyBytes_Size(argument) as usize;
        CString::new(std::slice::from_raw_parts(data, length)).ok()
    }
}

/// Bytes for Python; `None`: an exception is set.
pub(crate) fn bytes(py: Attached<'_>, data: &[u8]) -> Option<Object> {
    // SAFETY: attached; so many bytes, which are copied; a new reference.
    unsafe {
        let (data, length) = (data.as_ptr().cast(), data.len() as isize);
        Object::owned(py, ffi::PyBytes_FromStringAndSize(data, length))
    }
}
