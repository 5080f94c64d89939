//! Defect: `Py_FinalizeEx` ends the process when there are other interpreters than the main one: "remaining
//! subinterpreters". 3.13 and later end them, with what runs in them and all that the host holds of them.
//!
//! Has it: every version, where the host has started Python itself and ends it before it has given subpy back.
//!
//! Cure: they are ended before, by an exit function of the main interpreter. `Py_FinalizeEx` calls it in its own thread,
//! which is attached, while everything in Python works still.

use std::sync::OnceLock;

use pyo3_ffi as ffi;

use crate::local::python::method::Method;
use crate::local::python::object::{clear_exception, import};

/// Ends the interpreters.
static END: OnceLock<fn()> = OnceLock::new();

static EXIT: Method = Method::new(c"end_interpreters", exit, ffi::METH_NOARGS);

/// What is to be done before the host ends Python.
pub(crate) fn before_end(end: fn()) {
    END.get_or_init(|| end);
}

/// Registers the exit function in the attached interpreter. `None`: an exception is set.
pub(crate) fn register() -> Option<()> {
    let register = import(c"atexit")?.attribute(c"register")?;
    register.call(&[&EXIT.bind(None)?]).map(drop)
}

/// Takes it back.
pub(crate) fn unregister() {
    let unregister = || {
        let unregister = import(c"atexit")?.attribute(c"unregister")?;
        unregister.call(&[&EXIT.bind(None)?]).map(drop)
    };
    if unregister().is_none() {
        clear_exception();
    }
}

unsafe extern "C" fn exit(_: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    if let Some(end) = END.get() {
        end();
    }
    // SAFETY: attached, as exit functions are called.
    unsafe {
        let none = ffi::Py_None();
        ffi::Py_INCREF(none);
        none
    }
}
