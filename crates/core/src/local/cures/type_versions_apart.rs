//! Defect: caches of methods and attributes know a type by its version, a number. Those of mutable types are counted by
//! each interpreter, from the same number on. A module with types or code in C statics, as many are that know nothing of
//! interpreters, hands those of one interpreter to another. With the shared GIL that is allowed; and there a type
//! answers with the methods of another one, which has the same number.
//!
//! Has it: 3.12 and later, in interpreters with the shared GIL. Before, one counter is the process's.
//!
//! Cure: each of up to 127 interpreters with the shared GIL that live at once has a range of versions of its own. The
//! counter is in the interpreter's state, and found by counting.

/// A range of versions that is an interpreter's alone, until this is dropped.
#[cfg(Py_3_12)]
pub(crate) struct Range(u32);

#[cfg(not(Py_3_12))]
use crate::local::attach::Attached;

#[cfg(not(Py_3_12))]
pub(crate) struct Range;

#[cfg(not(Py_3_12))]
impl Range {
    /// Nothing to do in this version.
    pub(crate) fn take(_: Attached<'_>) -> Option<Self> {
        None
    }
}

#[cfg(Py_3_12)]
mod cure {
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};

    use pyo3_ffi as ffi;
    use pyo3_ffi::PyTypeObject;

    use super::Range;
    use crate::local::attach::Attached;
    use crate::local::cures::interpreter_struct::words;
    use crate::local::python::object::{Object, clear_exception, subclasses_and_object};
    use crate::local::python::thread_states;

    unsafe extern "C" {
        fn PyUnstable_Type_AssignVersionTag(kind: *mut PyTypeObject) -> c_int;
    }

    /// How many versions a range has. The first one is that of all other interpreters.
    const SIZE: u32 = 1 << 24;
    /// How many of them, at its beginning, are for immutable types.
    #[cfg(not(Py_3_14))]
    const IMMUTABLE: u32 = 1 << 16;
    #[cfg(Py_3_14)]
    const IMMUTABLE: u32 = 0;
    const RANGES: u32 = 128;

    /// Those that are taken, one bit each, and the last one.
    static TAKEN: Mutex<(u128, u32)> = Mutex::new((1, 0));

    impl Range {
        /// A range for the attached interpreter, a new one, whose types get their versions from it, from now on.
        /// `None`: all are taken, or this Python is unknown.
        pub(crate) fn take(py: Attached<'_>) -> Option<Self> {
            static PLACE: OnceLock<Option<usize>> = OnceLock::new();
            let place = *PLACE.get_or_init(|| find(py));
            clear_exception(py);
            let range = Self::next_free()?;
            // SAFETY: attached; the place of the counter in the state, which lives.
            unsafe {
                let state = thread_states::interpreter(py).cast::<AtomicU32>();
                (*state.add(place?)).store(range.first() + IMMUTABLE, Ordering::Relaxed);
                forget_versions(py)?;
            }
            Some(range)
        }

        /// The one that was given back the longest time ago: something may still have a type of it.
        fn next_free() -> Option<Self> {
            let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            let (bits, last) = &mut *taken;
            let number = (1..=RANGES)
                .map(|i| (*last + i) % RANGES)
                .find(|number| *bits & (1 << number) == 0)?;
            *bits |= 1 << number;
            *last = number;
            Some(Self(number))
        }

        fn first(&self) -> u32 {
            self.0 * SIZE
        }

        /// The versions for immutable types.
        #[cfg(not(any(Py_3_14, py_sys_config = "Py_DEBUG")))]
        pub(crate) fn of_immutable(&self) -> std::ops::Range<u32> {
            self.first()..self.first() + IMMUTABLE
        }
    }

    impl Drop for Range {
        fn drop(&mut self) {
            let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            taken.0 &= !(1 << self.0);
        }
    }

    /// Which half of a word of the attached interpreter's state is the counter: a new type gets the number that is
    /// there, and leaves the next one.
    fn find(py: Attached<'_>) -> Option<usize> {
        let state = thread_states::interpreter(py);
        let halves = || words(state).flat_map(|word| [word as u32, (word >> 32) as u32]);
        let places_of = |next| {
            let there = halves()
                .enumerate()
                .filter(move |(_, number)| *number == next);
            there.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let mut places = places_of(count(py)? + 1);
        for _ in 0..3 {
            let now = places_of(count(py)? + 1);
            places.retain(|place| now.contains(place));
        }
        match places[..] {
            [place] => Some(place),
            _ => None,
        }
    }

    /// The version of a new mutable type.
    fn count(py: Attached<'_>) -> Option<u32> {
        // SAFETY: attached; a static type is called with a name, no bases and an empty dict; live objects.
        unsafe {
            let kind = ffi::PyObject_CallFunction(
                (&raw mut ffi::PyType_Type).cast(),
                c"s(){}".as_ptr(),
                c"counted".as_ptr(),
            );
            let kind = Object::owned(py, kind)?;
            let kind = kind.as_ptr().cast();
            (PyUnstable_Type_AssignVersionTag(kind) == 1).then_some((*kind).tp_version_tag)
        }
    }

    /// The mutable types of the attached interpreter get new versions when they are used next.
    fn forget_versions(py: Attached<'_>) -> Option<()> {
        let (subclasses, object) = subclasses_and_object(py)?;
        let mut open = vec![object];
        while let Some(base) = open.pop() {
            for kind in subclasses.call(py, &[&base])?.items(py) {
                // SAFETY: attached; a live type.
                unsafe {
                    let flags = ffi::PyType_GetFlags(kind.as_ptr().cast());
                    if flags & ffi::Py_TPFLAGS_IMMUTABLETYPE == 0 {
                        ffi::PyType_Modified(kind.as_ptr().cast());
                    }
                }
                open.push(kind);
            }
        }
        Some(())
    }
}
