//! What measuring and filling both ask of an object.

use pyo3_ffi as ffi;

use super::py_type::PyObject;
use crate::data::object_handle::ObjectHandle;
use crate::data::value::RawValue;
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::python::exception::{RUNTIME_ERROR, is_set};
use crate::local::python::object::{Object, clear_exception};

/// What was read as it was measured, since that may run Python code. Most values have nothing of it.
#[derive(Default)]
pub(super) struct Read {
    /// In the order in which they come.
    pub(super) objects: Vec<ReadBefore>,
    /// So many of them are copied.
    pub(super) copied: usize,
    /// The objects that we are in that something simpler stands for.
    pub(super) simplified: Vec<PyObject>,
}

/// An object, and what was read.
pub(super) struct ReadBefore {
    pub(super) object: Object,
    pub(super) becomes: Becomes,
}

/// What it becomes.
pub(super) enum Becomes {
    /// What points to nothing.
    Value(RawValue),
    /// A decimal: a str of ASCII.
    Decimal(Object),
    /// What this object becomes, which stands for it.
    Simpler(Object),
    /// It stays in Python.
    Handle(ObjectHandle),
}

/// Calls `visit` with each key and value of a dict.
///
/// # Safety
/// A dict that lives. So it is for the other functions here.
pub(super) unsafe fn each_pair(
    _: Attached<'_>,
    dict: PyObject,
    mut visit: impl FnMut(PyObject, PyObject) -> Converted<()>,
) -> Converted<()> {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the caller's promise: a dict.
    while unsafe { ffi::PyDict_Next(dict, &mut position, &mut key, &mut value) } != 0 {
        visit(key, value)?;
    }
    Ok(())
}

/// Calls `visit` with each item of a set, by Python's own iterator, whatever a subclass has.
///
/// # Safety
/// A set or a frozenset.
pub(super) unsafe fn each_item(
    py: Attached<'_>,
    set: PyObject,
    mut visit: impl FnMut(&Object) -> Converted<()>,
) -> Converted<()> {
    // SAFETY: the caller's promise; these types have an iterator; new references.
    unsafe {
        let class = match ffi::PySet_Check(set) {
            0 => &raw mut ffi::PyFrozenSet_Type,
            _ => &raw mut ffi::PySet_Type,
        };
        let iterator = (*class)
            .tp_iter
            .and_then(|iter| Object::owned(py, iter(set)));
        let iterator = iterator.ok_or_else(ConversionError::raised)?;
        while let Some(item) = Object::owned(py, ffi::PyIter_Next(iterator.as_ptr())) {
            visit(&item)?;
        }
        match RUNTIME_ERROR.is_set(py) {
            // It is another set now.
            true => {
                clear_exception(py);
                Err(changed())
            }
            false if is_set(py) => Err(ConversionError::raised()),
            false => Ok(()),
        }
    }
}

/// Something that measuring has seen is different now.
#[cold]
pub(super) fn changed() -> ConversionError {
    ConversionError::not_shareable("changed while it was read")
}

/// A str of ASCII that stands for an int.
pub(super) unsafe fn hexadecimal(py: Attached<'_>, object: PyObject) -> Converted<Object> {
    // SAFETY: the caller's promise: an int; the result is new.
    unsafe { Object::owned(py, ffi::PyNumber_ToBase(object, 16)) }
        .ok_or_else(ConversionError::raised)
}

/// The generalized UTF-8 of a str with lone surrogates.
pub(super) unsafe fn wtf8(py: Attached<'_>, object: PyObject) -> Converted<Object> {
    // SAFETY: the caller's promise: a str; the result is new.
    let bytes = unsafe {
        ffi::PyUnicode_AsEncodedString(object, c"utf-8".as_ptr(), c"surrogatepass".as_ptr())
    };
    // SAFETY: new, or NULL.
    unsafe { Object::owned(py, bytes) }.ok_or_else(ConversionError::raised)
}
