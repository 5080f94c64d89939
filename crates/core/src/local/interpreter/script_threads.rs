//! Threads that scripts start: how many there may be, and how much CPU time they use.
//!
//! The functions of `_thread` that start one are ours. They call CPython's, which see a function of ours in the place of
//! the script's: it notes the thread while it runs.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use crate::local::attach::Attached;
use crate::local::cures::{refused_threads, stack_bounds, stdlib_functions};
use crate::local::interpreter::running_threads::Running;
use crate::local::interpreter::shared::Shared;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::exception::{RUNTIME_ERROR, SYSTEM_EXIT};
use crate::local::python::method::{Method, answer};
use crate::local::python::object::{Object, clear_exception, import, imported};
use crate::local::python::thread_states;

/// The functions of `_thread`, and the name that `threading` has for each.
static STARTERS: &[(&CStr, &CStr)] = &[
    (c"start_new_thread", c"_start_new_thread"),
    (c"start_new", c"_start_new"),
    #[cfg(Py_3_13)]
    (c"start_joinable_thread", c"_start_joinable_thread"),
];

const SHARED: &CStr = c"subpy.shared";

/// Gives the attached interpreter its own functions. `None`: an exception is set.
pub(super) fn install(py: Attached<'_>, shared: &Arc<Shared>) -> Option<()> {
    let module = import(py, c"_thread")?;
    // What a site imports comes before us.
    let threading = imported(py, c"threading");
    let shared = capsule(py, SHARED, shared.clone())?;
    for (starter, copy) in STARTERS {
        let Some(replaced) = module.attribute(py, starter) else {
            clear_exception(py); // an old name that this Python has no more
            continue;
        };
        let method = stdlib_functions::method_like(&replaced, start)?;
        let own = Object::tuple(py, &[&replaced, &shared])?;
        let function = method.bind_in(py, Some(&own), &Object::text(py, "_thread")?)?;
        module.set(py, starter, &function)?;
        if let Some(threading) = &threading {
            match threading.attribute(py, copy) {
                Some(copied) if copied.as_ptr() == replaced.as_ptr() => {
                    threading.set(py, copy, &function)?;
                }
                _ => clear_exception(py),
            }
        }
    }
    Some(())
}

/// What a function of ours is bound to: one that it calls, and the interpreter.
fn bound(py: Attached<'_>, own: &Object) -> Option<(Object, Object, Arc<Shared>)> {
    let (function, capsule) = (own.at(py, 0)?, own.at(py, 1)?);
    let shared = value_of::<Arc<Shared>>(py, &capsule, SHARED).clone();
    Some((function, capsule, shared))
}

unsafe extern "C" fn start(
    own: *mut PyObject,
    arguments: *mut PyObject,
    keywords: *mut PyObject,
) -> *mut PyObject {
    answer(|py| {
        // SAFETY: called by Python, attached, with what `install` has bound, a tuple, and a dict or NULL.
        unsafe {
            let (replaced, capsule, shared) = bound(py, Object::lent(py, &own)?)?;
            let limit = shared.thread_limit.load(Ordering::Relaxed) as usize;
            if limit > 0 && thread_states::others(py) >= limit {
                let message =
                    format!("can't start new thread: there may be {limit} (thread_limit)");
                return RUNTIME_ERROR.raise(py, &message);
            }
            let arguments = noted(py, Object::lent(py, &arguments)?, &capsule)?;
            let start = || {
                let started = ffi::PyObject_Call(replaced.as_ptr(), arguments.as_ptr(), keywords);
                Object::owned(py, started)
            };
            refused_threads::starting(py, start)
        }
    })
}

/// The arguments of a function that starts a thread, with a function of ours in the place of the first one, where that can
/// be called.
fn noted(py: Attached<'_>, arguments: &Object, shared: &Object) -> Option<Object> {
    static RUN: Method = Method::with_keywords(c"run", run);
    // SAFETY: attached; a tuple.
    let count = unsafe { ffi::PyTuple_Size(arguments.as_ptr()) };
    let all: Option<Vec<Object>> = (0..count).map(|i| arguments.at(py, i)).collect();
    let mut all = all?;
    // SAFETY: attached; a live object.
    let can_be_called = |object: &Object| unsafe { ffi::PyCallable_Check(object.as_ptr()) != 0 };
    if let Some(function) = all.first_mut()
        && can_be_called(function)
    {
        let own = Object::tuple(py, &[function, shared])?;
        *function = RUN.bind(py, Some(&own))?;
    }
    Object::tuple(py, &all.iter().collect::<Vec<_>>())
}

/// What a thread runs.
unsafe extern "C" fn run(
    own: *mut PyObject,
    arguments: *mut PyObject,
    keywords: *mut PyObject,
) -> *mut PyObject {
    answer(|py| {
        // SAFETY: called by Python, attached, with what `noted` has bound, a tuple, and a dict or NULL.
        unsafe {
            let own = Object::lent(py, &own)?;
            let (function, capsule) = (own.at(py, 0)?, own.at(py, 1)?);
            let threads = value_of::<Arc<Shared>>(py, &capsule, SHARED)
                .threads
                .clone();
            let _running = Running::new(&threads);
            let call = || ffi::PyObject_Call(function.as_ptr(), arguments, keywords);
            match Object::owned(py, stack_bounds::with_room(py, call)) {
                Some(result) => Some(result),
                None if SYSTEM_EXIT.is_set(py) => None,
                None => {
                    report(py, &function);
                    Object::none(py)
                }
            }
        }
    })
}

/// Tells `sys.unraisablehook` of the exception that is set, in the words that CPython has for a thread.
fn report(_: Attached<'_>, function: &Object) {
    // SAFETY: attached, with an exception set; a format with one object.
    unsafe {
        #[cfg(Py_3_13)]
        {
            unsafe extern "C" {
                fn PyErr_FormatUnraisable(format: *const std::ffi::c_char, ...);
            }
            let format = c"Exception ignored in thread started by %R".as_ptr();
            PyErr_FormatUnraisable(format, function.as_ptr());
        }
        #[cfg(not(Py_3_13))]
        {
            unsafe extern "C" {
                fn _PyErr_WriteUnraisableMsg(
                    message: *const std::ffi::c_char,
                    object: *mut PyObject,
                );
            }
            _PyErr_WriteUnraisableMsg(c"in thread started by".as_ptr(), function.as_ptr());
        }
    }
}
