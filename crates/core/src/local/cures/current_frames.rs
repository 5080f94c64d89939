//! Defect: `sys._current_frames()` and `sys._current_exceptions()` hand out what the threads of all interpreters
//! have, live. A script reads the globals of another one. From 3.12 on the other may run meanwhile, under a GIL
//! of its own, and then the process dies.
//!
//! Has it: 3.13 and before; not the last ones of 3.13.
//!
//! Cure: each interpreter gets functions of its own, which look at its own thread states alone. Its GIL, which
//! they hold, keeps those as they are. CPython has no call for a field of a thread state: it is found once, at
//! start, by what it is known to hold.

#[cfg(Py_3_14)]
mod cure {
    use crate::local::attach::Attached;

    /// Nothing to do in this version.
    pub(crate) fn locate(_: Attached<'_>) {}

    /// Nothing to do in this version.
    pub(crate) fn install(_: Attached<'_>) -> Option<()> {
        Some(())
    }
}

#[cfg(not(Py_3_14))]
mod cure {
    use std::ffi::c_void;
    use std::ptr::null_mut;
    use std::sync::OnceLock;

    use pyo3_ffi as ffi;
    use pyo3_ffi::{PyObject, PyThreadState};

    use crate::local::attach::Attached;
    use crate::local::cures::main_thread;
    use crate::local::python::gc_pause::without_collection;
    use crate::local::python::method::{Method, method};
    use crate::local::python::object::{Object, clear_exception, set_in_sys};
    use crate::local::python::thread_states;

    /// How far the places are looked for, in words: within the smallest struct of these versions.
    const THREAD_STATE: usize = 264 / 8;
    /// How far from its start a thread state may have its own exception state, in bytes.
    const OWN: usize = 512;
    /// Where the exception is in an exception state, in words.
    const EXCEPTION: usize = if cfg!(Py_3_11) { 0 } else { 1 };
    /// Where the exception state is that it is nested in, in words.
    const OUTER: usize = if cfg!(Py_3_11) { 1 } else { 3 };

    /// Which word of a thread state is the exception state that it is in.
    static PLACE: OnceLock<Option<usize>> = OnceLock::new();

    /// Finds the place. To be called with a new thread state of the main interpreter attached.
    pub(crate) fn locate(py: Attached<'_>) {
        // SAFETY: attached; a thread state is larger than what is read of it.
        PLACE.get_or_init(|| unsafe {
            let here = ffi::PyThreadState_Get().cast::<usize>();
            let exception = Object::borrowed(py, ffi::PyExc_Exception)?.call(py, &[])?;
            set_handled(py, exception.as_ptr());
            let words: Vec<usize> = (0..THREAD_STATE).map(|i| here.add(i).read()).collect();
            let holds_it = |word: usize| {
                word.wrapping_sub(here as usize) < OWN
                    && word % size_of::<usize>() == 0
                    && (word as *const usize).add(EXCEPTION).read() == exception.as_ptr() as usize
            };
            let place = only(words.iter().map(|word| holds_it(*word)))?;
            set_handled(py, null_mut());
            clear_exception(py);
            Some(place)
        });
    }

    /// The index of the only one that is true.
    fn only(mut these: impl Iterator<Item = bool>) -> Option<usize> {
        let index = these.position(|this| this)?;
        (!these.any(|this| this)).then_some(index)
    }

    /// Makes the exception the one that is being handled. NULL: none is.
    ///
    /// # Safety
    /// NULL or a live exception.
    unsafe fn set_handled(_: Attached<'_>, exception: *mut PyObject) {
        // SAFETY: the caller's promise.
        unsafe {
            #[cfg(Py_3_11)]
            ffi::PyErr_SetHandledException(exception);
            #[cfg(not(Py_3_11))]
            {
                ffi::Py_XINCREF(exception); // it is taken over
                ffi::PyErr_SetExcInfo(null_mut(), exception, null_mut());
            }
        }
    }

