//! Being in an interpreter for a moment, whoever runs in it.

use std::sync::Arc;

use crate::data::id::Id;
use crate::local::attach;
use crate::local::attach::{Attached, Current};
use crate::local::enter;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::registry;
use crate::local::interpreter::session::Session;
use crate::local::interpreter::shared::Shared;
use crate::local::stack::{Room, with_room_if_any};

/// Does some work in an interpreter that its pins keep.
pub(super) fn access_kept(id: Id, work: &mut dyn FnMut()) {
    let found = registry::take(id).map_or_else(|| Interpreter::find(id), Ok);
    if let Ok(interpreter) = found {
        // SAFETY: it is not ended.
        unsafe { interpreter.0.access(|_| work()) };
        registry::put(interpreter);
    }
}

impl Shared {
    /// Does `work` while the interpreter is attached, whoever runs in it, and whatever the calling
    /// thread is in. Waits for its GIL.
    ///
    /// # Safety
    /// Something keeps the interpreter from being ended until `work` is done: a pin.
    unsafe fn access<T>(self: &Arc<Self>, work: impl FnOnce(Attached<'_>) -> T) -> T {
        if self.is(attach::attached_interpreter()) {
            let current = Current::get();
            return work(current.attached());
        }
        match self.state.claim(Purpose::Access) {
            Ok(claim) => {
                let access = |room: Room<'_>| work(Session::enter(self, claim, room).attached());
                self.stack.with_room_if_any(access)
            }
            // SAFETY: the caller's promise.
            Err(_) => unsafe { self.access_beside(work) },
        }
    }

    /// Does `work` in the interpreter, beside whoever runs in it. Waits for its GIL.
    ///
    /// # Safety
    /// Something keeps the interpreter from being ended until `work` is done.
    unsafe fn access_beside<T>(&self, work: impl FnOnce(Attached<'_>) -> T) -> T {
        with_room_if_any(|room| {
            let (id, python) = (self.id, self.interpreter);
            // SAFETY: the caller's promise.
            unsafe { enter::in_new_thread_state(room, id, self.account, python, work) }
        })
    }
}
