//! Versions, and what they can do.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use subpy_core::{Feature, runtime};

use crate::boundary::or_else;

/// What a Python and this library can do or can't: the argument of subpy_supports().
#[repr(C)]
pub enum subpy_feature {
    /// An interpreter can have a GIL of its own, and runs in parallel with others then: Python 3.12 and later.
    SUBPY_FEATURE_OWN_GIL = 1,
    /// `allow_fork`, `allow_exec`, `allow_threads` and `allow_daemon_threads` are enforced: Python 3.12 and later.
    SUBPY_FEATURE_RESTRICTIONS = 2,
    /// The memory of an interpreter can be counted and limited: Python 3.12 and later.
    SUBPY_FEATURE_MEMORY_ACCOUNTS = 3,
    /// Interpreters in processes of their own, #SUBPY_BACKEND_PROCESS.
    SUBPY_FEATURE_PROCESSES = 4,
    /// A time limit or an interrupt ends a wait in C, such as `time.sleep()`: where subpy has started Python and was let
    /// change its code, see subpy_runtime_config::forbid_patches. It is tried by subpy_initialize(), and is false before.
    SUBPY_FEATURE_INTERRUPT_WAITS = 5,
    /// A sandbox around an interpreter. This version does not have it.
    SUBPY_FEATURE_SANDBOX = 6,
    /// Copies of an interpreter as it stands. This version does not have them.
    SUBPY_FEATURE_CLONES = 7,
    /// A time limit or an interrupt ends a computation in C that looks for signals, such as a regular expression that
    /// takes long, and arithmetic of large ints. As for #SUBPY_FEATURE_INTERRUPT_WAITS.
    SUBPY_FEATURE_INTERRUPT_COMPUTATIONS = 8,
}

/// The version of the library: "@VERSION@". #SUBPY_VERSION is the version of the header.
///
/// @return A static string.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the Python library that is loaded, such as "3.13.0".
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

/// Whether the library and the Python that is loaded can do something.
///
/// @param feature One of ::subpy_feature.
/// @return false for what they can't do, and for a feature that this library does not know.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_supports(feature: u32) -> bool {
    or_else(false, || match feature {
        1 => runtime::supports(Feature::OwnGil),
        2 => runtime::supports(Feature::Restrictions),
        3 => runtime::supports(Feature::MemoryAccounts),
        4 => runtime::supports(Feature::Processes),
        5 => runtime::supports(Feature::InterruptWaits),
        8 => runtime::supports(Feature::InterruptComputations),
        _ => false,
    })
}
