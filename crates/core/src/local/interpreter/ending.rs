//! What goes before the end of an interpreter: its exit functions run.
//!
//! CPython's `Py_EndInterpreter` runs them, too, but it aborts the process when an exit function has started a
//! thread, and waits for a `threading.Thread` for ever. So they run first, and we look for threads then.
//!
//! What scripts have left to be run at the end, exit functions first and finalizers later, has a limit of
//! time each, and can be interrupted as a run can. (Before 3.12, finalizers can't.)

use std::ffi::CStr;
use std::sync::Arc;
use std::time::Duration;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
#[cfg(Py_3_12)]
use crate::local::cures::tracemalloc;
#[cfg(Py_3_12)]
use crate::local::enter;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::shared::Shared;
#[cfg(Py_3_12)]
use crate::local::python::capsule::capsule;
#[cfg(Py_3_12)]
use crate::local::python::interpreter_dict::keep;
use crate::local::python::object::{Object, built_in, clear_exception, imported};
#[cfg(Py_3_12)]
use crate::local::stack::with_room_if_any;
use crate::local::thread::wait_signal::Unblocked;

/// How often exit functions may register new ones.
const ROUNDS: usize = 100;

/// How long exit functions may take, and finalizers again.
pub(crate) const END_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the exit functions of the attached interpreter, which may take `time`. None of them is left
/// afterwards. To be called by the holder of a claim to end it.
pub(crate) fn run_exit_functions(py: Attached<'_>, shared: &Arc<Shared>, time: Duration) {
    let _unblocked = Unblocked::new();
    shared.state.set_runs_at_end(true);
    let deadline = Deadline::new(shared, time, None).ok();
    run_all_exit_functions(py);
    drop(deadline);
    shared.end_asks(py);
}

/// What Python runs while it ends the attached interpreter may take `time`. To be called by the holder of
/// a claim to end it, when nothing but `Py_EndInterpreter` or `Py_Finalize` is left to do.
///
/// The limit hangs on the interpreter's dictionary, which goes after all modules and before the
/// interpreter's memory.
#[cfg(Py_3_12)]
pub(crate) fn limit_end(py: Attached<'_>, shared: &Arc<Shared>, time: Duration) {
    struct Limit(Arc<Shared>, Option<Deadline>);

    impl Drop for Limit {
        fn drop(&mut self) {
            drop(self.1.take());
            if !self.0.shares_gil && tracemalloc::has_names_that_go() {
                with_room_if_any(|room| {
                    enter::in_main_interpreter(room, tracemalloc::forget_names)
                });
            }
            self.0.state.set_runs_at_end(false);
            // Attached: those who ask need no GIL.
            self.0.wait_for_requesters();
        }
    }

    const NAME: &CStr = c"subpy.limit";
    shared.state.set_runs_at_end(true);
    let deadline = Deadline::new(shared, time, None).ok();
    let limit = capsule(py, NAME, Limit(shared.clone(), deadline));
    let _ = limit.and_then(|limit| keep(py, NAME, &limit));
    clear_exception(py);
}

/// Not in these versions: who asks needs the GIL there, and a thread state.
#[cfg(not(Py_3_12))]
pub(crate) fn limit_end(_: Attached<'_>, _: &Arc<Shared>, _: Duration) {}

/// As it would itself: those of `threading`, the latest first, then those of `atexit`.
fn run_all_exit_functions(py: Attached<'_>) {
    if let Some(threading) = imported(py, c"threading") {
        run_all(py, &threading);
    }
    if let Some(atexit) = built_in(py, c"atexit") {
        let call = |name: &CStr| atexit.attribute(py, name)?.call(py, &[]);
        for _ in 0..ROUNDS {
            if call(c"_ncallbacks").and_then(|count| count.truth(py)) != Some(true) {
                break;
            }
            if call(c"_run_exitfuncs").is_none() {
                report(&atexit);
            }
        }
        clear_exception(py); // what a script has put in its place may raise anything
        call(c"_clear");
    }
    clear_exception(py);
}

/// The functions that `threading._register_atexit` has taken.
fn run_all(py: Attached<'_>, threading: &Object) {
    let Some(functions) = threading.attribute(py, c"_threading_atexits") else {
        return clear_exception(py);
    };
    for _ in 0..ROUNDS {
        // SAFETY: attached; results are new.
        let next = unsafe {
            match ffi::PyList_Size(functions.as_ptr()) {
                count if count > 0 => functions
                    .attribute(py, c"pop")
                    .and_then(|pop| pop.call(py, &[])),
                _ => None,
            }
        };
        let Some(next) = next else { break };
        if next.call(py, &[]).is_none() {
            report(&next);
        }
    }
    clear_exception(py);
}

/// Tells `sys.unraisablehook` of the exception that is set.
fn report(whence: &Object) {
    // SAFETY: attached, with an exception set.
    unsafe { ffi::PyErr_WriteUnraisable(whence.as_ptr()) }
}
