//! Making an interpreter of CPython's.

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::data::config::{Gil, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::cures;
use crate::local::python::object::clear_exception;

/// What CPython needs to know; checked.
pub(crate) struct PythonConfig {
    #[cfg(Py_3_12)]
    python: ffi::PyInterpreterConfig,
}

impl PythonConfig {
    /// Fails for what this Python can't do, and for what its documentation forbids: CPython itself
    /// accepts some of that and breaks later.
    pub(crate) fn new(config: &InterpreterConfig) -> Result<Self> {
        if !cfg!(Py_3_12) && config.gil == Gil::Own {
            return Err(needs_3_12("a GIL of its own"));
        }
        if !cfg!(Py_3_12) && !config.allow_threads {
            return Err(needs_3_12("allow_threads = false"));
        }
        #[cfg(not(Py_3_12))]
        return Ok(Self {});
        #[cfg(Py_3_12)]
        {
            // With a GIL of its own, an interpreter needs an allocator of its own, and with that, only
            // extension modules that declare their support.
            let own_gil = config.gil != Gil::Shared;
            let python = ffi::PyInterpreterConfig {
                use_main_obmalloc: (!own_gil).into(),
                allow_fork: config.allow_fork.into(),
                allow_exec: config.allow_exec.into(),
                allow_threads: config.allow_threads.into(),
                allow_daemon_threads: (config.allow_threads && config.allow_daemon_threads).into(),
                check_multi_interp_extensions: own_gil.into(),
                gil: if own_gil {
                    ffi::PyInterpreterConfig_OWN_GIL
                } else {
                    ffi::PyInterpreterConfig_SHARED_GIL
                },
            };
            Ok(Self { python })
        }
    }

    pub(crate) fn has_own_gil(&self) -> bool {
        #[cfg(Py_3_12)]
        return self.python.gil == ffi::PyInterpreterConfig_OWN_GIL;
        #[cfg(not(Py_3_12))]
        return false;
    }

    /// Makes the interpreter and leaves its thread state attached. NULL: `why` says why not. A thread
    /// state of the main interpreter has to be attached.
    pub(crate) fn make(&self, py: Attached<'_>, why: &mut String) -> *mut PyThreadState {
        #[cfg(Py_3_12)]
        // SAFETY: as the caller sees to.
        let made = unsafe {
            let mut thread_state = std::ptr::null_mut();
            let status = ffi::Py_NewInterpreterFromConfig(&mut thread_state, &self.python);
            if ffi::PyStatus_Exception(status) != 0 {
                *why = crate::local::python::status::describe(&status);
                thread_state = std::ptr::null_mut();
            }
            thread_state
        };
        #[cfg(not(Py_3_12))]
        // SAFETY: as the caller sees to.
        let made = unsafe {
            let thread_state = ffi::Py_NewInterpreter();
            if thread_state.is_null() {
                *why = crate::local::python::exception::one_line(py);
            }
            thread_state
        };
        if made.is_null() {
            clear_exception(py);
        }
        made
    }
}

fn needs_3_12(what: &str) -> Error {
    let version = cures::python_version();
    let message = format!("{what} needs Python 3.12 or later, but this is Python {version}");
    Error::new(Status::Unsupported, message)
}