    static METHODS: [Method; 2] = [
        Method::new(c"_current_frames", current_frames, ffi::METH_NOARGS).with_doc(
            c"_current_frames()\n--\n\nThe frame of each thread of this interpreter, by the thread's id.",
        ),
        Method::new(c"_current_exceptions", current_exceptions, ffi::METH_NOARGS).with_doc(
            c"_current_exceptions()\n--\n\nThe exception that each thread of this interpreter handles, by the thread's id.",
        ),
    ];

    /// Gives the attached interpreter its own functions. `None`: an exception is set.
    pub(crate) fn install(py: Attached<'_>) -> Option<()> {
        if place().is_none() {
            return Some(()); // an unknown Python keeps what it has
        }
        let put = |method: &'static Method| set_in_sys(py, method.name(), &method.bind(py, None)?);
        METHODS.iter().try_for_each(put)
    }

    fn place() -> Option<usize> {
        PLACE.get().copied().flatten()
    }

    /// A dict with what `value` says of each thread state, by its thread's id.
    fn by_thread(
        py: Attached<'_>,
        value: impl Fn(*mut PyThreadState, usize) -> Option<Object>,
    ) -> Option<Object> {
        let make = || {
            let place = place()?;
            let dict = Object::dict(py)?;
            for state in thread_states::all_of_attached(py) {
                let Some(value) = value(state, place) else {
                    continue;
                };
                // SAFETY: a thread state of the attached interpreter.
                let id = unsafe { main_thread::number_of(state)? };
                dict.set_key(py, &Object::unsigned(py, id)?, &value)?;
            }
            Some(dict)
        };
        // Thread states live as long as the GIL is held.
        without_collection(py, make)
    }

    method!(current_frames, |py, _, _| {
        // SAFETY: thread states of the attached interpreter; a new reference, or NULL.
        by_thread(py, |state, _| unsafe {
            Object::owned(py, ffi::PyThreadState_GetFrame(state).cast())
        })
    });

    method!(current_exceptions, |py, _, _| {
        // SAFETY: thread states of the attached interpreter; the place is found.
        by_thread(py, |state, place| unsafe { handled_by(py, state, place) })
    });

    /// What a thread state handles: an exception or None; before 3.12, a triple as of `sys.exc_info()`. `None`: it
    /// runs no Python code. It may be a temporary one.
    ///
    /// # Safety
    /// A thread state of the attached interpreter.
    unsafe fn handled_by(
        py: Attached<'_>,
        state: *mut PyThreadState,
        place: usize,
    ) -> Option<Object> {
        // SAFETY: attached; the field is where it was found; None lives as long as Python.
        unsafe {
            Object::owned(py, ffi::PyThreadState_GetFrame(state).cast())?;
            let none = ffi::Py_None();
            let nothing = |exception: *mut PyObject| exception.is_null() || exception == none;
            let mut item: *const *mut c_void = state.cast::<*const *mut c_void>().add(place).read();
            let exception_of =
                |item: *const *mut c_void| item.add(EXCEPTION).read().cast::<PyObject>();
            while nothing(exception_of(item)) && !item.add(OUTER).read().is_null() {
                item = item.add(OUTER).read().cast_const().cast();
            }
            let exception = exception_of(item);
            let exception = if nothing(exception) { none } else { exception };
            if cfg!(Py_3_12) {
                return Object::borrowed(py, exception);
            }
            let (mut kind, mut traceback) = (none, None);
            if exception != none {
                kind = ffi::Py_TYPE(exception).cast();
                traceback = Object::owned(py, ffi::PyException_GetTraceback(exception));
            }
            let traceback = traceback.as_ref().map_or(none, Object::as_ptr);
            Object::owned(py, ffi::PyTuple_Pack(3, kind, exception, traceback))
        }
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_place_is_found() {
            std::mem::forget(crate::Runtime::initialize(&Default::default()).unwrap());
            assert!(super::place().is_some());
        }
    }
}

pub(crate) use cure::{install, locate};
