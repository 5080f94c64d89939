//! Python threads of scripts that still run when their interpreter is to end.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception, imported};
use crate::local::python::thread_states;

/// How many a message names, and with how many characters.
const NAMED: usize = 8;
const CHARACTERS: usize = 64;

/// `Busy` if the attached interpreter has Python threads.
pub(crate) fn none(py: Attached<'_>, id: Id) -> Result<()> {
    let message = match thread_states::others(py) {
        0 => return Ok(()),
        1 => format!("interpreter {id} has 1 Python thread that still runs: end it first"),
        n => format!("interpreter {id} has {n} Python threads that still run: end them first"),
    };
    let names = names(py).unwrap_or_default();
    clear_exception(py);
    let message = match names.is_empty() {
        true => message,
        false => format!("{message} ({})", names.join(", ")),
    };
    Err(Error::new(Status::Busy, message))
}

/// What `threading` calls the threads that it has started. It is read without running code of a script.
fn names(py: Attached<'_>) -> Option<Vec<String>> {
    let threads = of_dict(py, &imported(py, c"threading")?, c"_active")?;
    // SAFETY: attached; a live object; a new list.
    let threads = unsafe { Object::owned(py, ffi::PyDict_Values(threads.as_ptr()))? };
    let names = threads.items(py).filter_map(|thread| name(py, &thread));
    Some(names.take(NAMED).collect())
}

/// `None`: `threading` has not started it, but met it.
fn name(py: Attached<'_>, thread: &Object) -> Option<String> {
    let kind = thread.type_name(py);
    if ["_MainThread", "_DummyThread"].contains(&kind.as_str()) {
        return None;
    }
    let name = of_dict(py, thread, c"_name")?.to_text(py)?;
    let name: String = name.chars().take(CHARACTERS).collect();
    Some(match of_dict(py, thread, c"_daemonic") {
        Some(is_daemon) if is_daemon.is_true(py) => format!("{name:?}, a daemon thread"),
        _ => format!("{name:?}"),
    })
}

/// What an object's own dict has.
fn of_dict(py: Attached<'_>, object: &Object, name: &CStr) -> Option<Object> {
    // SAFETY: attached; a live object; a new reference.
    let dict = unsafe {
        let dict = ffi::PyObject_GenericGetDict(object.as_ptr(), null_mut());
        Object::owned(py, dict)?
    };
    dict.item(py, name)
}

/// Lets the idle workers of `concurrent.futures` end: they wait for work until Python shuts down.
pub(crate) fn dismiss_idle_workers(py: Attached<'_>) {
    let dismiss = || {
        let pools = imported(py, c"concurrent.futures.thread")?;
        pools.set(py, c"_shutdown", &Object::bool(py, true)?);
        let queues = pools
            .attribute(py, c"_threads_queues")?
            .attribute(py, c"values")?
            .call(py, &[])?;
        // SAFETY: attached; a live object; a new reference.
        let queues = unsafe { Object::owned(py, ffi::PySequence_List(queues.as_ptr()))? };
        let none = Object::none(py)?;
        for queue in queues.items(py) {
            queue.attribute(py, c"put")?.call(py, &[&none])?;
        }
        Some(())
    };
    dismiss();
    clear_exception(py);
}
