//! Control of what runs, limits, and figures.

use std::time::Duration;

use subpy_core::value::RawValue;
use subpy_core::{Id, Interpreter, OwnedValue, growable};

use crate::arguments::{invalid, list, out};
use crate::boundary::{enter, or_else};
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::subpy_id;

/// What an interpreter has done so far. Start from #SUBPY_INTERPRETER_STATS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_interpreter_stats {
    /// `sizeof(subpy_interpreter_stats)`.
    pub struct_size: usize,
    /// Runs that found their code compiled.
    pub code_cache_hits: u64,
    /// Runs that had to compile their code, and could.
    pub code_cache_misses: u64,
    /// Strings whose code is kept now.
    pub code_cache_entries: u64,
    /// The size of their sources together, in bytes.
    pub code_cache_bytes: u64,
    /// How long the last measured run took, in nanoseconds. A run with a limit is measured, and one with
    /// subpy_run_options::measure.
    pub last_wall_ns: u64,
    /// How much CPU time the thread of that run took for it, in nanoseconds.
    pub last_cpu_ns: u64,
}

growable!(subpy_interpreter_stats, "subpy_interpreter_stats", 56, {
    code_cache_hits: 0,
    code_cache_misses: 0,
    code_cache_entries: 0,
    code_cache_bytes: 0,
    last_wall_ns: 0,
    last_cpu_ns: 0,
});

/// Asks the run that is under way in an interpreter to end. If nothing runs, nothing happens: a later run is not
/// affected. So a host that cancels a run which may not have begun yet repeats the call until the run has returned.
///
/// The script gets a KeyboardInterrupt at its next safe point; in Python code that is at once. `except Exception`
/// lets it pass. A script that goes on all the same has 100 ms for its `finally`. Then it gets the exception at each safe
/// point, also in the handler that has just caught it, until it has ended. Its run then returns #SUBPY_ERR_INTERRUPTED,
/// with the traceback of where it was. A script that catches the exception and ends by itself just ends. (Below Python
/// 3.12 it is every 10 ms after these 100 ms, so a loop that catches everything can escape. Python 3.10 has no safe point
/// in a loop that begins with `try` and calls nothing.)
///
/// A script that waits in C gets it at once, too, if subpy_supports() says #SUBPY_FEATURE_INTERRUPT_WAITS: in
/// `time.sleep()`, in locks, queues and joins, in `select`, sockets, pipes and `ssl`, with its child processes, in an event
/// loop. If it waits again, in a `finally` say, it gets the exception again after 10 ms. What it held then, and what it had
/// received, is as after Ctrl+C in Python. subpy sends the thread that runs the script a signal for that, see
/// subpy_runtime_config::wait_signal, and none while that thread is in a function of the host's. A thread that blocks
/// this signal is not woken, but in a run with a time limit, which takes it meanwhile. So does a computation in C that
/// looks for signals, with #SUBPY_FEATURE_INTERRUPT_COMPUTATIONS: a regular expression, arithmetic of large ints.
///
/// Not ended are a computation in C that never looks, such as `sum(range(10**9))`, `getaddrinfo()`, `signal.sigwait()`, and
/// what an extension module does without asking Python: the script gets the exception when that returns.
///
/// A script that has set a handler for SIGINT, by `signal.signal()` or through `asyncio.run()` from Python 3.11 on, is
/// told otherwise: its handler is called, once for each subpy_interrupt(), and the script may go on. (asyncio's cancels
/// the main task the first time, and raises KeyboardInterrupt the second time.) A wait in C goes on after the handler. A time
/// limit ends the script all the same. SIG_IGN and SIG_DFL count as `default_int_handler`, which raises
/// KeyboardInterrupt. A wakeup descriptor that it has set gets the number of SIGINT at once, which wakes up an event loop
/// that waits. (Below Python 3.12 such a handler is left alone: the script gets the number if it has a wakeup
/// descriptor, else KeyboardInterrupt.) Handlers of other signals are kept, too; nobody calls them but the script itself,
/// by `os.kill()`, `signal.raise_signal()` and `_thread.interrupt_main()`, say.
///
/// A run in another interpreter that a function of the host's makes meanwhile is asked to end, too. Calls that wait for
/// their turn in the interpreter (subpy_run_options::wait_ms) return #SUBPY_ERR_INTERRUPTED at once.
/// An import that is interrupted may leave a package half imported, as after Ctrl+C. So an interpreter that is
/// to be used again is best interrupted when it has imported what it needs.
///
/// @param id    The interpreter; it may be the main one.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK, also if nothing runs;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_NO_MEMORY, only with NULL for `error`, if the system had no thread for subpy.
///
/// Threads: any. The call waits for no GIL. (Below Python 3.12 a thread that it starts does, and the script gets
/// the exception within some milliseconds.) With NULL for `error`, also in a signal handler: the call takes no lock and
/// no memory then, and a thread of subpy's interrupts the run at once. Two such calls at once may count as one.
///
/// Source: CPython's pending calls, `PyErr_CheckSignals`, and `PyThreadState_SetAsyncExc` below Python 3.12.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_interrupt(
    id: subpy_id,
    error: *mut *mut subpy_error,
) -> subpy_status {
    if error.is_null() {
        return or_else(subpy_status::SUBPY_ERR_INTERNAL, || {
            let asked = Interpreter::interrupt_soon(Id::new(id));
            asked.map_or_else(Into::into, |()| subpy_status::SUBPY_OK)
        });
    }
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(Id::new(id))?.interrupt()) }
}

