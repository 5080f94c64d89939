//! Namespaces: several scripts in one interpreter.

use std::ffi::c_char;

use subpy_core::{Id, Interpreter};

use crate::arguments::required;
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::subpy_id;

/// Adds a namespace to an interpreter: a set of globals of its own, over the same imported modules. It is a module of
/// this name, which is in `sys.modules`: so `pickle`, `dataclasses`, `typing` and `inspect` find what is defined in it, and
/// scripts may import it. Its `__name__` is the name. Its `__file__` is the `filename` of the program that was run in it
/// last, if that had one. Something is done in it by subpy_run_options::in_namespace. It takes about 1 KiB.
///
/// A namespace is no border: what runs in it can reach all of its interpreter. Interpreters and processes are apart.
///
/// @param id    The interpreter.
/// @param name  The name: UTF-8, one that a Python module can have, without dots.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, for no such name, and for one that an imported module or a namespace has;
///         #SUBPY_ERR_NOT_INITIALIZED, #SUBPY_ERR_NOT_FOUND, #SUBPY_ERR_NOT_PERMITTED, #SUBPY_ERR_BUSY and
///         #SUBPY_ERR_LOST as for subpy_run_string_with();
///         #SUBPY_ERR_EXCEPTION if Python has no memory for it.
///
/// Threads: any. A function of the host's that a script calls may call it for its own interpreter.
///
/// Source: `types.ModuleType` and `sys.modules`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_add_namespace(
    id: subpy_id,
    name: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `name`.
    unsafe {
        enter(error, || {
            let name = required(name, "name")?;
            Interpreter::at(Id::new(id), |interpreter| interpreter.add_namespace(name))
        })
    }
}

/// Removes a namespace from its interpreter, and the names in it, with what only they had. What others keep of it lives on,
/// but a function of it finds no globals any more. Python threads that run in it go on.
///
/// @param id    The interpreter.
/// @param name  The namespace: UTF-8.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_FOUND if there is no such namespace or interpreter;
///         #SUBPY_ERR_BUSY if a run is in the namespace, which this call comes from, or if the interpreter runs;
///         #SUBPY_ERR_NOT_INITIALIZED, #SUBPY_ERR_NOT_PERMITTED and #SUBPY_ERR_LOST as for subpy_run_string_with().
///
/// Threads: any. A function of the host's that a script calls may call it for its own interpreter.
///
/// Source: as subpy_add_namespace().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_remove_namespace(
    id: subpy_id,
    name: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: as above.
    unsafe {
        enter(error, || {
            let name = required(name, "name")?;
            Interpreter::at(Id::new(id), |interpreter| {
                interpreter.remove_namespace(name)
            })
        })
    }
}
