//! How much CPU time the threads use that scripts have started.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::local::interpreter::stats::time_of;

/// What is known of the threads that an interpreter's scripts have started.
#[derive(Default)]
pub(super) struct ThreadTimes(Mutex<Threads>);

#[derive(Default)]
struct Threads {
    clocks: Vec<libc::clockid_t>,
    /// The CPU time of those that have ended.
    ended: Duration,
}

impl ThreadTimes {
    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The CPU time of all that there were.
    pub(super) fn cpu_time(&self) -> Duration {
        let threads = self.lock();
        let running: Duration = threads.clocks.iter().map(|clock| time_of(*clock)).sum();
        running + threads.ended
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.lock().clocks.len()
    }
}

/// The calling thread is one of them, until this is dropped.
pub(super) struct Running<'a> {
    threads: &'a ThreadTimes,
    clock: libc::clockid_t,
}

impl<'a> Running<'a> {
    pub(super) fn new(threads: &'a ThreadTimes) -> Self {
        let mut clock = 0;
        // SAFETY: the calling thread; a place for the result.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        threads.lock().clocks.push(clock);
        Self { threads, clock }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut threads = self.threads.lock();
        threads.clocks.retain(|clock| *clock != self.clock);
        threads.ended += time_of(libc::CLOCK_THREAD_CPUTIME_ID);
    }
}
