//! A run that the host makes while the script of another interpreter calls it. Who asks the outer run to end asks the
//! inner one, too: the outer one goes on only when that has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::interpreter::claim::{Request, Run};
use crate::interpreter::control::Control;
use crate::interpreter::registry;
use crate::local::thread::entry::Entry;

/// The runs inside of an interpreter's runs, of which each has one, unless the host changes stacks.
#[derive(Default)]
pub(super) struct Inner(Mutex<Vec<Inside>>);

#[derive(Clone)]
struct Inside {
    outer: Run,
    control: Arc<Control>,
    run: Run,
}

impl Inner {
    /// Asks those to end that are inside of runs that are to end. Those that were asked before are not asked again.
    pub(super) fn ask(&self, why: Request, is_to_end: impl Fn(Run) -> bool) {
        let mut inner = self.runs().clone();
        inner.retain(|inside| is_to_end(inside.outer));
        // That the outer interpreter ends is not so of an inner one: its time is over.
        let why = match why {
            Request::End => Request::Timeout,
            why => why,
        };
        for inside in inner {
            inside.control.ask(Some(inside.run), why);
        }
    }

    /// Held for a moment only.
    fn runs(&self) -> MutexGuard<'_, Vec<Inside>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outer run knows of the inner one until this is dropped.
pub(super) struct Nested {
    outer: Arc<Control>,
    inner: Inside,
}

impl Nested {
    /// To be called by the holder of the claim to run `inner`. `None`: the calling thread was in no other run.
    ///
    /// # Safety
    /// `outer` is the entry that the thread had before.
    #[cold]
    pub(super) unsafe fn new(outer: *const Entry, inner: &Arc<Control>) -> Option<Self> {
        // SAFETY: an entry lives until it is left, which the calling thread does later.
        let (id, thread_state) = unsafe { ((*outer).id, (*outer).thread_state.get()) };
        let control = registry::with(id, |interpreter| Ok(interpreter.0.control.clone()));
        let outer = control
            .ok()
            .filter(|control| control.runs_in(thread_state))?;
        let inner = Inside {
            outer: outer.run_around(inner),
            control: inner.clone(),
            run: inner.state.run(),
        };
        outer.inner.runs().push(inner.clone());
        Some(Self { outer, inner })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        let mut runs = self.outer.inner.runs();
        let (control, run) = (&self.inner.control, self.inner.run);
        runs.retain(|inside| !Arc::ptr_eq(&inside.control, control) || inside.run != run);
    }
}
