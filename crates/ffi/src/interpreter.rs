//! Creating, running, listing and destroying interpreters.

use std::ffi::c_char;
use std::time::Duration;

use subpy_core::{Interpreter, RunOptions, runtime};

use crate::arguments::{bytes, invalid, out};
use crate::boundary::enter;
use crate::config::{self, subpy_interpreter_config, subpy_run_options};
use crate::error::subpy_error;
use crate::id::subpy_id;
use crate::status::subpy_status;

/// Creates an interpreter. It stays idle until something is run in it.
///
/// @param config NULL for the defaults.
/// @param id     Where the new interpreter's id goes; 0 if there is none.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for a wrong config, a combination that Python forbids, or
///         NULL for `id`;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_UNSUPPORTED for #SUBPY_GIL_OWN or `allow_threads = 0` below Python 3.12, and
///         for a `memory_limit` where memory is not counted;
///         #SUBPY_ERR_INTERNAL if Python could not create it (the message says why).
///
/// Threads: any; several at once. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_create(
    config: *const subpy_interpreter_config,
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract, for `error`, `id` and `config`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = 0;
            *id = Interpreter::create(config::interpreter(config)?)?.id();
            Ok(())
        })
    }
}

/// Finalizes an interpreter: its `atexit` functions run, its modules and objects go. Its id is
/// #SUBPY_ERR_NOT_FOUND from then on.
///
/// @param id    The interpreter.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_NOT_PERMITTED for the main interpreter;
///         #SUBPY_ERR_BUSY if it runs now (also where the caller is inside of it), or if Python
///         threads that its scripts started still do (the message says how many): nothing has
///         happened then, unless an `atexit` function started that thread; those run once.
///
/// Finalizers that raise, print or run code do so as at the end of any Python process; from then on
/// no thread can be started. Exit functions may take 5 seconds, and so may finalizers; what still runs
/// then gets a KeyboardInterrupt, as from subpy_interrupt(), which works before that time, too. (Below
/// Python 3.12 finalizers are not interrupted.)
///
/// Threads: any; it need not be the one that created it. A GIL that the calling thread holds is
/// released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_destroy(id: subpy_id, error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(id)?.destroy()) }
}

/// As subpy_destroy(), but waits for the Python threads of its scripts to end. Idle workers of a
/// `concurrent.futures.ThreadPoolExecutor`, which would wait for work for ever, are told to.
///
/// @param id      The interpreter.
/// @param wait_ms How long to wait at most, in milliseconds; nothing else can be run in the
///                interpreter meanwhile. If it is more than 5 seconds, exit functions and
///                finalizers may take as long, too.
/// @param error   NULL, or where the error goes.
/// @return As subpy_destroy(); #SUBPY_ERR_BUSY if threads still run when the time is over.
///
/// Threads: as subpy_destroy().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_destroy_wait(
    id: subpy_id,
    wait_ms: u32,
    error: *mut *mut subpy_error,
) -> subpy_status {
    let patience = Duration::from_millis(wait_ms.into());
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(id)?.destroy_within(patience)) }
}

/// Lists the interpreters that subpy knows: the main one, then those that it created, in ascending
/// order.
///
/// @param ids      Where the ids go; may be NULL if `capacity` is 0.
/// @param capacity How many fit there.
/// @param count    Where the whole number goes, however many fitted.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED.
///
/// Threads: any.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_list_all(
    ids: *mut subpy_id,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `ids` has room for `capacity` ids.
    unsafe {
        enter(error, || {
            let count = out(count, "count")?;
            *count = 0;
            if ids.is_null() && capacity > 0 {
                return Err(invalid("ids is NULL, but capacity is not 0"));
            }
            let all = runtime::list_all()?;
            for (i, id) in all.iter().take(capacity).enumerate() {
                ids.add(i).write(*id);
            }
            *count = all.len();
            Ok(())
        })
    }
}

/// The interpreter whose code runs in the calling thread now: for a function of the host that a
/// script has called.
///
/// @param id    Where its id goes.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND outside of any interpreter that subpy knows.
///
/// Threads: any.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_current(
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `id`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = runtime::current()?;
            Ok(())
        })
    }
}

