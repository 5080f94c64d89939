//! A thread of ours that says which objects were released, while nothing else is asked for.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::local::interpreter::waiting::LONGEST_ACCESS;

/// Whether a thread of ours says which objects were released.
#[derive(Default)]
pub(super) struct Releasing {
    does: Mutex<bool>,
    done: Condvar,
}

impl Releasing {
    pub(super) fn set(&self, does: bool) {
        *self.does.lock().unwrap_or_else(PoisonError::into_inner) = does;
        self.done.notify_all();
    }

    /// Waits until it does not, but not for what the ends of objects call of the host's: that may wait for the calling thread.
    pub(super) fn wait(&self) {
        let does = self.does.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self
            .done
            .wait_timeout_while(does, LONGEST_ACCESS, |does| *does);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }
}
