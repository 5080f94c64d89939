//! Running programs.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

use subpy_core::{Decision, Error, Id, Interpreter, OnDeadline, RunOptions, growable};

use crate::arguments::{User, array, flag, invalid, optional, read, reserved, source};
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::{budget, subpy_id};

/// A time in milliseconds that never ends.
pub const SUBPY_FOREVER: u64 = u64::MAX;

/// A function of the host's, which is asked what becomes of a run whose time is over: see
/// subpy_run_options::deadline_fn.
///
/// @param user       subpy_run_options::deadline_user.
/// @param id         The interpreter.
/// @param elapsed_ms How long the run has taken so far, in milliseconds.
/// @return For how many milliseconds more the run may go on; then the function is asked again. 0: the run is
///         interrupted, and returns #SUBPY_ERR_TIMEOUT. #SUBPY_FOREVER: the run goes on without a limit.
///
/// The library calls it in a thread of its own, which serves the limits of all runs: it has to be quick. That
/// thread holds no GIL and no lock. The function must not call subpy, and must not leave by an exception or by
/// longjmp().
pub type subpy_deadline_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, id: subpy_id, elapsed_ms: u64) -> u64>;

/// How a program is run. Start from #SUBPY_RUN_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_run_options {
    /// `sizeof(subpy_run_options)`.
    pub struct_size: usize,
    /// What tracebacks call the code. NULL (the default): "<string>" for the first string that the interpreter
    /// compiles, "<string-2>" for the second one, and so on.
    pub filename: *const c_char,
    /// How long the run may take, in milliseconds. 0 (the default): as long as it likes. A host that computes the
    /// time that is left has to treat 0 itself. When the time is over, the script gets a KeyboardInterrupt, as
    /// by subpy_interrupt(), and the run returns #SUBPY_ERR_TIMEOUT. If that is more than 100 ms later, because the script
    /// did what can't be ended, the error's message says how late it is. A run in another interpreter that a function of
    /// the host's makes meanwhile is ended as well, and returns the same.
    pub timeout_ms: u64,
    /// Asked when the time is over. NULL (the default): the run is interrupted at once. The library does not
    /// call it any more when the run has returned.
    pub deadline_fn: subpy_deadline_fn,
    /// Handed to `deadline_fn`. The library does not touch it.
    pub deadline_user: *mut c_void,
    /// 1: the time of the run is measured, for subpy_stats(). That costs a microsecond. 0 (the default): only
    /// the time of a run with a limit is.
    pub measure: u32,
    /// Has to be 0.
    pub reserved: u32,
    /// How much CPU time the run may use, in milliseconds, if that is less than
    /// subpy_interpreter_config::cpu_limit_ms. 0 (the default): as the interpreter has it.
    pub cpu_limit_ms: u64,
    /// How much the run may write, in bytes, if that is less than subpy_interpreter_config::output_limit. 0 (the
    /// default): as the interpreter has it.
    pub output_limit: u64,
    /// With #SUBPY_BACKEND_PROCESS: how long after a time limit that the script has ignored its process is killed, in milliseconds:
    /// the run returns #SUBPY_ERR_LOST. The same for a limit of a run that this one is inside of. 0 (the default) stands for 1000. #SUBPY_FOREVER: it is not killed.
    pub kill_after_ms: u64,
    /// The namespace in which it is done, of subpy_add_namespace(). It is #SUBPY_ERR_NOT_FOUND if there is none of that name.
    /// NULL (the default): `__main__`.
    pub in_namespace: *const c_char,
    /// How long the call waits for its turn while the interpreter runs in another thread, or is being destroyed there, in
    /// milliseconds; then it is #SUBPY_ERR_BUSY. 0 (the default): not at all. #SUBPY_FOREVER: however long that takes.
    ///
    /// Calls that wait are served first come, first served, and no other call gets ahead of them: one that does not wait is
    /// #SUBPY_ERR_BUSY while others do, and so is subpy_destroy(). The time limits of a run start when it does.
    ///
    /// subpy_interrupt() ends the run that is under way, and each wait: #SUBPY_ERR_INTERRUPTED, and nothing has happened.
    /// When the interpreter is destroyed, a wait is #SUBPY_ERR_NOT_FOUND; when its process is lost, #SUBPY_ERR_LOST. In a
    /// function of the host's that a script has called, a wait ends also when the run of that script is to end, and returns
    /// what that run does: #SUBPY_ERR_INTERRUPTED, #SUBPY_ERR_TIMEOUT or #SUBPY_ERR_LIMIT.
    ///
    /// The calling thread holds no GIL while it waits. (With #SUBPY_BACKEND_PROCESS the GIL of a script that has called a
    /// function of the host's is that process's: see subpy_function_options::release_gil.) A call from inside of the interpreter's own run does not wait: it
    /// nests. A call is #SUBPY_ERR_BUSY at once if its wait could not end: where what it waits for waits, in turn, for the
    /// run that the call is made in.
    pub wait_ms: u64,
}

growable!(subpy_run_options, "subpy_run_options", 48, {
    filename: std::ptr::null(),
    timeout_ms: 0,
    deadline_fn: None,
    deadline_user: std::ptr::null_mut(),
    measure: 0,
    reserved: 0,
    cpu_limit_ms: 0,
    output_limit: 0,
    kill_after_ms: 0,
    in_namespace: std::ptr::null(),
    wait_ms: 0,
});

