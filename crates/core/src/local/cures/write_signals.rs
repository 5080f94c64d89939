//! Defect: Python relies on SIGPIPE and SIGXFSZ being ignored, which it sees to itself where it may install signal
//! handlers. In a host that keeps its own, a script that writes to a pipe or a socket that nobody reads any more, or
//! past the limit of a file's size, ends the process.
//!
//! Has it: every version.
//!
//! Cure: both are ignored, as in any Python process, from the start to the end of Python, unless the host does something
//! about them; a host that has set `ignore_sigpipe` to 0 keeps them as they are. Our own writes to the process's
//! streams hold SIGPIPE back either way.

use std::ffi::c_int;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

/// Each with whether it is ignored because of us.
static SIGNALS: [(c_int, AtomicBool); 2] = [
    (libc::SIGPIPE, AtomicBool::new(false)),
    (libc::SIGXFSZ, AtomicBool::new(false)),
];

/// Has the process ignore both, each if it does nothing else about it.
pub(crate) fn ignore() {
    for (signal, is_ours) in &SIGNALS {
        if replace(*signal, libc::SIG_DFL, libc::SIG_IGN) {
            is_ours.store(true, Ordering::Relaxed);
        }
    }
}

/// Puts back what [`ignore`] has changed, unless somebody has changed it since.
pub(crate) fn put_back() {
    for (signal, is_ours) in &SIGNALS {
        if is_ours.swap(false, Ordering::Relaxed) {
            replace(*signal, libc::SIG_IGN, libc::SIG_DFL);
        }
    }
}

/// Says whether it has.
fn replace(signal: c_int, before: libc::sighandler_t, after: libc::sighandler_t) -> bool {
    // SAFETY: a struct that the first call fills and the second one reads.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, null(), &mut action);
        if action.sa_sigaction != before {
            return false;
        }
        action.sa_sigaction = after;
        libc::sigaction(signal, &action, null_mut()) == 0
    }
}

/// Does `write`, which the calling thread gets no SIGPIPE for.
pub(crate) fn held_back<T>(write: impl FnOnce() -> T) -> T {
    // SAFETY: plain structs that the calls fill or read; the thread's mask is put back.
    unsafe {
        let mut sigpipe: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut sigpipe);
        libc::sigaddset(&mut sigpipe, libc::SIGPIPE);
        let is_pending = || {
            let mut pending: libc::sigset_t = std::mem::zeroed();
            libc::sigpending(&mut pending);
            libc::sigismember(&pending, libc::SIGPIPE) == 1
        };
        let mut mask: libc::sigset_t = std::mem::zeroed();
        let pending_before = is_pending();
        libc::pthread_sigmask(libc::SIG_BLOCK, &sigpipe, &mut mask);
        let result = write();
        if !pending_before && is_pending() {
            let at_once = std::mem::zeroed();
            libc::sigtimedwait(&sigpipe, null_mut(), &at_once);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &mask, null_mut());
        result
    }
}