/// Ends an interpreter with #SUBPY_BACKEND_PROCESS at once, whatever it does: its process is killed. A call that waits for it
/// returns #SUBPY_ERR_LOST, and so does each call of it from then on, until subpy_destroy().
///
/// @param id    The interpreter.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK, also if its process has ended already;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_UNSUPPORTED for an interpreter with #SUBPY_BACKEND_LOCAL: a part of a process can't be killed.
///
/// Threads: any. The call waits for nothing.
///
/// Source: the kernel's `pidfd_send_signal`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_kill(id: subpy_id, error: *mut *mut subpy_error) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`.
    unsafe { enter(error, || Interpreter::find(Id::new(id))?.kill()) }
}

/// Asks the Python threads that an interpreter's scripts have started to end, and waits for that. Each gets a SystemExit:
/// in Python code at its next safe point, and where it waits in C at once, as far as subpy_interrupt() can end a wait. One
/// that goes on gets it again every 10 ms. Idle workers of a `concurrent.futures.ThreadPoolExecutor` are told to end, and
/// executors take no more work afterwards.
///
/// Threads that an extension module has made are not asked, and count if they are in the interpreter.
///
/// @param id      The interpreter; it may be the main one.
/// @param wait_ms How long they are asked and awaited, in milliseconds. 0: they are asked once.
/// @param left    Where the number of those that have not ended goes. May be NULL.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK, also if some have not ended;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_BUSY if the interpreter runs now, or calls wait for their turn in it.
///
/// Threads: any. Nothing else can run in the interpreter meanwhile.
///
/// Source: CPython's `PyThreadState_SetAsyncExc`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_stop_threads(
    id: subpy_id,
    wait_ms: u64,
    left: *mut usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `left` and `error`.
    unsafe {
        enter(error, || {
            let wait = Duration::from_millis(wait_ms);
            let count = Interpreter::find(Id::new(id))?.stop_threads(wait)?;
            if let Some(left) = left.as_mut() {
                *left = count;
            }
            Ok(())
        })
    }
}

/// Lists the names of the Python threads that an interpreter's scripts have started by `threading` and that still run.
///
/// @param id       The interpreter; it may be the main one.
/// @param names    Where the names go, each a str. The caller clears each that is written, by subpy_value_clear(). May be
///                 NULL if `capacity` is 0.
/// @param capacity How many names fit there. No more than that are written.
/// @param count    Where the number of all of these threads goes, however many fitted.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_BUSY if the interpreter runs now, or calls wait for their turn in it.
///
/// Threads: any. The call waits for the interpreter's GIL.
///
/// Source: CPython's `threading.enumerate()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_thread_names(
    id: subpy_id,
    names: *mut RawValue,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `names` has room for `capacity` values.
    unsafe {
        enter(error, || {
            list(names, "names", capacity, count, || {
                let names = Interpreter::find(Id::new(id))?.thread_names()?;
                Ok(names.into_iter().map(OwnedValue::into_raw))
            })
        })
    }
}

/// How much memory an interpreter has: the blocks that Python has allocated for its objects. Not counted are what
/// extension modules allocate without Python, what Python shares between interpreters, and what Python takes from
/// malloc() itself (some 0.2 MiB for an interpreter).
///
/// @param id      The interpreter; it may be the main one, which is counted from subpy_initialize() on.
/// @param current Where the bytes that it has now go. May be NULL.
/// @param peak    Where the most bytes that it has had at once go. May be NULL.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_UNSUPPORTED unless subpy_runtime_config::account_memory is set.
///
/// Threads: any. The call waits for nothing, not even for a run in that interpreter.
///
/// Source: CPython's `PyMem_SetAllocator`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_memory_usage(
    id: subpy_id,
    current: *mut u64,
    peak: *mut u64,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error`, `current` and `peak`.
    unsafe {
        enter(error, || {
            let usage = Interpreter::find(Id::new(id))?.memory_usage()?;
            if let Some(current) = current.as_mut() {
                *current = usage.current;
            }
            if let Some(peak) = peak.as_mut() {
                *peak = usage.peak;
            }
            Ok(())
        })
    }
}

/// Tells what an interpreter has done so far.
///
/// @param id    The interpreter; it may be the main one.
/// @param stats Where the figures go. Its `struct_size` has to be set; no more than that is written.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL or a wrong `struct_size`;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any. The call waits for nothing, not even for a run in that interpreter.
///
/// Source: subpy's own.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_stats(
    id: subpy_id,
    stats: *mut subpy_interpreter_stats,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for `error` and `stats`.
    unsafe {
        enter(error, || {
            out(stats.cast::<usize>(), "stats")?;
            let read = Interpreter::find(Id::new(id))?.stats()?;
            let written = subpy_interpreter_stats {
                struct_size: size_of::<subpy_interpreter_stats>(),
                code_cache_hits: read.code_cache_hits,
                code_cache_misses: read.code_cache_misses,
                code_cache_entries: read.code_cache_entries,
                code_cache_bytes: read.code_cache_bytes,
                last_wall_ns: read.last_wall.as_nanos() as u64,
                last_cpu_ns: read.last_cpu.as_nanos() as u64,
            };
            growable::write(stats, &written).map_err(invalid)
        })
    }
}
