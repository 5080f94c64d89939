//! A value of ours in an object of Python's. It is dropped when that goes, in a thread that is attached to its interpreter.

use std::any::TypeId;
use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

#[repr(C)]
struct Held<T> {
    /// That of `T`.
    kind: TypeId,
    value: T,
}

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
            Box::from_raw(ffi::PyCapsule_GetPointer(capsule, name).cast::<Held<T>>())
        });
    }

    let kind = TypeId::of::<T>();
    let held = Box::into_raw(Box::new(Held { kind, value }));
    // SAFETY: attached; the capsule owns the value; a new reference, or NULL.
    unsafe {
        let capsule = ffi::PyCapsule_New(held.cast(), name.as_ptr(), Some(forget::<T>));
        let capsule = Object::owned(py, capsule);
        if capsule.is_none() {
            drop(Box::from_raw(held));
        }
        capsule
    }
}

/// The value of a capsule, which [`capsule`] has made, with this name, of a `T`.
pub(crate) fn value_of<'a, T: 'static>(
    _: Attached<'_>,
    capsule: &'a Object,
    name: &'static CStr,
) -> &'a T {
    // SAFETY: attached; what has one of our names begins with the type of its value. The value lives as long.
    let held = unsafe {
        let held = ffi::PyCapsule_GetPointer(capsule.as_ptr(), name.as_ptr()).cast::<TypeId>();
        let is_one = held.as_ref().is_some_and(|kind| *kind == TypeId::of::<T>());
        is_one.then(|| &*held.cast::<Held<T>>())
    };
    &held.expect("a capsule of ours").value
}
