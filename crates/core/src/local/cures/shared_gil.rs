//! Defect: a thread that waits for a GIL asks its own interpreter to let go of it. Where several
//! interpreters share one GIL and another of them has it, nobody is asked: one that runs Python code
//! without a pause keeps all others waiting, for ever if it comes to that.
//!
//! Has it: 3.12 and before; 3.13 asks the holder.
//!
//! Cure: while more than one of ours is inside of the shared GIL, each interpreter that may have it is
//! asked for the GIL every [`TURN`]: a thread state of its own waits for it, and so sets the right one's request to drop it.

#[cfg(Py_3_13)]
mod cure {
    use crate::local::attach::Attached;

    /// A thread is inside of a GIL, or waits for it, until this is dropped.
    pub(crate) struct Entrant;

    impl Entrant {
        #[inline]
        pub(crate) fn new(_shared: bool) -> Self {
            Self
        }
    }

    impl Drop for Entrant {
        #[inline]
        fn drop(&mut self) {}
    }

    /// Nothing to know in this version.
    pub(crate) struct Holder;

    impl Holder {
        pub(crate) fn new(_shares_gil: bool) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn run_ended(&self, _: Attached<'_>) {}
    }
}

#[cfg(not(Py_3_13))]
mod cure {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use crate::local::attach::Attached;
    use crate::local::python::thread_states;
    use crate::util::timer;

    /// How long an interpreter may keep the GIL from others.
    const TURN: Duration = Duration::from_millis(2);

    /// How many threads are inside of the shared GIL, or wait for it.
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    /// The timer runs.
    static TIMED: AtomicBool = AtomicBool::new(false);
    /// Visits the interpreters that may have the GIL, if they or the threads inside, as many as it is
    /// told, are more than one. Must not wait.
    static REQUEST: OnceLock<fn(usize)> = OnceLock::new();

    /// What is to be done every [`TURN`].
    pub(crate) fn every_turn(request: fn(usize)) {
        REQUEST.get_or_init(|| request);
    }

    /// A thread is inside of a GIL, or waits for it, until this is dropped.
    pub(crate) struct Entrant {
        shared: bool,
    }

    impl Entrant {
        #[inline]
        pub(crate) fn new(shared: bool) -> Self {
            if shared {
                INSIDE.fetch_add(1, Ordering::SeqCst);
                if !TIMED.load(Ordering::SeqCst) {
                    start_timer();
                }
            }
            Self { shared }
        }
    }

    impl Drop for Entrant {
        #[inline]
        fn drop(&mut self) {
            if self.shared {
                INSIDE.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    /// An interpreter, as one that may have the shared GIL.
    pub(crate) struct Holder {
        shares_gil: bool,
        /// It had Python threads when a run ended.
        leaves_threads: AtomicBool,
        /// A thread is about to ask it for the GIL.
        is_requested: AtomicBool,
    }

    impl Holder {
        pub(crate) fn new(shares_gil: bool) -> Self {
            Self {
                shares_gil,
                leaves_threads: AtomicBool::new(false),
                is_requested: AtomicBool::new(false),
            }
        }

        #[inline]
        pub(crate) fn run_ended(&self, py: Attached<'_>) {
            if self.shares_gil {
                let leaves_threads = thread_states::others(py) > 0;
                self.leaves_threads.store(leaves_threads, Ordering::Relaxed);
            }
        }

        /// Whether code may be running in it under the shared GIL.
        pub(crate) fn may_have_it(&self, is_running: bool) -> bool {
            self.shares_gil && (is_running || self.leaves_threads.load(Ordering::Relaxed))
        }

        /// Whether a thread has to ask it: none does yet.
        pub(crate) fn begin_request(&self) -> bool {
            !self.is_requested.swap(true, Ordering::SeqCst)
        }

        /// From here on another thread has to ask.
        pub(crate) fn end_request(&self) {
            self.is_requested.swap(false, Ordering::SeqCst);
        }
    }

    #[cold]
    fn start_timer() {
        if !TIMED.swap(true, Ordering::SeqCst) {
            next_turn();
        }
    }

    fn next_turn() {
        let at = timer::at(Instant::now() + TURN, || {
            let inside = INSIDE.load(Ordering::SeqCst);
            if inside > 0 {
                if let Some(request) = REQUEST.get() {
                    request(inside);
                }
                return next_turn();
            }
            TIMED.store(false, Ordering::SeqCst);
            // One that came just now may have seen that the timer runs.
            if INSIDE.load(Ordering::SeqCst) > 0 {
                start_timer();
            }
        });
        if at.is_err() {
            // No thread can be started now: the next one who comes tries again.
            TIMED.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(not(Py_3_13))]
pub(crate) use cure::every_turn;
pub(crate) use cure::{Entrant, Holder};
