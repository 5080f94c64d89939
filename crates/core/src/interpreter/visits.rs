//! Being in an interpreter for a moment, whoever runs in it.

use std::sync::Arc;

use crate::data::id::Id;
use crate::interpreter::claim::Purpose;
#[cfg(not(Py_3_13))]
use crate::interpreter::handle::Interpreter;
use crate::interpreter::registry;
use crate::interpreter::session::Session;
use crate::interpreter::shared::Shared;
use crate::local::attach;
use crate::local::phase;

/// Does some work in an interpreter that its pins keep.
pub(super) fn visit_kept(id: Id, work: &mut dyn FnMut()) {
    let _ = phase::ready().and_then(|_| {
        // SAFETY: it is not ended.
        registry::with(id, |interpreter| unsafe {
            interpreter.0.visit(work);
            Ok(())
        })
    });
}

impl Shared {
    /// Does `work` while the interpreter is attached, whoever runs in it, and whatever the calling
    /// thread is in. Waits for its GIL.
    ///
    /// # Safety
    /// Something keeps the interpreter from being ended until `work` is done: a pin.
    unsafe fn visit<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        if self.is(attach::attached_interpreter()) {
            return work();
        }
        match self.state.claim(Purpose::Visit) {
            Ok(claim) => {
                let _session = Session::enter(self, claim);
                work()
            }
            // SAFETY: the caller's promise.
            Err(_) => unsafe { self.visit_beside(work) },
        }
    }

    /// Does `work` in the interpreter, beside whoever runs in it. Waits for its GIL.
    ///
    /// # Safety
    /// Something keeps the interpreter from being ended until `work` is done.
    unsafe fn visit_beside<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the caller's promise.
        unsafe { attach::visit_beside(self.id, self.account, self.interpreter, work) }
    }
}

/// Visits each interpreter that may have the shared GIL, if the threads `inside` of it and the interpreters
/// that only their own Python threads may run in are more than one; see
/// [`shared_gil`](crate::local::cures::shared_gil).
#[cfg(not(Py_3_13))]
pub(crate) fn visit_holders(inside: usize) {
    let mut holders = registry::all();
    holders.retain(|interpreter| interpreter.0.may_hold_shared_gil());
    let is_left = |holder: &&Interpreter| !holder.0.state.is_running();
    if inside + holders.iter().filter(is_left).count() > 1 {
        holders.iter().for_each(|holder| holder.0.visit_holder());
    }
}
