//! A thread that stays in an interpreter.

use crate::local::interpreter::waiting::KeptHere;
use crate::util::thread::this_thread;

/// It.
pub(super) struct Stay {
    thread: u64,
    /// How often it has entered, and not left again.
    pub(super) depth: usize,
    _kept: KeptHere,
}

impl Stay {
    /// The calling thread stays in the interpreter that it keeps.
    pub(super) fn new(kept: KeptHere) -> Self {
        Self {
            thread: this_thread(),
            depth: 1,
            _kept: kept,
        }
    }

    /// Whether it is the calling thread.
    pub(super) fn is_here(&self) -> bool {
        self.thread == this_thread()
    }
}
