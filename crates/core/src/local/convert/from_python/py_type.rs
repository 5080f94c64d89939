//! What an object is, and the values that need no memory of their own.
//!
//! What is always in line here: without it reading a dict of ten takes 9 instructions more.

use std::ffi::c_char;

use pyo3_ffi as ffi;

use crate::data::conversion::Conversion;
use crate::data::value::{RawData, RawValue, kind};
use crate::local::attach::Attached;
use crate::local::python::object::clear_exception;

pub(super) type PyObject = *mut ffi::PyObject;

/// What an object is, as far as values go. Subclasses are what they are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PyType {
    None,
    Bool,
    Int,
    Float,
    Str,
    Bytes,
    Tuple,
    List,
    Dict,
    Complex,
    Set,
    FrozenSet,
    Other,
}

impl PyType {
    /// Whether reading such an object may run Python code: its own, or that of what is in it.
    #[inline(always)]
    pub(super) fn may_run_code(self) -> bool {
        !matches!(
            self,
            Self::None | Self::Bool | Self::Int | Self::Float | Self::Str
        )
    }
}

/// # Safety
/// `object` lives. So it is for all functions of this module.
#[inline(always)]
pub(super) unsafe fn type_of(_: Attached<'_>, object: PyObject) -> PyType {
    // SAFETY: the caller's promise; the types are Python's own.
    unsafe {
        let exactly = ffi::Py_TYPE(object);
        if exactly == &raw mut ffi::PyFloat_Type {
            PyType::Float
        } else if exactly == &raw mut ffi::PyLong_Type {
            PyType::Int
        } else if exactly == &raw mut ffi::PyUnicode_Type {
            PyType::Str
        } else if object == ffi::Py_None() {
            PyType::None
        } else {
            type_by_flags(object)
        }
    }
}

#[inline(never)]
unsafe fn type_by_flags(object: PyObject) -> PyType {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::PyBool_Check(object) != 0 {
            PyType::Bool
        } else if ffi::PyDict_Check(object) != 0 {
            PyType::Dict
        } else if ffi::PyList_Check(object) != 0 {
            PyType::List
        } else if ffi::PyTuple_Check(object) != 0 {
            PyType::Tuple
        } else if ffi::PyBytes_Check(object) != 0 {
            PyType::Bytes
        } else if ffi::PyLong_Check(object) != 0 {
            PyType::Int
        } else if ffi::PyUnicode_Check(object) != 0 {
            PyType::Str
        } else if ffi::PyFloat_Check(object) != 0 {
            PyType::Float
        } else if (*ffi::Py_TYPE(object)).tp_base == &raw mut ffi::PyBaseObject_Type
            && !is_of_these(object)
        {
            PyType::Other // and of no subclass of them
        } else if ffi::PyComplex_Check(object) != 0 {
            PyType::Complex
        } else if ffi::PySet_Check(object) != 0 {
            PyType::Set
        } else if ffi::PyFrozenSet_Check(object) != 0 {
            PyType::FrozenSet
        } else {
            PyType::Other
        }
    }
}

/// Whether it is exactly of one of the types that have no flag of their own.
#[inline(always)]
unsafe fn is_of_these(object: PyObject) -> bool {
    // SAFETY: the caller's promise; the types are Python's own.
    unsafe {
        let exactly = ffi::Py_TYPE(object);
        exactly == &raw mut ffi::PyComplex_Type
            || exactly == &raw mut ffi::PySet_Type
            || exactly == &raw mut ffi::PyFrozenSet_Type
    }
}

