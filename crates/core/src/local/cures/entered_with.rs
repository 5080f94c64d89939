//! Defect: an exception may come between the call of a `with`'s `__enter__` and its block, as an interrupt does: `__exit__` is
//! not called, and a lock stays locked (gh-148874).
//!
//! Has it: 3.14.
//!
//! Cure: what brings an exception asks first whether a thread stands there. It waits for the next safe point then.

#[cfg(all(Py_3_14, not(Py_3_15)))]
use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::Object;

#[cfg(all(Py_3_14, not(Py_3_15)))]
const CALL: u8 = 52;
#[cfg(all(Py_3_14, not(Py_3_15)))]
const LOAD_SPECIAL: u8 = 95;

/// Whether a frame of this code stands behind the call of an `__enter__`.
#[cfg(all(Py_3_14, not(Py_3_15)))]
pub(crate) fn stands_behind_enter(py: Attached<'_>, frame: &Object, code: &Object) -> bool {
    let stands = || {
        // SAFETY: attached; a frame.
        let last = unsafe { ffi::PyFrame_GetLasti(frame.as_ptr().cast()) };
        let at = usize::try_from(last).ok()?;
        let instructions = code.attribute(py, c"co_code")?;
        let instructions = instructions.bytes(py)?;
        // An instruction and its argument have two bytes.
        let before = instructions.get(at.checked_sub(2)?)?;
        Some((*before, *instructions.get(at)?) == (LOAD_SPECIAL, CALL))
    };
    stands() == Some(true)
}

/// Never, in this version.
#[cfg(not(all(Py_3_14, not(Py_3_15))))]
pub(crate) fn stands_behind_enter(_: Attached<'_>, _: &Object, _: &Object) -> bool {
    false
}