/// # Safety
/// `options` is NULL or a valid struct, its strings end in a NUL and live as long as `'a`.
#[inline]
pub(crate) unsafe fn run_options<'a>(
    id: subpy_id,
    options: *const subpy_run_options,
) -> Result<RunOptions<'a>, Error> {
    if options.is_null() {
        return Ok(RunOptions::default());
    }
    // SAFETY: the caller's promise.
    unsafe { run_options_given(id, options) }
}

#[inline]
fn run_with(id: subpy_id, code: &[u8], options: &RunOptions<'_>) -> Result<(), Error> {
    Interpreter::at(Id::new(id), |interpreter| {
        interpreter.run_with(code, options)
    })
}

/// Runs a program with options that are not NULL.
///
/// # Safety
/// As for [`run_options`].
#[inline(never)]
unsafe fn run_given(
    id: subpy_id,
    options: *const subpy_run_options,
    code: &[u8],
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    run_with(id, code, &unsafe { run_options_given(id, options) }?)
}

/// # Safety
/// As for [`run_options`], and not NULL.
unsafe fn run_options_given<'a>(
    id: subpy_id,
    options: *const subpy_run_options,
) -> Result<RunOptions<'a>, Error> {
    // SAFETY: the caller's promise.
    let options = unsafe { read(options) }?;
    // SAFETY: the caller's promise.
    let filename = unsafe { optional(options.filename, "filename") }?;
    reserved(options.reserved)?;
    if options.deadline_fn.is_some() && options.timeout_ms == 0 {
        return Err(invalid(
            "deadline_fn needs timeout_ms: the time after which it is asked",
        ));
    }
    Ok(RunOptions {
        filename,
        timeout: (options.timeout_ms > 0).then(|| Duration::from_millis(options.timeout_ms)),
        on_deadline: deadline(id, options.deadline_fn, options.deadline_user),
        kill_after: match options.kill_after_ms {
            0 => RunOptions::DEFAULT.kill_after,
            SUBPY_FOREVER => None,
            time => Some(Duration::from_millis(time)),
        },
        measure: flag(options.measure, "measure")?,
        budget: budget(options.cpu_limit_ms, options.output_limit),
        // SAFETY: the caller's promise.
        in_namespace: unsafe { optional(options.in_namespace, "in_namespace") }?,
        wait: (options.wait_ms != SUBPY_FOREVER).then(|| Duration::from_millis(options.wait_ms)),
    })
}

fn deadline(id: subpy_id, ask: subpy_deadline_fn, user: *mut c_void) -> Option<OnDeadline> {
    let ask = ask?;
    let user = User(user);
    Some(Arc::new(move |elapsed: Duration| {
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: the host promised that `ask` and `user` live as long as the run.
        match unsafe { ask(user.get(), id, elapsed) } {
            0 => Decision::Interrupt,
            SUBPY_FOREVER => Decision::GoOn,
            more => Decision::Extend(Duration::from_millis(more)),
        }
    }))
}

/// Runs a program in an interpreter's `__main__`: subpy_run_string_with() with the defaults.
///
/// @param id    The interpreter.
/// @param code  The program: UTF-8, ends in a NUL. The library does not keep it.
/// @param error NULL, or where the error goes.
/// @return As subpy_run_string_with().
///
/// Threads: any. The program runs in the calling thread. A GIL that this thread holds is released meanwhile.
///
/// Source: `_interpreters.run_string()`.
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
            let code = source(code, "code")?;
            Interpreter::at(Id::new(id), |interpreter| interpreter.run_source(&code))
        })
    }
}

/// Runs a program in an interpreter's `__main__`, in the calling thread. The call returns when the program has
/// ended. The value of the program is thrown away. `__main__` keeps its names from run to run. The program's
/// output is flushed before the call returns. What can't be written then, to a full disk, is an exception.
///
/// An interpreter has one run at a time: while it runs, a run in another thread is #SUBPY_ERR_BUSY, or waits for its turn
/// (subpy_run_options::wait_ms). In the same thread runs nest: a function of the host's that a script calls may run code in that interpreter, call, get and set, to any
/// depth up to Python's recursion limit. The inner run has its own limit of time; an interrupt, and the limit of an
/// outer run, end the inner one, and then the outer one. (Called from
/// another fiber than the one that it runs in, the interpreter is #SUBPY_ERR_BUSY: the outer run could go on first.)
///
/// Different interpreters run at the same time, in parallel where each has its own GIL.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
/// @param length  The length of the program, in bytes.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, a NUL character, or bad UTF-8;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_NOT_PERMITTED for the main interpreter, unless subpy_runtime_config::allow_main is set;
///         #SUBPY_ERR_BUSY if the interpreter runs now, or others wait for it, and the time to wait is over;
///         #SUBPY_ERR_EXCEPTION if the program raised an exception, or can't be compiled;
///         #SUBPY_ERR_EXIT if it raised SystemExit. The process goes on;
///         #SUBPY_ERR_INTERRUPTED if subpy_interrupt() ended it, or its wait;
///         #SUBPY_ERR_TIMEOUT if its time was over;
///         #SUBPY_ERR_LOST if its process has ended: see subpy_error_signal().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: `_interpreters.run_string()`; PEP 684 for interpreters with a GIL of their own.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_string_with(
    id: subpy_id,
    options: *const subpy_run_options,
    code: *const c_char,
    length: usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `code` has `length` bytes.
    unsafe {
        enter(error, || {
            let code = array(code, length, "code")?;
            if options.is_null() {
                return run_with(id, code, &RunOptions::DEFAULT);
            }
            run_given(id, options, code)
        })
    }
}
