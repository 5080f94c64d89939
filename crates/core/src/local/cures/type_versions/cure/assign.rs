//! Giving immutable types their versions.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3_ffi as ffi;
use pyo3_ffi::PyTypeObject;

use super::counter;
use crate::local::attach::Attached;
use crate::local::python::object::{Object, subclasses_and_object};

/// Versions from here on are those of mutable types; each interpreter counts them itself.
const END: u32 = 2 << 16;

/// Versions from here on, to [`END`], are those of types that more than one interpreter may see; those before,
/// as many as CPython has not given, are each interpreter's own.
static FIRST_SHARED: AtomicU32 = AtomicU32::new(END);
/// The next of the shared ones.
static NEXT_SHARED: AtomicU32 = AtomicU32::new(END);

/// The versions that are an interpreter's own to give.
#[repr(C)]
pub(super) struct Versions {
    next: Cell<u32>,
    end: Cell<u32>,
}

impl Versions {
    pub(super) fn set(&self, next: u32, end: u32) {
        self.next.set(next);
        self.end.set(end);
    }

    fn take(&self) -> (u32, u32) {
        (self.next.replace(self.next.get() + 1), self.end.get())
    }
}

/// Those that each interpreter has.
pub(super) fn own_from(first: u32) -> std::ops::Range<u32> {
    first..FIRST_SHARED.load(Ordering::Relaxed)
}

/// CPython has given the versions before `first`.
pub(super) fn begin(first: u32) {
    let shared = first + END.saturating_sub(first) / 4;
    FIRST_SHARED.store(shared, Ordering::Relaxed);
    NEXT_SHARED.store(shared, Ordering::Relaxed);
}

/// The first version that no type has.
pub(super) fn end() -> u32 {
    NEXT_SHARED.load(Ordering::Relaxed)
}

/// Gives the immutable types of the attached interpreter that have none a version. `own`: what it has to give;
/// `None` in the main interpreter. `None`: an exception is set.
pub(super) fn give_versions(py: Attached<'_>, own: Option<&Versions>) -> Option<()> {
    let (subclasses, object) = subclasses_and_object(py)?;
    Giver { subclasses, own }.below(py, &object)
}

struct Giver<'a> {
    /// `type.__subclasses__`
    subclasses: Object,
    /// `None`: all are shared.
    own: Option<&'a Versions>,
}

impl Giver<'_> {
    /// To all immutable types that are derived from this one by immutable ones.
    fn below(&self, py: Attached<'_>, base: &Object) -> Option<()> {
        let kinds = self.subclasses.call(py, &[base])?;
        for kind in kinds.items(py) {
            if is_immutable(kind.as_ptr().cast()) {
                // SAFETY: attached; a live type.
                unsafe { self.give(kind.as_ptr().cast()) };
                self.below(py, &kind)?;
            }
        }
        Some(())
    }

    /// Gives a type a version, unless it has one, and its bases first, as CPython does. Says whether it has
    /// one now.
    ///
    /// # Safety
    /// A live type.
    unsafe fn give(&self, kind: *mut PyTypeObject) -> bool {
        // SAFETY: the caller's promise, and a type keeps its bases.
        unsafe {
            if has_version(kind) {
                return true;
            }
            if !is_immutable(kind) {
                return counter::count_in(kind);
            }
            let bases = (*kind).tp_bases;
            let all = (0..ffi::PyTuple_Size(bases))
                .all(|i| self.give(ffi::PyTuple_GetItem(bases, i).cast()));
            if !all {
                return false;
            }
            let is_own = (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0;
            let (next, end) = match self.own.filter(|_| is_own) {
                Some(own) => own.take(),
                None => (NEXT_SHARED.fetch_add(1, Ordering::Relaxed), END),
            };
            if next < end {
                set_version(kind, next);
            }
            next < end
        }
    }
}

fn is_immutable(kind: *const PyTypeObject) -> bool {
    // SAFETY: a live type, whose flag never changes.
    unsafe { (*kind).tp_flags & ffi::Py_TPFLAGS_IMMUTABLETYPE != 0 }
}

/// # Safety
/// A live type.
unsafe fn has_version(kind: *const PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if cfg!(Py_3_13) {
            (*kind).tp_version_tag != 0
        } else {
            (*kind).tp_flags & ffi::Py_TPFLAGS_VALID_VERSION_TAG != 0
        }
    }
}

/// # Safety
/// A live type without a version. Others may see it only if it is a static one.
unsafe fn set_version(kind: *mut PyTypeObject, version: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        (*kind).tp_version_tag = version;
        if !cfg!(Py_3_13) {
            (*kind).tp_flags |= ffi::Py_TPFLAGS_VALID_VERSION_TAG;
        }
    }
}
