//! Objects that a host has handles of. Each handle has a reference of its own, which is dropped by a thread that is attached:
//! the next one that does something in the interpreter, or, where many wait and nothing runs, one of ours.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pyo3_ffi as ffi;

use crate::data::id::Id;
use crate::data::object_handle::ObjectHandle;
use crate::local::attach::Attached;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::registry;
use crate::local::interpreter::session::Session;
use crate::local::interpreter::shared::Shared;
use crate::local::python::object::Object;
use crate::local::thread::calling_thread;
use crate::local::thread::wait_signal::Unblocked;
use crate::util::thread::start_one;

/// How long the ends of objects may take that are dropped at once.
const DROPPING: Duration = Duration::from_secs(1);

impl Shared {
    /// Drops what was released, if there is any.
    #[inline(always)]
    pub(super) fn drop_released(self: &Arc<Self>, py: Attached<'_>) {
        if self.home.has_released() {
            self.drop_now(py);
        }
    }

    #[cold]
    fn drop_now(self: &Arc<Self>, py: Attached<'_>) {
        // A script's own code may run: as a run inside of the one that begins, which can be asked to end for itself.
        // SAFETY: the entry is that of the run around it.
        unsafe { self.begin_inner(calling_thread::entry()) };
        let deadline = Deadline::of_work(self, DROPPING);
        drop_all(py, self.home.take_released());
        drop(deadline);
        self.end_inner(py);
    }

    /// The handles are stale from now on, and what they stood for goes.
    pub(super) fn end_objects(&self, py: Attached<'_>) {
        drop_all(py, ObjectHandle::end_all(&self.home));
    }
}

fn drop_all(py: Attached<'_>, addresses: Vec<u64>) {
    for address in addresses {
        // SAFETY: attached to the interpreter that it is in; the reference was a handle's.
        drop(unsafe { Object::owned(py, address as *mut ffi::PyObject) });
    }
}

/// A thread of ours drops what was released, if nothing runs: what runs next does otherwise.
pub(super) fn many_wait(id: Id) {
    static BUSY: AtomicBool = AtomicBool::new(false);
    start_one(&BUSY, c"subpy release", move || {
        if let Some(interpreter) = registry::get(id) {
            interpreter.drop_released_if_idle();
        }
    });
}

impl Interpreter {
    fn drop_released_if_idle(&self) {
        let Ok(claim) = self.0.state.claim(Purpose::Access) else {
            return;
        };
        let _unblocked = Unblocked::new();
        let _ = self.0.stack.with_room(|room| {
            let session = Session::enter(&self.0, claim, room);
            self.0.state.set_drops(true);
            let deadline = Deadline::of_work(&self.0, DROPPING);
            drop_all(session.attached(), self.0.home.take_released());
            drop(deadline);
            self.0.drops_ended(session.attached());
        });
    }
}
