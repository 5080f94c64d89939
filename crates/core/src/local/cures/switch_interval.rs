//! Defect: an interpreter with a GIL of its own needs that of the main interpreter at each step of its making, and from
//! 3.13 on for each module in C that it imports, since CPython initializes those in the main interpreter. So it does for
//! the first call of a function in C that takes keywords, in the process, which modules of the library make where they
//! are imported. Where a script runs in the main interpreter, it waits for the switch interval each time: 5 ms, and up to
//! 100 times for a few imports.
//!
//! Has it: 3.12 and later. Before, the GIL is one for all, and no wait is worse than others.
//!
//! Cure: while an interpreter is made, while it has the main one do something, and while it imports a module of the
//! standard library, the interval of the main interpreter's GIL is short. CPython's call for that needs the GIL itself, so
//! the field is written to, which is found once, at start, by what it is known to hold. CPython reads it where a thread
//! begins to wait.

use pyo3_ffi as ffi;

use crate::local::python::method::{Method, method};

/// `call_soon(function, *arguments)`: calls a function that needs the main interpreter's GIL.
pub(crate) static CALL_SOON: Method = Method::new(c"call_soon", call_soon, ffi::METH_VARARGS);

method!(call_soon, |py, _, Some(arguments)| {
    let _short = shorten();
    let count = arguments.count(py);
    // SAFETY: attached; a live object; a new reference.
    let rest = unsafe { Object::owned(py, ffi::PyTuple_GetSlice(arguments.as_ptr(), 1, count))? };
    arguments.at(py, 0)?.call_with(py, &rest)
});

#[cfg(not(Py_3_12))]
mod cure {
    use crate::local::attach::Attached;

    /// Nothing to do in this version.
    pub(crate) fn locate(_: Attached<'_>) {}

    /// Nothing to do in this version.
    pub(crate) struct ShortInterval;

    pub(crate) fn shorten() -> ShortInterval {
        ShortInterval
    }
}

#[cfg(Py_3_12)]
mod cure {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

    use pyo3_ffi as ffi;

    use crate::local::attach::Attached;
    use crate::local::cures::interpreter_struct::words;
    use crate::local::python::object::{Object, clear_exception, imported};
    use crate::local::python::thread_states;

    /// In microseconds. A thread of the main interpreter that waits meanwhile waits as short, so a shorter one would have
    /// the two do little else than pass the GIL on.
    const SHORT: u64 = 15;

    /// Which word of the main interpreter's state is the interval. `None`: an unknown Python.
    static PLACE: OnceLock<Option<usize>> = OnceLock::new();

    /// How many there are now who have it short, and what it was before. Held to look or to change.
    static USERS: Mutex<(usize, u64)> = Mutex::new((0, 0));

    /// Finds the place. To be called with a thread state of the main interpreter attached.
    pub(crate) fn locate(py: Attached<'_>) {
        PLACE.get_or_init(|| {
            let place = find(py);
            clear_exception(py);
            place
        });
    }

    /// By setting it to numbers of microseconds near the usual one: a thread of the host's that begins to wait meanwhile
    /// waits no longer than ever.
    fn find(py: Attached<'_>) -> Option<usize> {
        let sys = imported(py, c"sys")?;
        let set = sys.attribute(py, c"setswitchinterval")?;
        let before = sys.attribute(py, c"getswitchinterval")?.call(py, &[])?;
        let places_with = |microseconds: u64| {
            // It is given in seconds, and rounded down.
            // SAFETY: attached; a new reference.
            let seconds = unsafe {
                Object::owned(
                    py,
                    ffi::PyFloat_FromDouble((microseconds as f64 + 0.5) * 1e-6),
                )?
            };
            set.call(py, &[&seconds])?;
            let all = words(thread_states::main_interpreter()).enumerate();
            let there = all.filter(|(_, word)| *word as u64 == microseconds);
            Some(there.map(|(place, _)| place).collect::<Vec<_>>())
        };
        let mut places = places_with(4987)?;
        for microseconds in [5003, 4993] {
            let again = places_with(microseconds)?;
            places.retain(|place| again.contains(place));
        }
        set.call(py, &[&before])?;
        match places[..] {
            [place] => Some(place),
            _ => None,
        }
    }

    fn interval() -> Option<&'static AtomicU64> {
        let place = PLACE.get().copied().flatten()?;
        // SAFETY: the main interpreter's state lives until Python ends; the field is where it was found, and Python reads
        // and writes it as one word.
        Some(unsafe {
            &*ffi::PyInterpreterState_Main()
                .cast::<AtomicU64>()
                .add(place)
        })
    }

    fn users() -> MutexGuard<'static, (usize, u64)> {
        USERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until this is dropped, the interval is short.
    pub(crate) struct ShortInterval(());

    pub(crate) fn shorten() -> ShortInterval {
        let mut users = users();
        if users.0 == 0
            && let Some(interval) = interval()
        {
            users.1 = interval.fetch_min(SHORT, Ordering::Relaxed);
        }
        users.0 += 1;
        ShortInterval(())
    }

    impl Drop for ShortInterval {
        fn drop(&mut self) {
            let mut users = users();
            users.0 -= 1;
            if users.0 == 0
                && let Some(interval) = interval()
            {
                // What a script has set meanwhile stays.
                let (before, relaxed) = (users.1, Ordering::Relaxed);
                let _ = interval.compare_exchange(SHORT, before, relaxed, relaxed);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_place_is_found() {
            std::mem::forget(crate::Runtime::initialize(&Default::default()).unwrap());
            assert_eq!(
                super::interval().unwrap().load(super::Ordering::Relaxed),
                5000
            );
            let short = super::shorten();
            drop(super::shorten());
            let now = || super::interval().unwrap().load(super::Ordering::Relaxed);
            assert_eq!(now(), super::SHORT);
            drop(short);
            assert_eq!(now(), 5000);
        }
    }
}

pub(crate) use cure::{locate, shorten};
