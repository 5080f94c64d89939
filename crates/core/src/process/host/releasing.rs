//! A thread of ours that says which objects were released, while nothing else is asked for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::local::interpreter::waiting::InHost;

/// Whether a thread of ours says which objects were released.
#[derive(Default)]
pub(super) struct Releasing {
    does: Mutex<bool>,
    done: Condvar,
}

impl Releasing {
    /// It does, while `work` is done.
    pub(super) fn during(&self, work: impl FnOnce()) {
        self.set(true);
        work();
        self.set(false);
    }

    fn set(&self, does: bool) {
        *self.does.lock().unwrap_or_else(PoisonError::into_inner) = does;
        self.done.notify_all();
    }

    /// Waits until it does not, or is in the host for too long.
    pub(super) fn wait(&self, is_in_host: impl Fn() -> bool) {
        const LOOK: Duration = Duration::from_millis(10);
        let mut in_host = InHost::default();
        let mut does = self.does.lock().unwrap_or_else(PoisonError::into_inner);
        while *does && !in_host.is_too_long(is_in_host()) {
            let waited = self.done.wait_timeout(does, LOOK);
            does = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
