//! A run that the host makes while the script of another interpreter calls it. Who asks the outer run to end asks the
//! inner one, too: the outer one goes on only when that has ended. Either may be in another process.

pub(crate) mod far;
pub(crate) mod inner;

use std::sync::Arc;

use crate::data::id::Id;
use crate::local::interpreter::claim::{Request, Run};
use crate::local::interpreter::nested::far::FarRun;
use crate::local::interpreter::nested::inner::{Inner, InnerRun};
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::Shared;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;

struct LocalRun {
    shared: Arc<Shared>,
    run: Run,
}

impl InnerRun for LocalRun {
    fn end(&self, why: Request) {
        self.shared.request(Some(self.run), why);
    }
}

/// What a thread is in.
enum Outer {
    Local(Arc<Shared>),
    Far(Arc<dyn FarRun>),
}

impl Outer {
    /// `None`: in no run.
    ///
    /// # Safety
    /// NULL, or an entry of the calling thread.
    unsafe fn of(entry: *const Entry) -> Option<Self> {
        // SAFETY: an entry lives until it is left, which the calling thread does later.
        let entry = unsafe { entry.as_ref() }?;
        let id = entry.id?;
        match registry::find(id) {
            Ok(found) if found.0.runs_in(entry.thread_state.get()) => Some(Self::Local(found.0)),
            Ok(_) => None,
            Err(_) => far::find(id).map(Self::Far),
        }
    }

    fn begin(&self, inner: Inner, outer_run: impl FnOnce(&Shared) -> Run) {
        match self {
            Self::Local(outer) => outer.inner_runs().push((outer_run(outer), inner)),
            Self::Far(far) => far.inner_begins(inner),
        }
    }

    fn end(&self, of: Id) {
        match self {
            Self::Local(outer) => {
                let mut runs = outer.inner_runs();
                // The last one that has begun ends first.
                if let Some(at) = runs.iter().rposition(|(_, inner)| inner.is_of(of)) {
                    let ended = runs.remove(at);
                    drop(runs);
                    drop(ended);
                }
            }
            Self::Far(far) => far.inner_ended(of),
        }
    }
}

impl Shared {
    /// This run is inside of another one, if the thread was in one. To be called by the holder of the claim.
    ///
    /// # Safety
    /// `outer` is the entry that the thread had before.
    #[cold]
    pub(super) unsafe fn begin_nested(self: &Arc<Self>, outer: *const Entry) {
        // SAFETY: the caller's promise.
        if let Some(outer) = unsafe { Outer::of(outer) } {
            let run = Arc::new(LocalRun {
                shared: self.clone(),
                run: self.state.run(),
            });
            outer.begin(Inner { of: self.id, run }, |outer| outer.run_around(self));
        }
    }

    /// It has ended.
    ///
    /// # Safety
    /// As for [`begin_nested`](Self::begin_nested).
    #[cold]
    pub(super) unsafe fn end_nested(self: &Arc<Self>, outer: *const Entry) {
        // SAFETY: the caller's promise.
        if let Some(outer) = unsafe { Outer::of(outer) } {
            outer.end(self.id);
        }
    }
}

/// A run of another process that is inside of one of another interpreter, until this is dropped.
pub(crate) struct FarNested {
    outer: Outer,
    of: Id,
}

impl FarNested {
    /// To be called by the thread that is about to begin it. `None`: it is in no run, or in one of this interpreter.
    pub(crate) fn begin(of: Id, run: impl FnOnce() -> Arc<dyn InnerRun>) -> Option<Self> {
        let entry = calling_thread::entry();
        // SAFETY: of the calling thread.
        let outer = unsafe {
            entry
                .as_ref()
                .filter(|entry| entry.id != Some(of))
                .and(Outer::of(entry))
        }?;
        outer.begin(Inner { of, run: run() }, |outer| outer.state.run());
        Some(Self { outer, of })
    }
}

impl Drop for FarNested {
    fn drop(&mut self) {
        self.outer.end(self.of);
    }
}
