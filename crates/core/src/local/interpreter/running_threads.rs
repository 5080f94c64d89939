//! The threads that scripts have started, while they run: how much CPU time they use, and how they are asked to end.

use std::ffi::c_long;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::local::attach::Attached;
use crate::local::cures::{backward_jumps, main_thread};
use crate::local::interpreter::protected;
use crate::local::interpreter::protected::CodePosition;
use crate::local::interpreter::stats::time_of;
use crate::local::python::gc_pause::without_collection;
use crate::local::python::thread_states;
use crate::local::thread::wake::{Wake, When};
use crate::local::thread::{calling_thread, wait_signal};
use crate::util::thread::this_thread;

/// Those of an interpreter.
#[derive(Default)]
pub(super) struct RunningThreads(Mutex<Threads>);

/// The lock is held for a moment only, by threads that want no GIL meanwhile.
#[derive(Default)]
struct Threads {
    running: Vec<Arc<RunningThread>>,
    /// The CPU time of those that have ended.
    ended: Duration,
}

struct RunningThread {
    number: u64,
    clock: libc::clockid_t,
    wake: Wake,
}

impl RunningThreads {
    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The CPU time of all that there were.
    pub(super) fn cpu_time(&self) -> Duration {
        let threads = self.lock();
        let times = threads.running.iter().map(|thread| time_of(thread.clock));
        times.sum::<Duration>() + threads.ended
    }

    /// How many run.
    pub(super) fn count(&self) -> usize {
        self.lock().running.len()
    }

    /// Asks each of them for whose number `which` is true to end, by a SystemExit. To be called again until they have: one
    /// that stands where it must not be interrupted, or that goes on all the same, gets it the next time.
    pub(super) fn stop(&self, py: Attached<'_>, which: impl Fn(u64) -> bool) {
        let is_open =
            |state: &*mut PyThreadState| protected::position_of(py, *state) == CodePosition::Open;
        // SAFETY: of the attached interpreter.
        let number_of = |state| unsafe { main_thread::number_of(state) };
        // To 3.11 a collection may let go of the GIL, and a thread state may go then.
        let open: Vec<u64> = without_collection(py, || {
            let states = thread_states::all_of_attached(py).into_iter();
            let open = states.filter(is_open);
            let open = open.filter(|state| number_of(*state).is_some_and(&which));
            open.inspect(|state| backward_jumps::cover(py, *state))
                .filter_map(number_of)
                .collect()
        });
        for thread in &self.lock().running {
            if !which(thread.number) {
                continue;
            }
            if open.contains(&thread.number) {
                // SAFETY: attached.
                unsafe {
                    let number = thread.number as c_long;
                    ffi::PyThreadState_SetAsyncExc(number, ffi::PyExc_SystemExit);
                }
            }
            // It is on the list, so it has not ended.
            wait_signal::tell(&thread.wake, When::Soon, || true);
        }
    }
}

/// The calling thread is one of them, until this is dropped.
pub(super) struct Running<'a> {
    threads: &'a RunningThreads,
    thread: Arc<RunningThread>,
}

impl<'a> Running<'a> {
    pub(super) fn new(threads: &'a RunningThreads) -> Self {
        let mut clock = 0;
        // SAFETY: the calling thread; a place for the result.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        let thread = Arc::new(RunningThread {
            number: this_thread(),
            clock,
            wake: Wake::new(),
        });
        thread.wake.enter();
        // SAFETY: it lives until this is dropped.
        unsafe { calling_thread::set_script_wake(&thread.wake) };
        wait_signal::unblock();
        threads.lock().running.push(thread.clone());
        Self { threads, thread }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut threads = self.threads.lock();
        threads
            .running
            .retain(|thread| !Arc::ptr_eq(thread, &self.thread));
        threads.ended += time_of(libc::CLOCK_THREAD_CPUTIME_ID);
        drop(threads);
        self.thread.wake.forget();
        // SAFETY: the thread is told nothing any more.
        unsafe { calling_thread::set_script_wake(std::ptr::null()) };
    }
}
