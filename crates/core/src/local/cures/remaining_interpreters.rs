//! Defect: `Py_FinalizeEx` ends the process when there are other interpreters than the main one: "remaining
//! subinterpreters". 3.13 and later end them, with what runs in them and all that the host holds of them.
//!
//! Has it: every version, where the host has started Python itself and ends it before it has given subpy back.
//!
//! Cure: they are ended before, by an exit function of the main interpreter. `Py_FinalizeEx` calls it in its own thread,
//! which is attached, while everything in Python works still.

use std::sync::OnceLock;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::method::{Method, method};
use crate::local::python::object::{clear_exception, import};

/// Ends the interpreters.
static END: OnceLock<fn()> = OnceLock::new();

static EXIT: Method = Method::new(c"end_interpreters", exit, ffi::METH_NOARGS);

/// What is to be done before the host ends Python.
pub(crate) fn before_end(end: fn()) {
    END.get_or_init(|| end);
}

/// Registers the exit function in the attached interpreter. `None`: an exception is set.
pub(crate) fn register(py: Attached<'_>) -> Option<()> {
    let register = import(py, c"atexit")?.attribute(py, c"register")?;
    register.call(py, &[&EXIT.bind(py, None)?]).map(drop)
}

/// Takes it back.
pub(crate) fn unregister(py: Attached<'_>) {
    let unregister = || {
        let unregister = import(py, c"atexit")?.attribute(py, c"unregister")?;
        unregister.call(py, &[&EXIT.bind(py, None)?]).map(drop)
    };
    if unregister().is_none() {
        clear_exception(py);
    }
}

method!(exit, |py, _, _| {
    if let Some(end) = END.get() {
        end();
    }
    Object::none(py)
});
