//! Defect: `contextvars.Token.MISSING` is there in the main interpreter alone.
//!
//! Has it: 3.12 and later, where each interpreter has its own dictionary of a static type.
//!
//! Cure: a new interpreter takes the object from a token, and puts it there. Nobody has looked for the name yet, so no
//! cache has to be told.

use crate::local::attach::Attached;

#[cfg(not(Py_3_12))]
pub(super) fn install(_: Attached<'_>) -> Option<()> {
    Some(())
}

/// Has the attached interpreter, a new one, get it. `None`: an exception is set.
#[cfg(Py_3_12)]
pub(super) fn install(py: Attached<'_>) -> Option<()> {
    use std::ptr::null_mut;

    use pyo3_ffi as ffi;

    use crate::local::python::object::Object;

    const NAME: &std::ffi::CStr = c"MISSING";
    // SAFETY: attached; C strings; live objects and new references. A type that is ready has a dictionary.
    unsafe {
        let variable = Object::owned(py, ffi::PyContextVar_New(c"subpy".as_ptr(), null_mut()))?;
        let token = Object::owned(py, ffi::PyContextVar_Set(variable.as_ptr(), ffi::Py_None()))?;
        let missing = token.attribute(py, c"old_value")?;
        if ffi::PyContextVar_Reset(variable.as_ptr(), token.as_ptr()) != 0 {
            return None;
        }
        let names = Object::owned(py, ffi::PyType_GetDict(ffi::Py_TYPE(token.as_ptr())))?;
        if names.item(py, NAME).is_some() {
            return Some(());
        }
        names.set_item(py, NAME, &missing)
    }
}
