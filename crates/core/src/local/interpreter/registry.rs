//! Ids: looked up, never dereferenced, never given out twice.
//!
//! What is always in line here: without it a call takes 8 instructions more.

mod thread_cache;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::shared::Shared;
use crate::util::signal_safe::Places;

/// Held for a look-up, an insertion or a removal; never while a GIL is awaited or Python runs.
static ALL: RwLock<BTreeMap<Id, Interpreter>> = RwLock::new(BTreeMap::new());

/// For signal handlers. Changed while `ALL` is held.
pub(crate) static SIGNAL_SAFE: Places<Shared> = Places::new();

/// A new id.
pub(crate) fn next_id() -> Id {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    Id::new(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn insert(interpreter: Interpreter) {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    SIGNAL_SAFE.insert(interpreter.id().get(), Arc::as_ptr(&interpreter.0));
    all.insert(interpreter.id(), interpreter);
}

pub(crate) fn remove(id: Id) {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    SIGNAL_SAFE.remove(id.get());
    all.remove(&id);
}

/// All of them, in ascending order of their ids.
pub(crate) fn all() -> Vec<Interpreter> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.values().cloned().collect()
}

/// The one with this id; `None`: there is none in this process.
pub(crate) fn get(id: Id) -> Option<Interpreter> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.get(&id).cloned()
}

pub(crate) fn find(id: Id) -> Result<Interpreter> {
    get(id).ok_or_else(|| not_found(id))
}

/// The one for which `is_it` holds.
pub(crate) fn find_by(is_it: impl Fn(&Interpreter) -> bool) -> Option<Interpreter> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    all.values().find(|i| is_it(i)).cloned()
}

/// The interpreter of this id, if the calling thread has used it of late.
#[inline(always)]
pub(crate) fn take(id: Id) -> Option<Interpreter> {
    thread_cache::take(id)
}

/// Has the calling thread remember it, for [`take`].
#[inline(always)]
pub(crate) fn put(interpreter: Interpreter) {
    thread_cache::put(interpreter);
}

pub(crate) fn not_found(id: Id) -> Error {
    let message = format!("there is no interpreter {id}: it was never created, or is destroyed");
    Error::new(Status::NotFound, message)
}
