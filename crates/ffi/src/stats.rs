//! What an interpreter has done, and how much memory it has.

use subpy_core::Interpreter;

use crate::arguments::{invalid, out};
use crate::boundary::enter;
use crate::error::subpy_error;
use crate::id::subpy_id;
use crate::status::subpy_status;

/// What an interpreter has done so far. Start from #SUBPY_INTERPRETER_STATS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_interpreter_stats {
    /// `sizeof(subpy_interpreter_stats)`.
    pub struct_size: usize,
    /// Runs that found their code compiled.
    pub code_cache_hits: u64,
    /// Runs that had to compile it, and could.
    pub code_cache_misses: u64,
    /// Strings whose code is kept now.
    pub code_cache_entries: u64,
    /// The size of their sources, in bytes.
    pub code_cache_bytes: u64,
    /// How long the last run took that was measured, in nanoseconds: one with a limit, or with
    /// subpy_run_options::measure.
    pub last_wall_ns: u64,
    /// How much CPU time its thread took for it, in nanoseconds.
    pub last_cpu_ns: u64,
}

/// What an interpreter has done so far.
///
/// @param id    The interpreter; the main one, too.
/// @param stats Where the figures go; its `struct_size` has to be set.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL or a wrong `struct_size`;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed.
///
/// Threads: any; it waits for nothing, not even for a run in that interpreter.
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
            let stats = out(stats, "stats")?;
            let size = size_of::<subpy_interpreter_stats>();
            if stats.struct_size != size {
                return Err(invalid(format!(
                    "stats.struct_size is {}, but this version of subpy knows {size}; start from \
                     SUBPY_INTERPRETER_STATS_INIT",
                    stats.struct_size
                )));
            }
            let read = Interpreter::find(id)?.stats()?;
            stats.code_cache_hits = read.code_cache_hits;
            stats.code_cache_misses = read.code_cache_misses;
            stats.code_cache_entries = read.code_cache_entries;
            stats.code_cache_bytes = read.code_cache_bytes;
            stats.last_wall_ns = read.last_wall.as_nanos() as u64;
            stats.last_cpu_ns = read.last_cpu.as_nanos() as u64;
            Ok(())
        })
    }
}

/// How much memory an interpreter has: the blocks that Python has allocated for its objects. What
/// extension modules allocate past Python, what Python shares between interpreters, and its own machinery
/// (what it takes from malloc() itself, some 0.2 MiB for an interpreter) are not in it.
///
/// @param id      The interpreter; the main one, too, from the time when subpy has taken it over.
/// @param current Where the bytes that it has now go; may be NULL.
/// @param peak    Where the most that it has had at once goes, in bytes; may be NULL.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_NOT_INITIALIZED;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed;
///         #SUBPY_ERR_UNSUPPORTED unless subpy_runtime_config::account_memory is set.
///
/// Threads: any; it waits for nothing, not even for a run in that interpreter.
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
            let usage = Interpreter::find(id)?.memory_usage()?;
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
