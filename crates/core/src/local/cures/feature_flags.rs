//! Defect: what an interpreter may do can be said where it is created, and not of the main one: it may fork, execute
//! programs and start threads. The interpreter of a worker's process is its main one.
//!
//! Has it: 3.12 and later; below, no interpreter can be restricted.
//!
//! Cure: the flags in the interpreter's state are found by what they are in a main interpreter, and proved by what
//! `_thread` says when one of them is changed.

use std::ffi::c_ulong;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::interpreter_struct::words;
use crate::data::config::InterpreterConfig;
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::python::object::import;

/// Public in 3.12; later versions keep them.
const USE_MAIN_OBMALLOC: c_ulong = 1 << 5;
const THREADS: c_ulong = 1 << 10;
const DAEMON_THREADS: c_ulong = 1 << 11;
const FORK: c_ulong = 1 << 15;
const EXEC: c_ulong = 1 << 16;
const OF_MAIN: c_ulong = USE_MAIN_OBMALLOC | THREADS | DAEMON_THREADS | FORK | EXEC;

/// Where they are in a state, in bytes; 0: it is not known.
static OFFSET: AtomicUsize = AtomicUsize::new(0);

fn place(offset: usize) -> *mut c_ulong {
    let state = attach::attached_interpreter();
    state.cast::<u8>().wrapping_add(offset).cast()
}

/// Finds them, in the attached main interpreter, where nobody else runs. `None`: an exception is set.
pub(crate) fn find(py: Attached<'_>) -> Option<()> {
    let asks = import(py, c"_thread")?.attribute(py, c"daemon_threads_allowed")?;
    let allowed = || asks.call(py, &[])?.truth(py);
    let state = attach::attached_interpreter();
    for (i, word) in words(state).enumerate() {
        if word as c_ulong != OF_MAIN {
            continue;
        }
        let place = place(i * size_of::<usize>());
        // SAFETY: memory of the state, or behind it, which has this value; it has it again at once.
        let is_it = unsafe {
            place.write_volatile(OF_MAIN & !DAEMON_THREADS);
            let is_changed = allowed();
            place.write_volatile(OF_MAIN);
            is_changed? != allowed()?
        };
        if is_it {
            OFFSET.store(i * size_of::<usize>(), Ordering::Relaxed);
            break;
        }
    }
    Some(())
}

/// No thread is started in the attached main interpreter any more.
pub(crate) fn refuse_threads(_: Attached<'_>) {
    let offset = OFFSET.load(Ordering::Relaxed);
    if offset != 0 {
        let place = place(offset);
        // SAFETY: where `find` has found them, in the same interpreter.
        unsafe { place.write_volatile(place.read_volatile() & !(THREADS | DAEMON_THREADS)) };
    }
}

/// Whether the attached main interpreter may fork; `None`: it is none of a worker's process.
pub(crate) fn may_fork(_: Attached<'_>) -> Option<bool> {
    match OFFSET.load(Ordering::Relaxed) {
        0 => None,
        // SAFETY: where `find` has found them, in the same interpreter.
        offset => Some(unsafe { place(offset).read_volatile() } & FORK != 0),
    }
}

/// Restricts the attached main interpreter. False: it can't be.
pub(crate) fn restrict(_: Attached<'_>, config: &InterpreterConfig) -> bool {
    let flag = |is_allowed, flag| if is_allowed { flag } else { 0 };
    let has_daemons = config.allow_threads && config.allow_daemon_threads;
    let flags = USE_MAIN_OBMALLOC
        | flag(config.allow_threads, THREADS)
        | flag(has_daemons, DAEMON_THREADS)
        | flag(config.allow_fork, FORK)
        | flag(config.allow_exec, EXEC);
    match OFFSET.load(Ordering::Relaxed) {
        0 => flags == OF_MAIN,
        offset => {
            // SAFETY: where `find` has found them, in the same interpreter.
            unsafe { place(offset).write_volatile(flags) };
            true
        }
    }
}
