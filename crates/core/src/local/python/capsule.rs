//! A value of ours in an object of Python's. It is dropped when that goes, in a thread that is attached to its interpreter.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// A new one. `None`: an exception is set, and the value is dropped.
pub(crate) fn capsule<T: 'static>(
    py: Attached<'_>,
    name: &'static CStr,
    value: T,
) -> Option<Object> {
    unsafe extern "C" fn forget<T>(capsule: *mut ffi::PyObject) {
        // SAFETY: called once, with a capsule that is made below, of what is made below.
        drop(unsafe {
            let name = ffi::PyCapsule_GetName(capsule);
            Box::from_raw(ffi::PyCapsule_GetPointer(capsule, name).cast::<T>())
        });
    }

    let value = Box::into_raw(Box::new(value));
    // SAFETY: attached; the capsule owns the value; a new reference, or NULL.
    unsafe {
        let capsule = ffi::PyCapsule_New(value.cast(), name.as_ptr(), Some(forget::<T>));
        let capsule = Object::owned(py, capsule);
        if capsule.is_none() {
            drop(Box::from_raw(value));
        }
        capsule
    }
}

/// The value of a capsule.
///
/// # Safety
/// [`capsule`] made it, with this name, of a `T`.
pub(crate) unsafe fn value_of<'a, T: 'static>(
    _: Attached<'_>,
    capsule: &'a Object,
    name: &'static CStr,
) -> &'a T {
    // SAFETY: the caller's promise.
    unsafe { &*ffi::PyCapsule_GetPointer(capsule.as_ptr(), name.as_ptr()).cast::<T>() }
}
