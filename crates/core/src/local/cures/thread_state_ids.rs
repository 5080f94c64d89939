//! Defect: each interpreter counts its thread states from 1, and what CPython keeps under that number is
//! taken for the thread state's own in the whole process:
//! - a ContextVar remembers its last value so, without a reference. `_decimal` has one in a C static: an
//!   interpreter gets the context of another one, which may be gone;
//! - to 3.11, `_asyncio` remembers the running loop so: loops that run in two interpreters at once are
//!   taken for each other ("asyncio.run() cannot be called from a running event loop").
//!
//! Has it: 3.12 and before. In 3.13 neither is shared by interpreters.
//!
//! Cure: an interpreter's numbers begin where no other's are. CPython has no call to set them, so the
//! places are found once, at start: a field of each thread state, and the counter of each interpreter,
//! by the numbers that they are known to hold.

#[cfg(Py_3_13)]
mod cure {
    use pyo3_ffi::PyThreadState;

    /// Nothing to do in this version.
    pub(crate) fn locate() {}

    /// Nothing to do in this version.
    pub(crate) unsafe fn begin_anew(_: *mut PyThreadState) {}
}

#[cfg(not(Py_3_13))]
mod cure {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use pyo3_ffi as ffi;
    use pyo3_ffi::PyThreadState;

    use crate::local::python::thread_states;

    /// How far the places are looked for, in words: within the smallest structs of these versions.
    const THREAD_STATE: usize = 264 / 8;
    const INTERPRETER: usize = 4096 / 8;

    /// Which words they are.
    #[derive(Clone, Copy)]
    struct Places {
        id: usize,
        counter: usize,
        /// What the counter has more than the id of the latest thread state.
        ahead: u64,
    }

    static PLACES: OnceLock<Option<Places>> = OnceLock::new();
    static INTERPRETERS: AtomicU64 = AtomicU64::new(1);

    /// Finds the places. To be called with a thread state of the main interpreter attached.
    pub(crate) fn locate() {
        PLACES.get_or_init(|| {
            let mut ids: Vec<usize> = (0..THREAD_STATE).collect();
            let mut counters: Vec<(usize, u64)> =
                (0..INTERPRETER).flat_map(|i| [(i, 0), (i, 1)]).collect();
            for _ in 0..3 {
                // SAFETY: attached; the new thread state is nobody else's, and both are larger than what is read.
                unsafe {
                    let main = ffi::PyInterpreterState_Main();
                    let new = ffi::PyThreadState_New(main);
                    if new.is_null() {
                        return None;
                    }
                    let id = ffi::PyThreadState_GetID(new) as u64;
                    ids.retain(|i| new.cast::<u64>().add(*i).read() == id);
                    counters.retain(|(i, ahead)| main.cast::<u64>().add(*i).read() == id + ahead);
                    ffi::PyThreadState_Clear(new);
                    ffi::PyThreadState_Delete(new);
                }
            }
            match (&ids[..], &counters[..]) {
                ([id], [(counter, ahead)]) => Some(Places {
                    id: *id,
                    counter: *counter,
                    ahead: *ahead,
                }),
                _ => None,
            }
        });
    }

    /// Gives the only thread state of a new interpreter a number that no other has or will have.
    ///
    /// # Safety
    /// It is attached.
    pub(crate) unsafe fn begin_anew(thread_state: *mut PyThreadState) {
        if let Some(Some(places)) = PLACES.get() {
            let first = INTERPRETERS.fetch_add(1, Ordering::Relaxed) << 32;
            let interpreter = thread_states::interpreter_of(thread_state);
            // SAFETY: the places are those of these versions, and nobody else makes a thread state here yet.
            unsafe {
                thread_state.cast::<u64>().add(places.id).write(first);
                let counter = interpreter.cast::<u64>().add(places.counter);
                counter.write(first + places.ahead);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_places_are_found() {
            std::mem::forget(crate::Runtime::initialize(&Default::default()).unwrap());
            assert!(super::PLACES.get().unwrap().is_some());
        }
    }
}

pub(crate) use cure::{begin_anew, locate};
