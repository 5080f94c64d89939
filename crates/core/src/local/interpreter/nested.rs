//! A run that the host makes while the script of another interpreter calls it. Who asks the outer run to end asks the
//! inner one, too: the outer one goes on only when that has ended. Either may be in another process.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::data::id::Id;
use crate::local::interpreter::claim::{Request, Run};
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::Shared;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;

/// A run that is inside of another one.
pub(crate) trait InnerRun: Send + Sync {
    /// Asks it to end.
    fn end(&self, why: Request);
}

/// An interpreter of another process, which runs of others may be inside of.
pub(crate) trait FarRun: Send + Sync {
    /// This one begins inside of what the calling thread does for it.
    fn inner_begins(&self, inner: Inner);
    /// The last one of this interpreter has ended.
    fn inner_ended(&self, of: Id);
    /// What its run is asked to end for.
    fn asked(&self) -> Option<Request>;
}

/// A run that is inside of another one, and its interpreter.
#[derive(Clone)]
pub(crate) struct Inner {
    of: Id,
    run: Arc<dyn InnerRun>,
}

impl Inner {
    /// Whether it is of this interpreter.
    pub(crate) fn is_of(&self, id: Id) -> bool {
        self.of == id
    }

    /// Asks it to end. That the outer interpreter ends is not so of an inner one: its time is over.
    pub(crate) fn end(&self, why: Request) {
        self.run.end(match why {
            Request::End => Request::Timeout,
            why => why,
        });
    }
}

/// Held for a look-up, an insertion or a removal.
static FAR: RwLock<BTreeMap<Id, Weak<dyn FarRun>>> = RwLock::new(BTreeMap::new());

/// From now on runs of others may be inside of it.
pub(crate) fn insert_far(id: Id, run: Weak<dyn FarRun>) {
    let mut far = FAR.write().unwrap_or_else(PoisonError::into_inner);
    far.insert(id, run);
}

/// It is destroyed.
pub(crate) fn remove_far(id: Id) {
    let mut far = FAR.write().unwrap_or_else(PoisonError::into_inner);
    far.remove(&id);
}

pub(super) fn find_far(id: Id) -> Option<Arc<dyn FarRun>> {
    let far = FAR.read().unwrap_or_else(PoisonError::into_inner);
    far.get(&id)?.upgrade()
}

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
            Err(_) => find_far(id).map(Self::Far),
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
