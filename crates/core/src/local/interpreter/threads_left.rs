//! Python threads of scripts that still run when their interpreter is to end.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach::Attached;
use crate::local::cures::main_thread;
use crate::local::python::gc_pause::without_collection;
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
    // To 3.11 a collection may let go of the GIL, and a thread state may go then.
    let threads = without_collection(py, || described(py));
    let message = match threads.is_empty() {
        true => message,
        false => format!("{message} ({})", threads.join(", ")),
    };
    Err(Error::new(Status::Busy, message))
}

/// What `threading` calls the threads that it has started.
pub(super) fn names(py: Attached<'_>) -> Vec<String> {
    let names = active(py)
        .into_iter()
        .filter_map(|(_, thread)| name(py, &thread));
    let names = names.collect();
    clear_exception(py);
    names
}

/// The numbers of those that Python itself waits for when it ends: they are no daemon threads.
pub(super) fn awaited(py: Attached<'_>) -> Vec<u64> {
    let threads = active(py).into_iter();
    let threads =
        threads.filter(|(_, thread)| name(py, thread).is_some() && !is_daemon(py, thread));
    let numbers = threads.map(|(number, _)| number).collect();
    clear_exception(py);
    numbers
}

/// The threads by name, each with the Python code that it is in.
fn described(py: Attached<'_>) -> Vec<String> {
    let states = thread_states::all_of_attached(py);
    // SAFETY: of the attached interpreter.
    let number_of = |state: *mut PyThreadState| unsafe { main_thread::number_of(state) };
    let threads = active(py).into_iter().filter_map(|(number, thread)| {
        let name: String = name(py, &thread)?.chars().take(CHARACTERS).collect();
        let daemon = if is_daemon(py, &thread) {
            ", a daemon thread"
        } else {
            ""
        };
        let state = states
            .iter()
            .find(|state| number_of(**state) == Some(number));
        let place = state
            .and_then(|state| place(py, *state))
            .unwrap_or_default();
        Some(format!("{name:?}{daemon}{place}"))
    });
    let described = threads.take(NAMED).collect();
    clear_exception(py);
    described
}

/// The Python code that a thread state of the attached interpreter is in.
fn place(py: Attached<'_>, state: *mut PyThreadState) -> Option<String> {
    // SAFETY: attached to its interpreter; new references.
    let (line, code) = unsafe {
        let frame = Object::owned(py, ffi::PyThreadState_GetFrame(state).cast())?;
        let frame = frame.as_ptr().cast();
        let code = Object::owned(py, ffi::PyFrame_GetCode(frame).cast())?;
        (ffi::PyFrame_GetLineNumber(frame), code)
    };
    let text = |name: &CStr| code.attribute(py, name)?.to_text(py);
    let (function, file) = (text(c"co_name")?, text(c"co_filename")?);
    Some(format!(" in {function}, {file:?}, line {line}"))
}

/// The threads that `threading` knows, by their numbers. They are read without running code of a script.
fn active(py: Attached<'_>) -> Vec<(u64, Object)> {
    let threads = || {
        let threads = of_dict(py, &imported(py, c"threading")?, c"_active")?;
        // SAFETY: attached; a live object; a new list of pairs, or NULL.
        unsafe { Object::owned(py, ffi::PyDict_Items(threads.as_ptr())) }
    };
    let Some(pairs) = threads() else {
        return Vec::new();
    };
    let pair = |pair: Object| Some((pair.at(py, 0)?.number(py) as u64, pair.at(py, 1)?));
    pairs.items(py).filter_map(pair).collect()
}

/// `None`: `threading` has not started it, but met it.
fn name(py: Attached<'_>, thread: &Object) -> Option<String> {
    let kind = thread.type_name(py);
    if ["_MainThread", "_DummyThread"].contains(&kind.as_str()) {
        return None;
    }
    of_dict(py, thread, c"_name")?.to_text(py)
}

fn is_daemon(py: Attached<'_>, thread: &Object) -> bool {
    of_dict(py, thread, c"_daemonic").is_some_and(|is| is.is_true(py))
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
