//! Handles of objects, and the objects themselves.

use pyo3_ffi as ffi;

use crate::data::error::{Error, Status};
use crate::data::id::Id;
use crate::data::object_handle::ObjectHandle;
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::owner::Owner;
use crate::local::python::object::Object;

/// A handle of an object.
pub(crate) fn hold(py: Attached<'_>, object: &Object, owner: &Owner) -> Converted<ObjectHandle> {
    let kept = object.clone();
    match ObjectHandle::new(&owner.home, kept.as_ptr() as u64) {
        Some(handle) => {
            let _ = (py, kept.into_ptr()); // it is the handle's now
            Ok(handle)
        }
        None => Err(ConversionError::no_memory()),
    }
}

/// The object that a handle stands for, if it is one of this interpreter's.
#[inline]
pub(crate) fn object(py: Attached<'_>, handle: u64, owner: &Owner) -> Converted<Object> {
    match ObjectHandle::find(handle) {
        Some(found) if found.id == owner.id => {
            // SAFETY: attached to the interpreter that the object is in: nobody drops the handle's reference meanwhile.
            let object = unsafe { Object::borrowed(py, found.address as *mut ffi::PyObject) };
            object.ok_or_else(ConversionError::no_memory)
        }
        Some(found) => Err(of_another(found.id, owner.id)),
        None => Err(is_gone()),
    }
}

/// For an object that goes to another interpreter than its own.
#[cold]
pub(crate) fn of_another(id: Id, to: Id) -> ConversionError {
    let message = format!("is an object of interpreter {id}, which interpreter {to} can't have");
    ConversionError::invalid(message)
}

/// For an object that goes where there is no interpreter.
#[cold]
pub(crate) fn stays(id: Id) -> ConversionError {
    let message = format!("is an object of interpreter {id}, which stays there");
    ConversionError::not_shareable(message)
}

/// For an object that is not there any more.
#[cold]
pub(crate) fn is_gone() -> ConversionError {
    ConversionError::invalid(
        "is an object that is gone: it was released, or its interpreter is destroyed",
    )
}

/// For a handle that stands for nothing.
#[cold]
pub(crate) fn stale() -> Error {
    let message = "the object is gone: it was released, or its interpreter is destroyed";
    Error::new(Status::NotFound, message)
}
