//! Threads that stay in an interpreter between their calls.

use std::time::Duration;

use subpy_core::{Error, Id, Interpreter, growable};

use crate::arguments::read;
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::subpy_id;
use crate::running::SUBPY_FOREVER;

/// How a thread enters an interpreter. Start from #SUBPY_ENTER_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_enter_options {
    /// `sizeof(subpy_enter_options)`.
    pub struct_size: usize,
    /// How long the call waits for its turn, in milliseconds, as subpy_run_options::wait_ms says. 0 (the default): not at all.
    pub wait_ms: u64,
}

growable!(subpy_enter_options, "subpy_enter_options", 16, { wait_ms: 0 });

/// The calling thread enters an interpreter, and stays in it until subpy_leave(). Each call that it makes meanwhile costs
/// less: the interpreter is the thread's already. Calls nest: a thread leaves as often as it has entered.
///
/// - With #SUBPY_BACKEND_LOCAL the thread holds the interpreter's GIL while it stays, in its own code, too. So the Python
///   threads of the scripts wait: stay for microseconds. The thread may use `Python.h`, as a function of the host's may (see
///   docs/python-api.md). An interpreter that shares its GIL can't be entered.
/// - With #SUBPY_BACKEND_PROCESS the scripts' threads go on, and calls save less.
///
/// For all other threads the interpreter is running meanwhile: their calls are #SUBPY_ERR_BUSY, or wait
/// (subpy_run_options::wait_ms). Each call of the thread's is a run of its own, with its own limits, and subpy_interrupt() ends
/// that. Between two calls there is nothing to interrupt. subpy_destroy(), subpy_stop_threads() and subpy_thread_names() are
/// #SUBPY_ERR_BUSY until the thread has left. A thread may enter several interpreters: it holds the GIL of the
/// one that it has entered last, and leaves them in the reverse order. It may call any interpreter. It must not end
/// before it has left: nobody else can leave for it. It can't be cancelled (`pthread_cancel`) while it stays in an
/// interpreter of #SUBPY_BACKEND_LOCAL.
///
/// @param id      The interpreter.
/// @param options NULL (#SUBPY_ENTER_OPTIONS_INIT).
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a struct of options that is none;
///         #SUBPY_ERR_UNSUPPORTED for an interpreter that shares its GIL: with #SUBPY_GIL_SHARED, the main interpreter, and
///         each one below Python 3.12;
///         #SUBPY_ERR_NOT_PERMITTED in a function of the host's that a script has called, whatever interpreter that is of (calls
///         of the script's own are inside of it anyway), for a thread that holds a GIL by itself, and for the main interpreter
///         without `allow_main`;
///         #SUBPY_ERR_BUSY, #SUBPY_ERR_INTERRUPTED, #SUBPY_ERR_NOT_FOUND, #SUBPY_ERR_LOST, #SUBPY_ERR_NO_MEMORY and
///         #SUBPY_ERR_NOT_INITIALIZED as for subpy_run_string_with().
///
/// Threads: any, save as above.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_enter(
    id: subpy_id,
    options: *const subpy_enter_options,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `options`.
    unsafe {
        enter(error, || {
            let wait = wait(options)?;
            Interpreter::at(Id::new(id), |interpreter| interpreter.enter(wait))
        })
    }
}

/// # Safety
/// NULL, or a valid struct.
unsafe fn wait(options: *const subpy_enter_options) -> Result<Option<Duration>, Error> {
    if options.is_null() {
        return Ok(Some(Duration::ZERO));
    }
    // SAFETY: the caller's promise.
    let wait = unsafe { read(options) }?.wait_ms;
    Ok((wait != SUBPY_FOREVER).then(|| Duration::from_millis(wait)))
}

/// The calling thread leaves an interpreter that it has entered by subpy_enter().
///
/// @param id    The interpreter.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK, also if its process is lost;
///         #SUBPY_ERR_NOT_PERMITTED if the thread has not entered it, or has left it;
///         #SUBPY_ERR_BUSY in a function of the host's that it has called, if the thread has entered another one later and not
///         left that (with #SUBPY_BACKEND_PROCESS it may), and if it has let go of the GIL by `Python.h` and not taken it back;
///         #SUBPY_ERR_NOT_FOUND and #SUBPY_ERR_NOT_INITIALIZED as for subpy_run_string_with().
///
/// Threads: the one that has entered.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_leave(id: subpy_id, error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::at(Id::new(id), Interpreter::leave)) }
}
