//! The signal that ends a wait in C: the call of the system that waits returns EINTR, and CPython looks then whether there
//! is something to raise. Its handler does nothing but to tell the thread that a wait has ended.

use std::ffi::{c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering};

use crate::local::thread::calling_thread;
use crate::local::thread::wake::{Wake, When};
use crate::util::barrier;

/// 0: there is none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Which signal it is; `None`: there is none.
pub(crate) fn get() -> Option<c_int> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Takes this signal, or else a real-time signal that nobody handles, from the last one on. False: this one can't be taken.
pub(crate) fn take(asked: Option<c_int>) -> bool {
    if !barrier::prepare() {
        return true;
    }
    let free = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
    let taken = match asked {
        Some(signal) => handle(signal).then_some(signal),
        None => free.into_iter().find(|signal| handle(*signal)),
    };
    SIGNAL.store(taken.unwrap_or(0), Ordering::Relaxed);
    taken.is_some() || asked.is_none()
}

/// The signal is nobody's again, unless somebody has taken it since.
pub(crate) fn put_back() {
    let signal = SIGNAL.swap(0, Ordering::Relaxed);
    if signal != 0 && is_handled_by(signal, handler()) {
        set(signal, libc::SIG_DFL, 0);
    }
}

fn handler() -> libc::sighandler_t {
    has_come as *const () as libc::sighandler_t
}

/// Takes a signal if nobody handles it.
fn handle(signal: c_int) -> bool {
    // Without SA_RESTART: calls of the system are to return.
    is_handled_by(signal, libc::SIG_DFL)
        && set(signal, handler(), libc::SA_SIGINFO | libc::SA_ONSTACK)
}

fn is_handled_by(signal: c_int, handler: libc::sighandler_t) -> bool {
    // SAFETY: a struct that the call fills.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, null(), &mut action) == 0 && action.sa_sigaction == handler
    }
}

fn set(signal: c_int, handler: libc::sighandler_t, flags: c_int) -> bool {
    // SAFETY: a struct that the call reads.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigaction(signal, &action, null_mut()) == 0
    }
}

unsafe extern "C" fn has_come(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: what the system hands to a handler; an entry lives until it is left.
    unsafe {
        if was_in_wait(&*context.cast()) {
            let entry = calling_thread::entry().as_ref();
            if let Some(wake) = entry
                .map(|entry| &entry.wake)
                .or(calling_thread::script_wake())
            {
                wake.wait_has_ended();
            }
        }
    }
}

/// Whether a call of the system was interrupted: its result is where it returns one.
fn was_in_wait(context: &libc::ucontext_t) -> bool {
    const INTERRUPTED: i64 = -(libc::EINTR as i64);
    #[cfg(target_arch = "x86_64")]
    return context.uc_mcontext.gregs[libc::REG_RAX as usize] == INTERRUPTED;
    #[cfg(target_arch = "aarch64")]
    return context.uc_mcontext.regs[0] as i64 == INTERRUPTED;
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return true;
}

/// Tells a thread that its run is to end, and ends its wait, if `is_to_end` the run: see [`Wake::tell`].
pub(crate) fn tell(wake: &Wake, when: When, is_to_end: impl FnOnce() -> bool) {
    wake.tell(when, is_to_end, send);
}

/// Sends it to a thread, which lives. Nothing happens if the host has taken the signal for itself.
pub(crate) fn send(thread: u64) {
    if let Some(signal) = get()
        && is_handled_by(signal, handler())
    {
        // SAFETY: the thread lives, by the caller's promise.
        unsafe { libc::pthread_kill(thread as libc::pthread_t, signal) };
    }
}

/// The calling thread takes the signal, for good.
pub(crate) fn unblock() {
    if let Some(signal) = get() {
        mask(libc::SIG_UNBLOCK, signal);
    }
}

/// The calling thread takes the signal until this is dropped, and does then what it did.
pub(crate) struct Unblocked(Option<c_int>);

impl Unblocked {
    pub(crate) fn new() -> Self {
        let blocked = get().filter(|signal| mask(libc::SIG_UNBLOCK, *signal));
        Self(blocked)
    }
}

impl Drop for Unblocked {
    fn drop(&mut self) {
        if let Some(signal) = self.0 {
            mask(libc::SIG_BLOCK, signal);
        }
    }
}

/// Says whether it was blocked.
fn mask(how: c_int, signal: c_int) -> bool {
    // SAFETY: sets that are filled before they are read.
    unsafe {
        let (mut set, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(how, &set, &mut before);
        libc::sigismember(&before, signal) == 1
    }
}
