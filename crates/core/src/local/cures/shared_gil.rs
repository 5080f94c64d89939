//! Defect: a thread that waits for a GIL asks its own interpreter to let go of it. Where several
//! interpreters share one GIL and another of them has it, nobody is asked: one that runs Python code
//! without a pause keeps all others waiting, for ever if it comes to that.
//!
//! Has it: 3.12 and before; 3.13 asks the holder.
//!
//! Cure: while more than one of ours is inside of the shared GIL, each interpreter that may have it is
//! visited every [`TURN`]: a thread state of its own waits there, and so asks the right one.

#[cfg(Py_3_13)]
mod cure {
    /// A thread is inside of a GIL, or waits for it, until this is dropped.
    pub(crate) struct Inside;

    impl Inside {
        #[inline(always)]
        pub(crate) fn new(_shared: bool) -> Self {
            Self
        }
    }

    impl Drop for Inside {
        #[inline(always)]
        fn drop(&mut self) {}
    }
}

#[cfg(not(Py_3_13))]
mod cure {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use crate::util::timer;

    /// How long an interpreter may keep the GIL from others.
    const TURN: Duration = Duration::from_millis(2);

    /// How many threads are inside of the shared GIL, or wait for it.
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    /// The timer looks after them.
    static WATCHED: AtomicBool = AtomicBool::new(false);
    /// Visits the interpreters that may have the GIL, if they or the threads inside, as many as it is
    /// told, are more than one. Must not wait.
    static VISIT: OnceLock<fn(usize)> = OnceLock::new();

    /// What is to be done every [`TURN`].
    pub(crate) fn every_turn(visit: fn(usize)) {
        VISIT.get_or_init(|| visit);
    }

    /// A thread is inside of a GIL, or waits for it, until this is dropped.
    pub(crate) struct Inside {
        shared: bool,
    }

    impl Inside {
        #[inline(always)]
        pub(crate) fn new(shared: bool) -> Self {
            if shared {
                INSIDE.fetch_add(1, Ordering::SeqCst);
                if !WATCHED.load(Ordering::SeqCst) {
                    watch();
                }
            }
            Self { shared }
        }
    }

    impl Drop for Inside {
        #[inline(always)]
        fn drop(&mut self) {
            if self.shared {
                INSIDE.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    #[cold]
    fn watch() {
        if !WATCHED.swap(true, Ordering::SeqCst) {
            next_turn();
        }
    }

    fn next_turn() {
        let at = timer::at(Instant::now() + TURN, || {
            let inside = INSIDE.load(Ordering::SeqCst);
            if inside > 0 {
                if let Some(visit) = VISIT.get() {
                    visit(inside);
                }
                return next_turn();
            }
            WATCHED.store(false, Ordering::SeqCst);
            // One that came just now may have seen that it is watched.
            if INSIDE.load(Ordering::SeqCst) > 0 {
                watch();
            }
        });
        if at.is_err() {
            // No thread can be started now: the next one who comes tries again.
            WATCHED.store(false, Ordering::SeqCst);
        }
    }
}

pub(crate) use cure::Inside;
#[cfg(not(Py_3_13))]
pub(crate) use cure::every_turn;
