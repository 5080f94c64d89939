//! A child that a script of a worker has forked. It has the worker's memory, and what that shares with the host, but it is
//! not what the host talks to: it says nothing to it, and ends where the script ends.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::data::error::{Result, Status};
use crate::data::tree::OwnedValue;

static IS_ONE: AtomicBool = AtomicBool::new(false);

/// Each child that is forked from here on knows that it is one. Called once, in the zygote: each worker is a child of that.
pub(in crate::process) fn watch() {
    unsafe extern "C" fn in_child() {
        IS_ONE.store(true, Ordering::Relaxed);
    }
    // SAFETY: the handler does nothing but a store.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

/// This process is a worker.
pub(super) fn is_none() {
    IS_ONE.store(false, Ordering::Relaxed);
}

/// Whether this process is one.
pub(super) fn is_one() -> bool {
    IS_ONE.load(Ordering::Relaxed)
}

/// Writes to a standard stream of the process: nobody takes what it says.
pub(super) fn write(is_stderr: bool, mut piece: &[u8]) {
    let stream = if is_stderr {
        libc::STDERR_FILENO
    } else {
        libc::STDOUT_FILENO
    };
    while !piece.is_empty() {
        // SAFETY: bytes that live.
        match unsafe { libc::write(stream, piece.as_ptr().cast(), piece.len()) } {
            written @ 1.. => piece = &piece[written as usize..],
            _ => return,
        }
    }
}

/// Its script has ended, like this.
pub(super) fn exit(outcome: &Result<OwnedValue>) -> ! {
    let code = match outcome {
        Ok(_) => 0,
        Err(error) if error.status() == Status::Exit => error.exit_code(),
        Err(error) => {
            write(true, error.traceback().as_bytes());
            1
        }
    };
    // SAFETY: ends this process alone.
    unsafe { libc::_exit(code) }
}
