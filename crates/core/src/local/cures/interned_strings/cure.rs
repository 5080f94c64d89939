//! See [`interned_strings`](super).

mod dict;
mod variables;

use std::ffi::c_void;

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;
use pyo3_ffi::{PyASCIIObject, PyCompactUnicodeObject};

use crate::local::attach::Attached;
use crate::local::cures::{allocator, tracemalloc};

/// The strings that an interpreter has interned for ever.
pub(crate) struct Interned(Vec<*mut ffi::PyObject>);

impl Interned {
    /// Those of the attached interpreter, which is about to end.
    pub(crate) fn of_attached(py: Attached<'_>) -> Self {
        let mut strings = Vec::new();
        if allocator::is_installed()
            && let Some(dict) = dict::of_attached(py)
        {
            let mut place = 0;
            let mut string = std::ptr::null_mut();
            // SAFETY: attached; nothing changes the dict meanwhile; its keys live.
            unsafe {
                while ffi::PyDict_Next(dict, &mut place, &mut string, std::ptr::null_mut()) != 0 {
                    if is_for_ever(string) {
                        strings.push(string);
                    }
                }
            }
        }
        Self(strings)
    }

    /// Frees them.
    ///
    /// # Safety
    /// Their interpreter has ended.
    pub(crate) unsafe fn free(self) {
        let (Some(first), Some(last)) = (self.0.iter().min(), self.0.iter().max()) else {
            return;
        };
        if tracemalloc::is_on() {
            return; // it has the names of files, from whatever interpreter
        }
        let Some(kept) = variables::pointing_between(*first as usize, *last as usize) else {
            return;
        };
        for string in self.0 {
            if kept.binary_search(&(string as usize)).is_err() {
                // SAFETY: by the caller's promise no object has it, and no variable, as was looked up.
                unsafe { free(string) };
            }
        }
    }
}

/// Whether it is a string of ours to free that Python never does.
///
/// # Safety
/// A live string.
unsafe fn is_for_ever(string: *mut ffi::PyObject) -> bool {
    /// Part of Python's or a module's own data.
    const STATIC: u32 = 1 << 7;
    // SAFETY: the caller's promise.
    unsafe {
        let head = &*string.cast::<PyASCIIObject>();
        head.interned() == ffi::SSTATE_INTERNED_IMMORTAL
            && head.state & STATIC == 0
            && head.compact() != 0
            && mi::mi_is_in_heap_region(string.cast())
    }
}

/// # Safety
/// As for [`is_for_ever`], which has said yes, but that nobody has it any more.
unsafe fn free(string: *mut ffi::PyObject) {
    // SAFETY: the caller's promise; what is compact is one block, and its UTF-8 another one.
    unsafe {
        if (*string.cast::<PyASCIIObject>()).ascii() == 0 {
            let utf8: *mut c_void = (*string.cast::<PyCompactUnicodeObject>()).utf8.cast();
            mi::mi_free(utf8);
        }
        mi::mi_free(string.cast());
    }
}
