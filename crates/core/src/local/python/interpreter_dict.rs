//! What an interpreter keeps for us: in a dict of its own, which goes when it ends.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// What the attached interpreter keeps under this name, borrowed; NULL: nothing.
pub(crate) fn kept(_: Attached<'_>, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: attached; a dict that lives as long as the interpreter.
    unsafe {
        let place = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Get());
        if place.is_null() {
            return null_mut();
        }
        ffi::PyDict_GetItemString(place, name.as_ptr())
    }
}

/// Has the attached interpreter keep an object. `None`: an exception is set.
pub(crate) fn keep(_: Attached<'_>, name: &CStr, object: &Object) -> Option<()> {
    // SAFETY: as above; a live object.
    unsafe {
        let place = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Get());
        let kept = !place.is_null()
            && ffi::PyDict_SetItemString(place, name.as_ptr(), object.as_ptr()) == 0;
        kept.then_some(())
    }
}