/// Whether it is that and no subclass of it.
pub(super) unsafe fn is_exact(object: PyObject, py_type: PyType) -> bool {
    // SAFETY: the caller's promise; the types are Python's own.
    unsafe {
        let kind = match py_type {
            PyType::None | PyType::Bool | PyType::Other => return true,
            PyType::Int => &raw mut ffi::PyLong_Type,
            PyType::Float => &raw mut ffi::PyFloat_Type,
            PyType::Str => &raw mut ffi::PyUnicode_Type,
            PyType::Bytes => &raw mut ffi::PyBytes_Type,
            PyType::Tuple => &raw mut ffi::PyTuple_Type,
            PyType::List => &raw mut ffi::PyList_Type,
            PyType::Dict => &raw mut ffi::PyDict_Type,
            PyType::Complex => &raw mut ffi::PyComplex_Type,
            PyType::Set => &raw mut ffi::PySet_Type,
            PyType::FrozenSet => &raw mut ffi::PyFrozenSet_Type,
        };
        ffi::Py_TYPE(object) == kind
    }
}

/// An int of up to 64 bits.
#[inline(always)]
pub(super) unsafe fn integer(object: PyObject) -> Option<RawValue> {
    let mut overflow = 0;
    // SAFETY: the caller's promise: an int.
    let integer = unsafe { ffi::PyLong_AsLongLongAndOverflow(object, &mut overflow) };
    (overflow == 0).then(|| RawValue::new(kind::INT, RawData { integer }))
}

#[inline(always)]
pub(super) unsafe fn real(object: PyObject) -> RawValue {
    // SAFETY: the caller's promise: a float.
    let real = unsafe { ffi::PyFloat_AS_DOUBLE(object) };
    RawValue::new(kind::FLOAT, RawData { real })
}

unsafe fn complex(object: PyObject) -> RawValue {
    // SAFETY: the caller's promise: a complex number.
    unsafe {
        let (real, imag) = (
            ffi::PyComplex_RealAsDouble(object),
            ffi::PyComplex_ImagAsDouble(object),
        );
        RawValue::of_complex(real, imag)
    }
}

/// The UTF-8 that the str itself keeps, which ends in a NUL.
#[inline(always)]
pub(super) unsafe fn utf8(object: PyObject) -> Option<(*const c_char, usize)> {
    let mut length = 0;
    // SAFETY: the caller's promise: a str.
    let data = unsafe { ffi::PyUnicode_AsUTF8AndSize(object, &mut length) };
    (!data.is_null()).then_some((data, length as usize))
}

/// The value of an object that needs no memory of its own.
#[inline(always)]
pub(crate) unsafe fn plain(py: Attached<'_>, object: PyObject) -> Option<RawValue> {
    // SAFETY: the caller's promise.
    unsafe { plain_of(object, type_of(py, object)) }
}

#[inline(always)]
pub(super) unsafe fn plain_of(object: PyObject, py_type: PyType) -> Option<RawValue> {
    // SAFETY: the caller's promise, and `py_type` is the object's.
    unsafe {
        match py_type {
            PyType::Float => Some(real(object)),
            PyType::Int => integer(object),
            PyType::None => Some(RawValue::NONE),
            PyType::Bool => {
                let boolean = object == ffi::Py_True();
                Some(RawValue::new(kind::BOOL, RawData { boolean }))
            }
            PyType::Complex => Some(complex(object)),
            _ => None,
        }
    }
}

/// The value of an object as long as the object lives and, if it is no constant, does not change:
/// without a copy, so not for containers.
#[inline(always)]
pub(crate) unsafe fn borrowed(
    py: Attached<'_>,
    object: PyObject,
    conversion: Conversion,
) -> Option<RawValue> {
    // SAFETY: the caller's promise.
    unsafe {
        match type_of(py, object) {
            PyType::Str => match utf8(object) {
                Some((data, length)) => Some(RawValue::of_text(kind::STR, data, length)),
                None => {
                    clear_exception(py);
                    None
                }
            },
            PyType::Bytes if !conversion.pin_bytes => {
                let length = ffi::Py_SIZE(object) as usize;
                let data = ffi::PyBytes_AS_STRING(object);
                Some(RawValue::of_text(kind::BYTES, data, length))
            }
            py_type => plain_of(object, py_type),
        }
    }
}
