//! A thread that stays in an interpreter.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::local::interpreter::waiting::KeptHere;
use crate::util::thread::this_thread;

/// It.
pub(super) struct Stay {
    thread: u64,
    /// Stays that have begun later have a greater one.
    number: u64,
    /// How often it has entered, and not left again.
    pub(super) depth: usize,
    _kept: KeptHere,
}

impl Stay {
    /// The calling thread stays in the interpreter that it keeps.
    pub(super) fn new(kept: KeptHere) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            thread: this_thread(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            depth: 1,
            _kept: kept,
        }
    }

    /// Whether it is the calling thread.
    pub(super) fn is_here(&self) -> bool {
        self.thread == this_thread()
    }

    /// Its number, if it is the calling thread's.
    pub(super) fn here(&self) -> Option<u64> {
        self.is_here().then_some(self.number)
    }
}
