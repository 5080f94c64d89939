//! An interpreter, as any thread may have it.
//!
//! Some of it is for the one inside: the thread that has claimed it, and is attached. See [`Session`](super::session).
//!
//! What is always in line here: without it a call takes 19 instructions more, with `running`.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pyo3_ffi::{PyInterpreterState, PyThreadState};

use crate::data::config::Budget;
use crate::data::id::Id;
use crate::data::object_handle::Home;
use crate::local::attach::Attached;
use crate::local::cures::shared_gil::Holder;
use crate::local::cures::stack_bounds::KnownStack;
use crate::local::interpreter::claim::{Run, State};
use crate::local::interpreter::inside::Inside;
use crate::local::interpreter::nested::inner::Inner;
use crate::local::interpreter::output::OutputMeter;
use crate::local::interpreter::requests::Requests;
use crate::local::interpreter::running_threads::RunningThreads;
use crate::local::interpreter::signals::state::Signals;
use crate::local::interpreter::stats::Counters;
use crate::local::interpreter::stay::Stay;
use crate::local::memory::account::{Account, Work};
use crate::local::python::thread_states;
use crate::local::stack::KeptStack;
use crate::local::thread::entry::Entry;

/// An interpreter.
pub(crate) struct Shared {
    pub(super) id: Id,
    pub(crate) state: State,
    pub(crate) stats: Counters,
    /// Where its memory is counted.
    pub(crate) account: Option<&'static Account>,
    /// Used only by a thread that is counted in `requests`, or while something keeps the interpreter; compared otherwise.
    pub(super) interpreter: *mut PyInterpreterState,
    /// As above: the thread state that runs.
    pub(super) thread_state: *mut PyThreadState,
    /// It has no GIL of its own.
    pub(crate) shares_gil: bool,
    pub(super) holder: Holder,
    /// Held to ask a run to end, to count who does, and while a run begins or ends inside of another one.
    requests: Mutex<Requests>,
    /// There is one less.
    requester_left: Condvar,
    /// The number of the run that a signal handler of the host's interrupts; 0: none.
    pub(super) interrupted_by_handler: AtomicU64,
    /// Each safe point raises.
    pub(super) raises_at_safe_points: AtomicBool,
    pub(super) signals: Signals,
    /// For the one inside: what a run may use.
    pub(super) budget: Cell<Budget>,
    /// For the one inside. It has one: asked in each run.
    pub(super) has_budget: Cell<bool>,
    /// How many threads its scripts may have; 0: as many as they like.
    pub(super) thread_limit: AtomicU32,
    pub(super) threads: Arc<RunningThreads>,
    pub(super) output: Arc<OutputMeter>,
    /// What runs, of other interpreters too, are inside of which of its runs.
    inner_runs: Mutex<Vec<(Run, Inner)>>,
    /// Of the objects that a host has handles of.
    pub(super) home: Arc<Home>,
    /// For the one inside: has its thread state.
    pub(super) entry: Entry,
    /// For threads whose own is small.
    pub(super) stack: KeptStack,
    /// For the one inside.
    pub(super) known_stack: UnsafeCell<KnownStack>,
    /// For the one inside, where it is a thread that stays.
    pub(super) stay: Stay,
    /// A thread stays in it.
    pub(super) is_stayed_in: AtomicBool,
    /// For the one inside. `None`: it is not made yet, or it is gone.
    inside: UnsafeCell<Option<Inside>>,
}

// SAFETY: the two pointers are used as their comments say; what is for the one inside is reached by a claim alone, with
// its thread state attached.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// A thread that is counted in `requests`, until this is dropped.
pub(super) struct Requester<'a>(pub(super) &'a Shared);

impl Drop for Requester<'_> {
    fn drop(&mut self) {
        self.0.requester_leaves();
    }
}

impl Shared {
    /// For the interpreter of a thread state.
    pub(super) fn new(
        home: Arc<Home>,
        thread_state: *mut PyThreadState,
        shares_gil: bool,
        account: Option<&'static Account>,
        (budget, thread_limit): (Budget, u32),
        output: Arc<OutputMeter>,
    ) -> Arc<Self> {
        let id = home.id;
        Arc::new(Self {
            id,
            state: State::new(),
            stats: Counters::default(),
            account,
            interpreter: thread_states::interpreter_of(thread_state),
            thread_state,
            shares_gil,
            holder: Holder::new(shares_gil),
            requests: Mutex::default(),
            requester_left: Condvar::new(),
            interrupted_by_handler: AtomicU64::new(0),
            raises_at_safe_points: AtomicBool::new(false),
            signals: Signals::default(),
            budget: Cell::new(budget),
            has_budget: Cell::new(budget != Budget::NONE),
            thread_limit: AtomicU32::new(thread_limit),
            threads: Arc::default(),
            output,
            inner_runs: Mutex::default(),
            home,
            entry: Entry::new(Some(id), account, thread_state),
            stack: KeptStack::default(),
            known_stack: UnsafeCell::new(KnownStack::new()),
            stay: Stay::default(),
            is_stayed_in: AtomicBool::new(false),
            inside: UnsafeCell::new(None),
        })
    }

    /// Whether it is this interpreter of CPython's.
    pub(crate) fn is(&self, interpreter: *mut PyInterpreterState) -> bool {
        self.interpreter == interpreter
    }

    /// Whether this thread state is the one that runs.
    pub(super) fn runs_in(&self, thread_state: *mut PyThreadState) -> bool {
        self.thread_state == thread_state
    }

    /// Whether the attached thread state is the one that runs.
    pub(super) fn is_run(&self, py: Attached<'_>) -> bool {
        thread_states::attached(py) == self.thread_state
    }

    /// What each run may use from now on. To be called by the holder of the claim.
    pub(super) fn set_budget(&self, budget: Budget) {
        self.budget.set(budget);
        self.has_budget.set(budget != Budget::NONE);
    }

    /// Says what memory is needed for from now on.
    pub(crate) fn work_begins(&self, work: Work) {
        if let Some(account) = self.account {
            account.begin(work);
        }
    }

    /// What is inside from now on. The answer is what was.
    ///
    /// # Safety
    /// The calling thread has the claim, and nobody has a reference to what is inside.
    pub(super) unsafe fn set_inside(&self, inside: Option<Inside>) -> Option<Inside> {
        // SAFETY: the caller's promise.
        unsafe { std::mem::replace(&mut *self.inside.get(), inside) }
    }

    /// What is inside; `None`: it is gone.
    ///
    /// # Safety
    /// The calling thread has the claim, and does not end the interpreter while it has the answer.
    #[inline(always)]
    pub(super) unsafe fn inside(&self) -> Option<&Inside> {
        // SAFETY: the caller's promise: it is changed by the interpreter's end alone.
        unsafe { (*self.inside.get()).as_ref() }
    }

    pub(super) fn requester_leaves(&self) {
        self.requests().count -= 1;
        self.requester_left.notify_all();
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the threads that ask a run to end, before the interpreter is ended. To be called with
    /// the claim that keeps others from coming, and without a GIL.
    pub(crate) fn wait_for_requesters(&self) {
        let mut requests = self.requests();
        while requests.count > 0 {
            requests = self
                .requester_left
                .wait(requests)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Held for a moment only.
    pub(super) fn inner_runs(&self) -> MutexGuard<'_, Vec<(Run, Inner)>> {
        self.inner_runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
