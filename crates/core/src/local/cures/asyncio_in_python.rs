//! Defect: `_asyncio` keeps what it has of `asyncio` in C statics: the exceptions, the event loop policy, the set of all
//! tasks, those that run. They are those of the interpreter that has imported it first. In all others CancelledError is
//! not what `except asyncio.CancelledError` catches, so time limits, cancelling and task groups fail; `all_tasks()` has tasks
//! of other interpreters, and `get_event_loop()` their loops.
//!
//! Has it: 3.11 and before.
//!
//! Cure: interpreters other than the main one do without it. `asyncio` has all of it in Python, too, which is slower.

use crate::local::attach::Attached;
use crate::local::python::object::{Object, in_sys};

/// Has the attached interpreter do without it: to be called before it has imported anything of `asyncio`. `None`: an
/// exception is set.
pub(super) fn install(py: Attached<'_>) -> Option<()> {
    let modules = in_sys(py, c"modules")?;
    let name = Object::text(py, "_asyncio")?;
    modules.set_key(py, &name, &Object::none(py)?)
}
