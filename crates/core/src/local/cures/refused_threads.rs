//! Defect: a script starts a thread, and the system refuses it (EAGAIN). CPython raises RuntimeError, and leaves the
//! thread state of that thread in the interpreter's list. To whoever looks, the interpreter has a thread that still
//! runs, for ever: CPython ends the process when the interpreter ends.
//!
//! Has it: 3.12.7, 3.13.0 and before. gh-109746.
//!
//! Cure: the functions that start a thread are ours (see `interpreter::script_threads`). They call CPython's, and delete
//! what a failed one has left. CPython has cleared that thread state already, and has released the function and its arguments, so nothing is lost.
//!
//! Which thread state it is must be certain, since others may be new and not yet attached: those of threads that have
//! only just been started, and those that other threads make without the GIL. The calling thread holds the GIL from
//! before CPython makes the thread state until it is deleted.
//! - From 3.12 on a thread state says whether it was cleared, and whether a thread ever had it. None but the one of a
//!   thread that was refused was cleared and never had.
//! - To 3.11 one that is made has the number of the thread that makes it, until the new thread runs. So the one that is
//!   left is the latest with the number of the calling thread, if the exception says that the system refused a thread.
//!   No collection runs meanwhile: a finalizer could start a thread. (These versions call no audit hook here.)

#[cfg(Py_3_14)]
mod cure {
    use crate::local::attach::Attached;
    use crate::local::python::object::Object;

    /// Nothing to cure in this version.
    pub(crate) fn starting(
        _: Attached<'_>,
        start: impl FnOnce() -> Option<Object>,
    ) -> Option<Object> {
        start()
    }
}

#[cfg(not(Py_3_14))]
mod cure {
    use pyo3_ffi as ffi;
    use pyo3_ffi::PyThreadState;

    use crate::local::attach::Attached;
    use crate::local::python::gc_pause::without_collection;
    use crate::local::python::object::Object;
    #[cfg(not(Py_3_12))]
    use crate::local::python::object::clear_exception;
    use crate::local::python::thread_states;

    /// Starts a thread by a function of CPython's.
    pub(crate) fn starting(
        py: Attached<'_>,
        start: impl FnOnce() -> Option<Object>,
    ) -> Option<Object> {
        let start = || {
            let started = start();
            if started.is_none() {
                // SAFETY: attached; it has set an exception.
                unsafe { delete_unstarted(py) };
            }
            started
        };
        match cfg!(Py_3_12) {
            true => start(), // making an object collects no more
            false => without_collection(py, start),
        }
    }

    /// # Safety
    /// Attached, with an exception set by a function that starts a thread.
    unsafe fn delete_unstarted(py: Attached<'_>) {
        // SAFETY: the caller's promise; what was never any thread's is nobody else's. Deleting it runs no code.
        unsafe {
            if is_refusal(py) {
                let mut states = thread_states::all_of_attached(py).into_iter();
                if let Some(state) = states.find(|state| is_unstarted(*state)) {
                    ffi::PyThreadState_Delete(state);
                }
            }
        }
    }

    #[cfg(Py_3_12)]
    use later::*;
    #[cfg(Py_3_12)]
    mod later {
        use super::*;

        /// Where a thread state has its status, in bytes; and which bits of it say that a thread has or had it, and that
        /// it was cleared. It is the same in each release of a version: it is in its public headers.
        const STATUS: usize = if cfg!(Py_3_13) { 32 } else { 24 };
        const BOUND: u32 = 1 << 1;
        const CLEARED: u32 = 1 << if cfg!(Py_3_13) { 7 } else { 6 };

        pub(super) unsafe fn is_refusal(_: Attached<'_>) -> bool {
            true // the thread state says it
        }

        /// # Safety
        /// It is of the attached interpreter.
        pub(super) unsafe fn is_unstarted(state: *mut PyThreadState) -> bool {
            // SAFETY: the caller's promise. A thread that gets a thread state writes there without the GIL.
            let status = unsafe { state.byte_add(STATUS).cast::<u32>().read_volatile() };
            status & (BOUND | CLEARED) == CLEARED
        }
    }

    #[cfg(not(Py_3_12))]
    use earlier::*;
    #[cfg(not(Py_3_12))]
    mod earlier {
        use std::ptr::null_mut;

        use super::*;
        use crate::local::cures::main_thread;

        /// Whether the exception that is set is what CPython raises for a thread that the system refuses.
        ///
        /// # Safety
        /// An exception is set.
        pub(super) unsafe fn is_refusal(py: Attached<'_>) -> bool {
            let (mut kind, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
            // SAFETY: the caller's promise; what is taken is put back. The text of a RuntimeError runs no code.
            unsafe {
                ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
                let is_refusal = kind == ffi::PyExc_RuntimeError
                    && !value.is_null()
                    && Object::owned(py, ffi::PyObject_Str(value)).is_some_and(|text| {
                        let refusal = c"can't start new thread".as_ptr();
                        ffi::PyUnicode_CompareWithASCIIString(text.as_ptr(), refusal) == 0
                    });
                clear_exception(py);
                ffi::PyErr_Restore(kind, value, traceback);
                is_refusal
            }
        }

        /// # Safety
        /// It is of the attached interpreter.
        pub(super) unsafe fn is_unstarted(state: *mut PyThreadState) -> bool {
            // SAFETY: attached; the caller's promise.
            unsafe { main_thread::number_of(state) == Some(libc::pthread_self() as u64) }
        }
    }
}

pub(crate) use cure::starting;
