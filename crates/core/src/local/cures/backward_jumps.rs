//! Defect: an exception that comes at the jump back to the start of a loop, as an interrupt does, may pass by the `try` or
//! the `with` that the loop stands in: no `except`, no `finally`, no `__exit__`. `queue.Queue.get()` with a timeout keeps its
//! lock then, and the next call waits for ever.
//!
//! Has it: 3.11 to 3.14, each at other loops. 3.11 and 3.12, where a `try` begins with `while True`: they take the handler of
//! what stands before the place that the jump leads to (gh-108214). 3.13, at a `while` with a condition, and 3.14, where an
//! `if` ends the loop: the compiler turns a conditional jump backwards into one forwards and a second one, and leaves that
//! out of the table of handlers (gh-130279).
//!
//! Cure: before an exception is raised where a thread stands at such a jump, or left there, its code gets another table. In
//! that, the jump has its own handler, or that of its condition. CPython reads the table whenever it looks for a handler,
//! with the GIL held, and keeps nothing of it. When the run has ended, the code gets its own table again.
//!
//! Not cured: the code that is frozen into Python to 3.12, which all interpreters share.

#[cfg(all(Py_3_11, not(Py_3_15)))]
mod cure;
#[cfg(any(test, all(Py_3_11, not(Py_3_15))))]
mod table;

#[cfg(all(Py_3_11, not(Py_3_15)))]
pub(crate) use cure::{cover, uncover};

/// Nothing to do in this version.
#[cfg(not(all(Py_3_11, not(Py_3_15))))]
pub(crate) fn cover(_: crate::local::attach::Attached<'_>, _: *mut pyo3_ffi::PyThreadState) {}

#[cfg(not(all(Py_3_11, not(Py_3_15))))]
pub(crate) fn uncover(_: crate::local::attach::Attached<'_>) {}
