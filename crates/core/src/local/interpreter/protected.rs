//! Python code that must not be interrupted where it stands: it has changed something, or taken a lock, and
//! is not yet inside of the `try` that would undo that. An interrupt waits for its next safe point.
//!
//! - importlib: an import lock stays held by the OS thread for ever, and the next import in another one
//!   waits for it;
//! - asyncio: a wake-up is lost in the functions of loops, handles, futures and tasks that pass it on, and
//!   `asyncio.run()` waits for the task for ever. (A loop can still be interrupted where it looks for events: in
//!   `selectors`.)
//! - a `with`, on 3.14: see [`entered_with`];
//! - threading, logging, concurrent.futures: what takes a lock has it, and has not said so to the `with` or the `try`
//!   that calls it. A thread that has just started waits for that lock, say, and never ends. What their functions do
//!   between two calls of other code is short, but for those that wait.

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;
use std::ffi::CStr;

use crate::local::attach::Attached;
use crate::local::cures::entered_with;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::object::{Object, clear_exception};

/// Where a thread state stands, for an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodePosition {
    /// In Python code that an interrupt may end.
    Open,
    /// In Python code that must not be interrupted where it stands.
    Protected,
    /// The same in asyncio, which handlers of signals are made for: they are called there, as CPython calls them.
    EventLoop,
    /// Outside of Python code. An exception would be for nobody: CPython, which makes the last pending calls when it
    /// ends an interpreter, prints it, and from 3.13 on goes on as long as there is another call.
    Outside,
}

/// Where a thread state of the attached interpreter stands.
pub(crate) fn position_of(py: Attached<'_>, thread_state: *mut PyThreadState) -> CodePosition {
    // SAFETY: attached to its interpreter; new references.
    let frame_and_code = unsafe {
        let frame = Object::owned(py, ffi::PyThreadState_GetFrame(thread_state).cast());
        frame.and_then(|frame| {
            let code = ffi::PyFrame_GetCode(frame.as_ptr().cast());
            Some((frame, Object::owned(py, code.cast())?))
        })
    };
    let Some((frame, code)) = frame_and_code else {
        return CodePosition::Outside;
    };
    let text = |name: &CStr| code.attribute(py, name)?.to_text(py);
    let (file, name) = (text(c"co_filename"), text(c"co_name"));
    let is_entering = entered_with::stands_behind_enter(py, &frame, &code);
    clear_exception(py);
    if is_entering {
        CodePosition::Protected
    } else {
        position_in(&file.unwrap_or_default(), &name.unwrap_or_default())
    }
}

/// Functions of threading that go on for ever, or where others do. (Before 3.12 an interrupt sees where a script lets go
/// of the GIL, and nothing else: one that waits again and again is seen where it waits.)
#[cfg(Py_3_12)]
const WAITING: &[&str] = &["wait_for"];
#[cfg(not(Py_3_12))]
const WAITING: &[&str] = &["wait_for", "wait", "_wait_for_tstate_lock"];

const ASYNCIO: &[&str] = &[
    "/asyncio/base_events.py",
    "/asyncio/events.py",
    "/asyncio/futures.py",
    "/asyncio/tasks.py",
];

fn position_in(file: &str, function: &str) -> CodePosition {
    let is_protected = file.starts_with("<frozen importlib")
        || file.ends_with("/threading.py") && !WAITING.contains(&function)
        || file.ends_with("/logging/__init__.py")
        || file.ends_with("/concurrent/futures/_base.py")
            && ["__enter__", "__exit__"].contains(&function);
    if is_protected {
        CodePosition::Protected
    } else if ASYNCIO.iter().any(|name| file.ends_with(name)) {
        CodePosition::EventLoop
    } else {
        CodePosition::Open
    }
}

/// Releases the locks of importlib that the calling thread holds: it imports nothing now. (Before 3.12 an
/// interrupt can't see where it will be raised.)
pub(crate) fn release_import_locks(py: Attached<'_>) {
    static RELEASE: EmbeddedCode = EmbeddedCode::new(
        c"<subpy>",
        c"
import _frozen_importlib, _imp, _thread

def release(release_lock):
    try:
        while True:
            release_lock()
    except RuntimeError:
        pass

for lock in [ref() for ref in list(_frozen_importlib._module_locks.values())]:
    if lock is not None and getattr(lock, 'owner', None) == _thread.get_ident():
        release(lock.release)
release(_imp.release_lock)
",
    );
    drop(RELEASE.run(py));
    clear_exception(py);
}
