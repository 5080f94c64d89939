//! Python threads of scripts that still run when their interpreter is to end.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::python::object::{Object, clear_exception, imported, type_name_of};
use crate::local::python::thread_states;

/// How many a message names, and with how many characters.
const NAMED: usize = 8;
const CHARACTERS: usize = 64;

/// `Busy` if the attached interpreter has Python threads.
pub(crate) fn none(id: Id) -> Result<()> {
    let message = match thread_states::others() {
        0 => return Ok(()),
        1 => format!("interpreter {id} has 1 Python thread that still runs: end it first"),
        n => format!("interpreter {id} has {n} Python threads that still run: end them first"),
    };
    let names = names().unwrap_or_default();
    clear_exception();
    let message = match names.is_empty() {
        true => message,
        false => format!("{message} ({})", names.join(", ")),
    };
    Err(Error::new(Status::Busy, message))
}

/// What `threading` calls the threads that it has started. It is read without running code of a script.
fn names() -> Option<Vec<String>> {
    let threads = of_dict(&imported(c"threading")?, c"_active")?;
    // SAFETY: attached; live objects; a new list, whose items are borrowed.
    unsafe {
        let threads = Object::owned(ffi::PyDict_Values(threads.as_ptr()))?;
        let threads = (0..ffi::PyList_Size(threads.as_ptr()))
            .filter_map(|i| Object::borrowed(ffi::PyList_GetItem(threads.as_ptr(), i)));
        Some(threads.filter_map(|t| name(&t)).take(NAMED).collect())
    }
}

/// `None`: `threading` has not started it, but met it.
fn name(thread: &Object) -> Option<String> {
    // SAFETY: attached; a live object.
    let kind = unsafe { type_name_of(thread.as_ptr()) };
    if ["_MainThread", "_DummyThread"].contains(&kind.as_str()) {
        return None;
    }
    let name = of_dict(thread, c"_name")?.to_text()?;
    let name: String = name.chars().take(CHARACTERS).collect();
    // SAFETY: a constant.
    let yes = unsafe { ffi::Py_True() };
    Some(match of_dict(thread, c"_daemonic") {
        Some(is_daemon) if is_daemon.as_ptr() == yes => format!("{name:?}, a daemon thread"),
        _ => format!("{name:?}"),
    })
}

/// What an object's own dict has.
fn of_dict(object: &Object, name: &CStr) -> Option<Object> {
    // SAFETY: attached; a live object; a new reference, and a borrowed one.
    unsafe {
        let dict = Object::owned(ffi::PyObject_GenericGetDict(object.as_ptr(), null_mut()))?;
        Object::borrowed(ffi::PyDict_GetItemString(dict.as_ptr(), name.as_ptr()))
    }
}

/// Lets the idle workers of `concurrent.futures` end: they wait for work until Python shuts down.
pub(crate) fn dismiss_idle_workers() {
    let dismiss = || {
        let pools = imported(c"concurrent.futures.thread")?;
        // SAFETY: attached; live objects; new references.
        unsafe {
            ffi::PyObject_SetAttrString(pools.as_ptr(), c"_shutdown".as_ptr(), ffi::Py_True());
            let queues = pools
                .attribute(c"_threads_queues")?
                .attribute(c"values")?
                .call(&[])?;
            let queues = Object::owned(ffi::PySequence_List(queues.as_ptr()))?;
            let none = Object::borrowed(ffi::Py_None())?;
            for i in 0..ffi::PyList_Size(queues.as_ptr()) {
                let queue = Object::borrowed(ffi::PyList_GetItem(queues.as_ptr(), i))?;
                queue.attribute(c"put")?.call(&[&none])?;
            }
        }
        Some(())
    };
    dismiss();
    clear_exception();
}
