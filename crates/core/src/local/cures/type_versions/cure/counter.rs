//! CPython's counter of the versions of immutable types: found, ended, and started again.

use std::ffi::{c_int, c_uint};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use pyo3_ffi as ffi;
use pyo3_ffi::PyTypeObject;

use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception};

unsafe extern "C" {
    fn PyUnstable_Type_AssignVersionTag(kind: *mut PyTypeObject) -> c_int;
    /// The state of Python. The counter is in its first part, at a place that differs by version.
    static _PyRuntime: [AtomicU32; WORDS];
}

/// How many words of that state are searched.
const WORDS: usize = 16 * 1024;
/// Past what CPython counts to, and past what any interpreter counts to for mutable types. CPython counts on
/// from here for a few types that it makes without asking whether there is an end.
const ENDED: u32 = 1 << 31;

/// Which word is the counter, when it was ended.
static PLACE: AtomicUsize = AtomicUsize::new(0);

/// Ends it, and says what it was. To be called while the main interpreter is attached. `None`: other
/// interpreters count, too, or this Python is unknown.
pub(super) fn end(py: Attached<'_>) -> Option<u32> {
    let place = find(py);
    clear_exception(py);
    PLACE.store(place?, Ordering::Relaxed);
    Some(word(place?).swap(ENDED, Ordering::Relaxed))
}

/// Lets CPython count again, when it was ended.
pub(super) fn restart(next: u32) {
    word(PLACE.load(Ordering::Relaxed)).store(next, Ordering::Relaxed);
}

/// Has CPython give a type a version, and its bases. Says whether it has one now.
///
/// # Safety
/// A live type of the attached interpreter.
pub(super) unsafe fn count_in(kind: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { PyUnstable_Type_AssignVersionTag(kind) == 1 }
}

fn word(place: usize) -> &'static AtomicU32 {
    // SAFETY: Python's state lives as long as the process, and is larger than that.
    unsafe { &_PyRuntime[place] }
}

/// By counting: a new type gets the number that is there, and leaves the next one.
fn find(py: Attached<'_>) -> Option<usize> {
    let next = count(py)? + 1;
    let mut places: Vec<_> = (0..WORDS).filter(|&place| is_at(place, next)).collect();
    for _ in 0..3 {
        let next = count(py)? + 1;
        places.retain(|&place| is_at(place, next));
    }
    match places[..] {
        [place] => Some(place),
        _ => None,
    }
}

fn is_at(place: usize, number: u32) -> bool {
    word(place).load(Ordering::Relaxed) == number
}

/// The version of a new immutable type.
fn count(py: Attached<'_>) -> Option<u32> {
    let mut no_slots = [ffi::PyType_Slot {
        slot: 0,
        pfunc: null_mut(),
    }];
    let mut spec = ffi::PyType_Spec {
        name: c"subpy.counted".as_ptr(),
        basicsize: 0,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_IMMUTABLETYPE) as c_uint,
        slots: no_slots.as_mut_ptr(),
    };
    // SAFETY: attached; a whole spec, which is copied; a new type.
    unsafe {
        let counted = Object::owned(py, ffi::PyType_FromSpec(&mut spec))?;
        let counted = counted.as_ptr().cast();
        count_in(counted).then_some((*counted).tp_version_tag)
    }
}
