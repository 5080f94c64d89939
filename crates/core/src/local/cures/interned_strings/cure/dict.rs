//! Where an interpreter keeps the strings that it has interned: a dict, somewhere in its state.

use std::mem::size_of;
use std::sync::OnceLock;

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;
use pyo3_ffi::PyInterpreterState;

use crate::local::attach::Attached;
use crate::local::cures::interpreter_struct::{copy, words};
use crate::local::python::object::{Object, clear_exception};
use crate::local::python::thread_states;

/// That of the attached interpreter, unless it shares the main one's, or this Python is unknown.
pub(super) fn of_attached(py: Attached<'_>) -> Option<*mut ffi::PyObject> {
    static PLACE: OnceLock<Option<usize>> = OnceLock::new();
    let (here, main) = (
        thread_states::interpreter(py),
        thread_states::main_interpreter(),
    );
    let place = (*PLACE.get_or_init(|| find(py, here)))?;
    let at = |state: *mut PyInterpreterState| {
        // SAFETY: a word of a state that lives, which never changes.
        unsafe { *state.cast::<*mut ffi::PyObject>().add(place) }
    };
    (at(here) != at(main)).then(|| at(here))
}

/// Which word of the interpreter's state points to the dict: the first one that points to a dict which has a
/// string that is interned here.
fn find(py: Attached<'_>, state: *mut PyInterpreterState) -> Option<usize> {
    let probe = Object::interned(py, "subpy: a text that nobody else has")?;
    let place = words(state).position(|word| is_dict_with(word as *mut _, &probe));
    clear_exception(py);
    place
}

fn is_dict_with(object: *mut ffi::PyObject, probe: &Object) -> bool {
    let mut head = [0; size_of::<ffi::PyObject>() / size_of::<usize>()];
    // SAFETY: any address will do; a dict of the attached interpreter, whose state is what is searched.
    unsafe {
        mi::mi_is_in_heap_region(object.cast())
            && object.is_aligned()
            && copy(object as usize, &mut head) == size_of::<ffi::PyObject>()
            && head[0] != 0 // those that are kept for the next dict have no reference
            && head[1] == (&raw mut ffi::PyDict_Type) as usize
            && ffi::PyDict_GetItem(object, probe.as_ptr()) == probe.as_ptr()
    }
}
