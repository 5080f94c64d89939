//! Interpreters of other processes, which runs of others may be inside of.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::data::error::Result;
use crate::data::id::Id;
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::nested::inner::Inner;

/// An interpreter of another process, which runs of others may be inside of.
pub(crate) trait FarRun: Send + Sync {
    /// This one begins inside of what the calling thread does for it.
    fn inner_begins(&self, inner: Inner);
    /// The last one of this interpreter has ended.
    fn inner_ended(&self, of: Id);
    /// Whether its run goes on only when the calling thread does: that is in the run, or has its GIL.
    fn waits_for_this_thread(&self) -> bool;
    /// What its run is asked to end for.
    fn asked(&self) -> Option<Request>;
    /// Ends the interpreter, since the one ends that has created it. `Busy`: it runs.
    fn end_with_creator(self: Arc<Self>, ending: &EndOptions<'_>) -> Result<()>;
}

/// Held for a look-up, an insertion or a removal.
static FAR: RwLock<BTreeMap<Id, Weak<dyn FarRun>>> = RwLock::new(BTreeMap::new());

/// From now on runs of others may be inside of it.
pub(crate) fn insert(id: Id, run: Weak<dyn FarRun>) {
    let mut far = FAR.write().unwrap_or_else(PoisonError::into_inner);
    far.insert(id, run);
}

/// It is destroyed.
pub(crate) fn remove(id: Id) {
    let mut far = FAR.write().unwrap_or_else(PoisonError::into_inner);
    far.remove(&id);
}

pub(in crate::local::interpreter) fn find(id: Id) -> Option<Arc<dyn FarRun>> {
    let far = FAR.read().unwrap_or_else(PoisonError::into_inner);
    far.get(&id)?.upgrade()
}
