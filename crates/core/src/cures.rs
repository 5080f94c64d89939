//! What CPython gets wrong, or leaves to its embedder: one defect a file, each with the versions
//! that have it and why the cure holds.

pub(crate) mod allocator;
pub(crate) mod current_frames;
mod environment;
pub(crate) mod gilstate_slot;
pub(crate) mod global_symbols;
pub(crate) mod import_first;
pub(crate) mod interned_strings;
mod library;
mod services;
pub(crate) mod shared_gil;
pub(crate) mod sigpipe;
pub(crate) mod stack_bounds;
pub(crate) mod thread_state_ids;
pub(crate) mod threading_main;
pub(crate) mod threads_at_end;
pub(crate) mod type_versions;
pub(crate) mod unicode_names;
mod user_lists;

use std::ffi::CStr;

use pyo3_ffi as ffi;

/// Has the attached interpreter get our functions of the standard library. `None`: an exception is set.
pub(crate) fn install_functions(shares_environment: bool) -> Option<()> {
    current_frames::install()?;
    library::install(&[
        match shares_environment {
            true => &environment::SHARED,
            false => &environment::OWN,
        },
        &services::FUNCTIONS,
        &user_lists::USERS,
        &user_lists::GROUPS,
    ])
}

/// The version of the Python library that is loaded: `3.13.0`.
pub(crate) fn python_version() -> &'static str {
    // SAFETY: a static string, at any time, initialized or not.
    let version = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) };
    let version = version.to_str().unwrap_or_default();
    version.split(' ').next().unwrap_or_default()
}
