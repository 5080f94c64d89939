//! Defect: `sys.remote_exec()`, `python -m pdb -p` and the sampling profiler reach a process through the interpreter that
//! was created last, and there through the thread state that it names as the one that runs `__main__`. The program
//! `python` names one. An embedder has no documented call for that, and without it they find nothing to attach to.
//!
//! Has it: 3.14 and later, which have these tools.
//!
//! Cure: an interpreter names the thread state that subpy keeps for its runs, from when it is ready until it ends. A run
//! costs nothing more. What a tool leaves there between two runs is done in the next one. CPython itself looks at the
//! name only in `_interpreters`, which then takes the interpreter for one that runs; in a child process that it has
//! forked; and in `Py_Exit`.

#[cfg(not(Py_3_14))]
mod cure {
    use crate::local::attach::Attached;

    #[inline]
    pub(crate) fn begin(_: Attached<'_>) {}

    #[inline]
    pub(crate) fn end(_: Attached<'_>) {}
}

#[cfg(Py_3_14)]
mod cure {
    use std::ffi::c_int;

    use pyo3_ffi::PyInterpreterState;

    use crate::local::attach::Attached;
    use crate::local::python::object::clear_exception;
    use crate::local::python::thread_states;

    unsafe extern "C" {
        fn _PyInterpreterState_SetRunningMain(interpreter: *mut PyInterpreterState) -> c_int;
        fn _PyInterpreterState_SetNotRunningMain(interpreter: *mut PyInterpreterState);
    }

    /// The attached thread state becomes the one that runs `__main__`.
    pub(crate) fn begin(py: Attached<'_>) {
        // SAFETY: attached.
        unsafe { _PyInterpreterState_SetRunningMain(thread_states::interpreter(py)) };
        clear_exception(py); // where another one is named already
    }

    /// None is. To be called while the one that was is attached, which is about to go.
    pub(crate) fn end(py: Attached<'_>) {
        begin(py); // it may not have been named, which a debug build asserts
        // SAFETY: attached.
        unsafe { _PyInterpreterState_SetNotRunningMain(thread_states::interpreter(py)) };
    }
}

pub(crate) use cure::{begin, end};
