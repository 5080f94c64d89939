//! What CPython gets wrong, or leaves to its embedder: one defect a file, each with the versions
//! that have it and why the cure holds.

mod allocated_blocks;
pub(crate) mod allocator;
pub(crate) mod current_frames;
mod environment;
mod extension_check;
pub(crate) mod gilstate_slot;
pub(crate) mod global_symbols;
pub(crate) mod import_first;
pub(crate) mod interned_strings;
mod interpreter_modules;
mod library;
pub(crate) mod locale;
mod perf_trampoline;
mod services;
pub(crate) mod shared_gil;
mod signal_handlers;
pub(crate) mod sigpipe;
pub(crate) mod stack_bounds;
#[cfg(Py_3_12)]
mod state_words;
#[cfg(not(Py_3_14))]
mod strptime;
pub(crate) mod thread_state_ids;
pub(crate) mod threading_main;
pub(crate) mod threads_at_end;
pub(crate) mod type_versions;
pub(crate) mod type_versions_apart;
pub(crate) mod unicode_names;
mod user_lists;

use std::ffi::CStr;

use pyo3_ffi as ffi;

/// What an interpreter does with what the process has one of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// It is the main one: all is its own.
    Process,
    /// It has the process's environment, and a locale of its own.
    SharedEnvironment,
    /// It has an environment and a locale of its own.
    Own,
}

/// Has the attached interpreter get our functions of the standard library. `None`: an exception is set.
pub(crate) fn install_functions(ground: Ground) -> Option<()> {
    current_frames::install()?;
    let mut functions = vec![
        &interpreter_modules::FUNCTIONS,
        &services::FUNCTIONS,
        &user_lists::USERS,
        &user_lists::GROUPS,
        &user_lists::PASSWORDS,
    ];
    if ground != Ground::Process {
        locale::install();
        functions.extend([
            &allocated_blocks::FUNCTIONS,
            &extension_check::FUNCTIONS,
            &locale::FUNCTIONS,
            &perf_trampoline::FUNCTIONS,
            &signal_handlers::FUNCTIONS,
        ]);
    }
    functions.push(match ground {
        Ground::Own => &environment::OWN,
        _ => &environment::SHARED,
    });
    library::install(&functions)
}

/// The version of the Python library that is loaded: `3.13.0`.
pub(crate) fn python_version() -> &'static str {
    // SAFETY: a static string, at any time, initialized or not.
    let version = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) };
    let version = version.to_str().unwrap_or_default();
    version.split(' ').next().unwrap_or_default()
}
