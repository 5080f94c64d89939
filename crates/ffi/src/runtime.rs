//! Starting and stopping Python, and what is asked of it as a whole.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use subpy_core::{Feature, runtime};

use crate::boundary::{enter, or_else};
use crate::config::{self, subpy_runtime_config};
use crate::error::subpy_error;
use crate::status::subpy_status;

/// What a Python can or can't do: for subpy_supports().
#[repr(C)]
pub enum subpy_feature {
    /// Interpreters with a GIL of their own, which run in parallel: Python 3.12 and later.
    SUBPY_FEATURE_OWN_GIL = 1,
    /// allow_fork, allow_exec, allow_threads and allow_daemon_threads are enforced: 3.12 and later.
    SUBPY_FEATURE_RESTRICTIONS = 2,
    /// The memory of interpreters can be counted and limited: 3.12 and later.
    SUBPY_FEATURE_MEMORY_ACCOUNTS = 3,
}

/// Starts Python, or joins the one that the host has started itself.
///
/// Calls count: each successful one needs a subpy_finalize(). The first one's config holds; a later
/// one with NULL joins it whatever it is, and one that asks for something else fails.
///
/// A Python that subpy started takes its configuration from here alone: the process's locale and
/// signal handlers stay as they are, and text is UTF-8 everywhere. The thread of the first call is
/// Python's main thread; that matters to scripts only where `signal` is concerned.
///
/// If the host initialized Python before, subpy uses it as it is, and subpy_finalize() leaves it
/// running. The calling thread may then hold a GIL, and holds it again afterwards.
///
/// @param config NULL for the defaults.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a path that doesn't exist, or where no
///         standard library is found (the message has the places that were searched);
///         #SUBPY_ERR_NOT_PERMITTED if Python runs already and the config asks for something else;
///         #SUBPY_ERR_UNSUPPORTED after Python was finalized, which can't be undone in a process, and
///         for `account_memory` below Python 3.12 or with PYTHONMALLOC in the environment;
///         #SUBPY_ERR_INTERNAL if Python could not be started for another reason.
///
/// Threads: any, at any time.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_initialize(
    config: *const subpy_runtime_config,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error` and for `config`.
    unsafe {
        enter(error, || {
            if config.is_null() {
                runtime::retain(None)
            } else {
                runtime::retain(Some(&config::runtime(config)?))
            }
        })
    }
}

/// Gives back one subpy_initialize(). The last one destroys the remaining interpreters and
/// finalizes Python, unless the host started it.
///
/// Afterwards only subpy_is_initialized(), subpy_version(), subpy_python_version(),
/// subpy_supports(), subpy_initialize() and the functions for errors work; the others are
/// #SUBPY_ERR_NOT_INITIALIZED. A process that exits without this call exits cleanly.
///
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED if there is nothing to give back;
///         #SUBPY_ERR_BUSY if an interpreter is in use, has Python threads that still run, or if
///         the calling thread holds a GIL of a Python that subpy started: nothing has happened
///         then, and the call can be made again.
///
/// Threads: any, at any time.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_finalize(error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, runtime::release) }
}

/// Whether subpy is between subpy_initialize() and the last subpy_finalize().
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_is_initialized() -> bool {
    or_else(false, runtime::is_initialized)
}

/// The version of the library: "0.1.0", as #SUBPY_VERSION is that of the header.
///
/// @return A static string.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the Python library that is loaded: "3.13.0".
///
/// @return A string that lives as long as the process.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_python_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    let make = || CString::new(runtime::python_version()).unwrap_or_default();
    or_else(c"".as_ptr(), || VERSION.get_or_init(make).as_ptr())
}

/// Whether the Python that is loaded can do something.
///
/// @param feature One of ::subpy_feature.
/// @return false for what it can't and for what this library doesn't know.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_supports(feature: u32) -> bool {
    or_else(false, || match feature {
        1 => runtime::supports(Feature::OwnGil),
        2 => runtime::supports(Feature::Restrictions),
        3 => runtime::supports(Feature::MemoryAccounts),
        _ => false,
    })
}
