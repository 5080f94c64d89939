//! Defect: Python relies on SIGPIPE being ignored, which it sees to itself where it may install signal
//! handlers. In a host that keeps its own, a script that writes to a pipe or a socket that nobody reads
//! any more ends the process.
//!
//! Has it: every version.
//!
//! Cure: our own writes to the process's streams hold the signal back, and report the error. What scripts
//! write elsewhere is their host's choice: `ignore_sigpipe` has the signal ignored as in any Python
//! process, if the host has no handler for it.

use std::ptr::null_mut;

/// Has the process ignore SIGPIPE, if it does nothing else about it.
pub(crate) fn ignore() {
    // SAFETY: plain structs that the calls fill or read.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action);
        if action.sa_sigaction == libc::SIG_DFL {
            action.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(libc::SIGPIPE, &action, null_mut());
        }
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
