//! What CPython gets wrong, or leaves to its embedder: one defect a file, each with the versions
//! that have it and why the cure holds.

mod allocated_blocks;
pub(crate) mod allocator;
#[cfg(not(Py_3_12))]
mod array_pickles;
#[cfg(not(Py_3_12))]
mod asyncio_in_python;
pub(crate) mod asyncio_iterators;
pub(crate) mod backward_jumps;
pub(crate) mod builtin_types;
pub(crate) mod child_processes;
pub(crate) mod code_hooks;
pub(crate) mod current_frames;
pub(crate) mod entered_with;
mod environment;
mod extension_check;
#[cfg(Py_3_12)]
pub(crate) mod feature_flags;
mod frozen_objects;
pub(crate) mod global_symbols;
pub(crate) mod globals_leak;
pub(crate) mod got_hooks;
pub(crate) mod import_first;
pub(crate) mod interned_strings;
mod interpreter_modules;
#[cfg(Py_3_12)]
mod interpreter_struct;
#[cfg(all(Py_3_12, not(Py_3_13)))]
mod large_ints;
pub(crate) mod locale;
pub(crate) mod main_thread;
pub(crate) mod multiprocessing_servers;
pub(crate) mod parser_memory;
mod perf_trampoline;
#[cfg(not(Py_3_13))]
mod pointer_types;
#[cfg(all(Py_3_12, not(Py_3_13)))]
mod re_templates;
mod refused_modules;
pub(crate) mod refused_threads;
pub(crate) mod remaining_interpreters;
#[cfg(Py_3_14)]
mod remote_exec;
mod restrictions;
pub(crate) mod running_main;
mod service_database;
pub(crate) mod shared_gil;
pub(crate) mod sigint;
pub(crate) mod signal_checks;
#[cfg(not(Py_3_11))]
mod sqlite_adapters;
pub(crate) mod stack_bounds;
pub(crate) mod stdlib_functions;
#[cfg(not(Py_3_14))]
mod strptime;
pub(crate) mod switch_interval;
mod syslog;
mod thread_attributes;
pub(crate) mod thread_start_at_end;
pub(crate) mod thread_state_ids;
pub(crate) mod threading_main;
mod token_missing;
pub(crate) mod tracemalloc;
pub(crate) mod type_versions;
pub(crate) mod type_versions_apart;
pub(crate) mod unicode_names;
pub(crate) mod uninterned_names;
mod user_database;
mod version;
pub(crate) mod write_signals;

use crate::local::attach::Attached;
pub(crate) use version::python_version;

/// Finds where CPython keeps what cures read and write. To be called with a new thread state of the main interpreter
/// attached.
pub(crate) fn locate(py: Attached<'_>) {
    thread_state_ids::locate();
    main_thread::locate(py);
    current_frames::locate(py);
    switch_interval::locate(py);
}

/// Whose environment an interpreter has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// It is the main one, and has what the process has.
    OfMain,
    /// As above, and it is what a worker is for: it can be restricted.
    OfWorker,
    /// The process's.
    OfProcess,
    /// Its own.
    Own,
}

/// Has the attached interpreter get our functions of the standard library, and these. To be called with the thread
/// state of its runs. `None`: an exception is set.
pub(crate) fn install_functions(
    py: Attached<'_>,
    environment: Environment,
    others: &[&'static stdlib_functions::Functions],
) -> Option<()> {
    main_thread::install(py)?;
    current_frames::install(py)?;
    let mut functions = vec![
        &interpreter_modules::FUNCTIONS,
        &main_thread::FUNCTIONS,
        &service_database::FUNCTIONS,
        &syslog::FUNCTIONS,
        &thread_attributes::FUNCTIONS,
        &tracemalloc::FUNCTIONS,
        &user_database::USERS,
        &user_database::GROUPS,
        &user_database::PASSWORDS,
    ];
    #[cfg(Py_3_14)]
    functions.push(&remote_exec::FUNCTIONS);
    #[cfg(all(Py_3_12, not(Py_3_13)))]
    functions.extend([&large_ints::FUNCTIONS, &re_templates::FUNCTIONS]);
    if environment == Environment::OfWorker {
        functions.push(&restrictions::FUNCTIONS);
    }
    if !matches!(environment, Environment::OfMain | Environment::OfWorker) {
        locale::install(py);
        refused_modules::install(py)?;
        builtin_types::install(py)?;
        token_missing::install(py)?;
        #[cfg(not(Py_3_12))]
        asyncio_in_python::install(py)?;
        functions.extend([
            &allocated_blocks::FUNCTIONS,
            &extension_check::FUNCTIONS,
            &frozen_objects::FUNCTIONS,
            &locale::LED_MODULES,
            &locale::FUNCTIONS,
            &perf_trampoline::FUNCTIONS,
            &refused_modules::FUNCTIONS,
            &restrictions::FUNCTIONS,
        ]);
        #[cfg(not(Py_3_13))]
        functions.push(&pointer_types::FUNCTIONS);
        #[cfg(not(Py_3_12))]
        functions.push(&array_pickles::FUNCTIONS);
        #[cfg(not(Py_3_11))]
        functions.push(&sqlite_adapters::FUNCTIONS);
    }
    match environment {
        Environment::Own => {
            functions.extend([&self::environment::BEGIN, &self::environment::OWN]);
        }
        Environment::OfMain | Environment::OfWorker | Environment::OfProcess => {
            functions.push(&self::environment::SHARED);
        }
    }
    functions.extend(others);
    // Last, so that what starts a program and waits for it is not recorded.
    functions.push(&child_processes::FUNCTIONS);
    stdlib_functions::install(py, &functions)
}
