//! What an interpreter keeps for us: in a dict of its own, which goes when it ends.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;
use crate::local::python::thread_states;

fn place(py: Attached<'_>) -> Option<Object> {
    // SAFETY: attached; a dict that lives as long as the interpreter, or NULL.
    unsafe {
        let place = ffi::PyInterpreterState_GetDict(thread_states::interpreter(py));
        Object::borrowed(py, place)
    }
}

/// What the attached interpreter keeps under this name.
pub(crate) fn kept(py: Attached<'_>, name: &CStr) -> Option<Object> {
    place(py)?.item(py, name)
}

/// Has the attached interpreter keep an object. `None`: an exception is set.
pub(crate) fn keep(py: Attached<'_>, name: &CStr, object: &Object) -> Option<()> {
    place(py)?.set_item(py, name, object)
}