/// The main interpreter: always 0.
///
/// @param id    Where its id goes.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED.
///
/// Threads: any.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_main(
    id: *mut subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `id`.
    unsafe {
        enter(error, || {
            let id = out(id, "id")?;
            *id = runtime::main()?;
            Ok(())
        })
    }
}

/// Whether a run is under way in an interpreter. The answer may be old by the time it arrives.
///
/// @param id      The interpreter; the main one, too.
/// @param running Where the answer goes.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any; it waits for nothing.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_is_running(
    id: subpy_id,
    running: *mut bool,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `running`.
    unsafe {
        enter(error, || {
            let running = out(running, "running")?;
            *running = false;
            *running = Interpreter::find(id)?.is_running()?;
            Ok(())
        })
    }
}

/// Asks the run that is under way in an interpreter to end. Nothing happens if there is none, and the
/// next run is not affected.
///
/// The script gets a KeyboardInterrupt at its next safe point, at once in Python code; `except
/// Exception` lets that pass. If it goes on all the same, it gets it again every 10 ms, and after
/// 100 ms at each safe point, also in the handler that has just caught it, until it has ended. Then
/// its run returns #SUBPY_ERR_INTERRUPTED, with the traceback of where it was. A script that catches
/// it and ends by itself just ends. (Below Python 3.12 it is every 10 ms all along, so a loop that
/// catches everything can escape it. In 3.12, one can that has nothing outside of its `try`. Python
/// 3.10 itself has no safe point in a loop that begins with `try` and calls nothing.)
///
/// A call that blocks in C (`time.sleep`, a lock, a socket, `select`, an event loop that waits, a long
/// computation in an extension module) is not woken: the script gets the exception when it returns.
/// As with Ctrl+C, an import that was interrupted may leave a package half imported: an interpreter
/// that is to be used again is best interrupted when it has imported what it needs.
///
/// @param id    The interpreter; the main one, too.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK, also if nothing runs;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any; it waits for no GIL. (Below Python 3.12 a thread that it starts does, and the script
/// gets the exception within some milliseconds.) Not from a signal handler: from a thread that takes
/// signals with sigwait(), say.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_interrupt(
    id: subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(id)?.interrupt()) }
}

/// Runs a program in an interpreter's `__main__`, in the calling thread, with the defaults of
/// subpy_run().
///
/// @param id    The interpreter.
/// @param code  The program: UTF-8, ends in a NUL. Not kept after the call.
/// @param error NULL, or where the error goes.
/// @return As subpy_run().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_string(
    id: subpy_id,
    code: *const c_char,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `code`.
    unsafe {
        enter(error, || {
            let code = bytes(code, "code")?;
            Interpreter::run_in(id, code, &RunOptions::default())
        })
    }
}

/// Runs a program in an interpreter's `__main__`, in the calling thread. What it returns is thrown
/// away; `__main__` keeps its names from run to run. Its output is flushed before the call returns.
///
/// One run at a time: an interpreter that runs already is #SUBPY_ERR_BUSY, in whatever thread.
/// Different interpreters run at once, in parallel where each has its own GIL.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param code    The program: UTF-8, without NUL characters. Not kept after the call.
/// @param length  Its length in bytes.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, a NUL character or bad UTF-8;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_NOT_PERMITTED for the main interpreter, unless
///         subpy_runtime_config::allow_main is set;
///         #SUBPY_ERR_BUSY if it runs now;
///         #SUBPY_ERR_EXCEPTION if the program raised an exception, or can't be compiled;
///         #SUBPY_ERR_EXIT if it raised SystemExit: the process goes on;
///         #SUBPY_ERR_INTERRUPTED if subpy_interrupt() ended it;
///         #SUBPY_ERR_TIMEOUT if its time was over.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run(
    id: subpy_id,
    options: *const subpy_run_options,
    code: *const c_char,
    length: usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `code` has `length` bytes.
    unsafe {
        enter(error, || {
            let options = config::run(id, options)?;
            if code.is_null() {
                return Err(invalid("code is NULL; pass a string"));
            }
            let code = std::slice::from_raw_parts(code.cast::<u8>(), length);
            Interpreter::run_in(id, code, &options)
        })
    }
}
