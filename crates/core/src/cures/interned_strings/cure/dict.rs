//! Where an interpreter keeps the strings that it has interned: a dict, somewhere in its state.

use std::mem::size_of;
use std::sync::OnceLock;

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;
use pyo3_ffi::PyInterpreterState;

use crate::python::object::{Object, clear_exception};

/// That of the attached interpreter, unless it shares the main one's, or this Python is unknown.
pub(super) fn of_attached() -> Option<*mut ffi::PyObject> {
    static PLACE: OnceLock<Option<usize>> = OnceLock::new();
    // SAFETY: attached.
    let (here, main) = unsafe {
        (
            ffi::PyInterpreterState_Get(),
            ffi::PyInterpreterState_Main(),
        )
    };
    let place = (*PLACE.get_or_init(|| find(here)))?;
    let at = |state: *mut PyInterpreterState| {
        // SAFETY: a word of a state that lives, which never changes.
        unsafe { *state.cast::<*mut ffi::PyObject>().add(place) }
    };
    (at(here) != at(main)).then(|| at(here))
}

/// Which word of the interpreter's state points to the dict: the first one that points to a dict which has a
/// string that is interned here.
fn find(state: *mut PyInterpreterState) -> Option<usize> {
    let probe = Object::interned("subpy: a text that nobody else has")?;
    let place = words(state)
        .iter()
        .position(|&word| is_dict_with(word as *mut _, &probe));
    clear_exception();
    place
}

/// The words of a state, and what comes after it: its size is not known.
fn words(state: *mut PyInterpreterState) -> Vec<usize> {
    /// More than any version has.
    const MOST: usize = 64 * 1024;
    let mut words = vec![0; MOST];
    let bytes = copy(state as usize, &mut words);
    words.truncate(bytes / size_of::<usize>());
    words
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

/// Copies what is there, if anything is, and says how many bytes.
fn copy(from: usize, to: &mut [usize]) -> usize {
    let length = size_of_val(to);
    let vector = |start: usize, length| libc::iovec {
        iov_base: start as *mut _,
        iov_len: length,
    };
    /// The system copies page by page, up to one that isn't there.
    const PAGE: usize = 4096;
    let end = from + length;
    let mut pages = vec![];
    let mut start = from;
    while start < end {
        let next = ((start / PAGE + 1) * PAGE).min(end);
        pages.push(vector(start, next - start));
        start = next;
    }
    // SAFETY: what is written to is ours, and what is read is checked by the system.
    let copied = unsafe {
        let to = vector(to.as_mut_ptr() as usize, length);
        libc::process_vm_readv(
            libc::getpid(),
            &to,
            1,
            pages.as_ptr(),
            pages.len() as u64,
            0,
        )
    };
    usize::try_from(copied).unwrap_or(0)
}
