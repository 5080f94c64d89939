//! How a thread that runs in an interpreter is told that its run is to end, where it may wait in C: by a word that CPython's
//! checks read (see `cures::signal_checks`), and by a signal (see `wait_signal`) that ends the wait.
//!
//! The signal is for runs alone: it must not reach the thread when its run has ended, nor while it calls the host. Leaving
//! costs next to nothing, and who sends pays for both. It says that it sends; then [`barrier`] has all threads of the
//! process do what they are at, in memory; then it looks whether the run still is under way, and the thread not in the
//! host. A thread that leaves says so, and looks then whether somebody sends: it waits for that. So either the sender
//! sees that it leaves, or it sees the sender.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, compiler_fence};

use crate::util::barrier::barrier;
use crate::util::thread::this_thread;

/// The next check in C raises.
const AT_CHECK: u8 = 1;
/// The next safe point of Python code raises.
const AT_SAFE_POINT: u8 = 2;
/// A wait that the signal ends raises.
const AT_WAIT: u8 = 4;
/// An exception was left with the thread state.
const ASYNC_EXCEPTION: u8 = 8;
/// The signal is being sent.
const SENDING: u8 = 16;
/// It was sent.
const SENT: u8 = 32;

/// What is said to a thread in a run, and what it says.
pub(crate) struct Wake {
    /// 0: none has entered, though its run may be under way: then it comes to the next check, or the signal comes again.
    thread: AtomicU64,
    /// It calls the host.
    in_host: AtomicBool,
    said: AtomicU8,
}

/// When a run that is to end gets the exception.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At the next check or safe point.
    Soon,
    /// At the next check: a handler of the script's is to be called.
    #[cfg(Py_3_12)]
    AtCheck,
    /// Once it waits.
    InWait,
}

impl Wake {
    pub(crate) const fn new() -> Self {
        Self {
            thread: AtomicU64::new(0),
            in_host: AtomicBool::new(false),
            said: AtomicU8::new(0),
        }
    }

    /// The calling thread enters.
    #[inline(always)]
    pub(in crate::local) fn enter(&self) {
        self.thread.store(this_thread(), Ordering::Relaxed);
    }

    /// The calling thread, whose run has ended, leaves.
    #[inline(always)]
    pub(in crate::local) fn leave(&self) {
        self.thread.store(0, Ordering::Relaxed);
    }

    /// The thread calls the host.
    #[inline(always)]
    pub(in crate::local) fn leave_for_host(&self) {
        self.in_host.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        if self.said.load(Ordering::Acquire) & (SENDING | SENT) != 0 {
            self.wait_for_signal();
        }
    }

    /// Whether the thread calls the host. Any other one than that may be told what was so a moment ago.
    #[inline(always)]
    pub(in crate::local) fn is_in_host(&self) -> bool {
        self.in_host.load(Ordering::Relaxed)
    }

    /// The host has returned.
    #[inline(always)]
    pub(in crate::local) fn return_from_host(&self) {
        self.in_host.store(false, Ordering::Relaxed);
    }

    /// Whether something was said to the thread whose run has just ended, so that it can't be said any more.
    #[inline(always)]
    pub(crate) fn was_told(&self) -> bool {
        compiler_fence(Ordering::SeqCst);
        self.said.load(Ordering::Acquire) != 0
    }

    /// The run has ended: nothing is on its way to it, and what was said is forgotten. Says whether an exception was
    /// left with the thread state.
    #[cold]
    pub(crate) fn forget(&self) -> bool {
        self.wait_for_signal();
        self.said.swap(0, Ordering::Relaxed) & ASYNC_EXCEPTION != 0
    }

    /// Until none is on its way to the calling thread. One that was sent has come when a call of the system returns.
    #[cold]
    fn wait_for_signal(&self) {
        while self.said.load(Ordering::Acquire) & SENDING != 0 {
            std::thread::yield_now();
        }
        std::thread::yield_now();
    }

    /// Tells the thread, and has a signal sent to it, if `is_to_end` its run, which the thread leaves by making that
    /// false. To be called by one thread at a time.
    pub(super) fn tell(
        &self,
        when: When,
        is_to_end: impl FnOnce() -> bool,
        send: impl FnOnce(u64),
    ) {
        self.said.fetch_or(SENDING, Ordering::SeqCst);
        let can_send = barrier();
        if is_to_end() {
            let what = match when {
                When::Soon => AT_CHECK | AT_SAFE_POINT | AT_WAIT,
                #[cfg(Py_3_12)]
                When::AtCheck => AT_CHECK,
                When::InWait => AT_WAIT,
            };
            self.said.fetch_or(what, Ordering::Relaxed);
            let thread = self.thread.load(Ordering::Relaxed);
            if can_send && thread != 0 && !self.in_host.load(Ordering::Relaxed) {
                self.said.fetch_or(SENT, Ordering::Relaxed);
                send(thread);
            }
        }
        self.said.fetch_and(!SENDING, Ordering::Release);
    }

    /// The signal has ended a wait of the calling thread.
    pub(super) fn wait_has_ended(&self) {
        if self.said.load(Ordering::Relaxed) & AT_WAIT != 0 {
            self.said.fetch_or(AT_CHECK, Ordering::Relaxed);
        }
    }

    /// Whether a check is to raise.
    #[inline]
    pub(crate) fn is_told_at_check(&self) -> bool {
        self.said.load(Ordering::Relaxed) & AT_CHECK != 0
    }

    /// A check of the calling thread is to raise: the next one is not. For tests of the checks.
    pub(crate) fn tell_at_check(&self) {
        self.said.fetch_or(AT_CHECK, Ordering::Relaxed);
    }

    /// Whether a safe point is to raise.
    #[cfg(Py_3_12)]
    pub(crate) fn is_told_at_safe_point(&self) -> bool {
        self.said.load(Ordering::Relaxed) & AT_SAFE_POINT != 0
    }

    /// It raises: the next check and the next safe point do not. Says whether a safe point was to.
    pub(crate) fn take(&self) -> bool {
        let raised = AT_CHECK | AT_SAFE_POINT;
        self.said.fetch_and(!raised, Ordering::Relaxed) & AT_SAFE_POINT != 0
    }

    /// An exception was left with the thread state. To be called while the interpreter is attached.
    pub(crate) fn async_exception_set(&self) {
        self.said.fetch_or(ASYNC_EXCEPTION, Ordering::Relaxed);
    }

    pub(crate) fn has_async_exception(&self) -> bool {
        self.said.load(Ordering::Relaxed) & ASYNC_EXCEPTION != 0
    }
}
