//! Asking interpreters that may have the shared GIL to let go of it: see [`shared_gil`](crate::local::cures::shared_gil).

use std::sync::Arc;

use crate::local::attach::Attached;
use crate::local::enter;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::registry;
use crate::local::interpreter::shared::Shared;
use crate::local::stack::with_room_if_any;
use crate::util::thread::Thread;

/// Asks each interpreter that may have the shared GIL, if the threads `inside` of it and the interpreters
/// that only their own Python threads may run in are more than one.
pub(crate) fn request_gil_drops(inside: usize) {
    let mut holders = registry::all();
    holders.retain(|interpreter| interpreter.0.may_have_shared_gil());
    let is_left = |holder: &&Interpreter| !holder.0.state.is_running();
    if inside + holders.iter().filter(is_left).count() > 1 {
        holders
            .iter()
            .for_each(|holder| holder.0.request_gil_drop());
    }
}

impl Shared {
    fn may_have_shared_gil(&self) -> bool {
        self.holder.may_have_it(self.state.is_running())
    }

    /// Has a thread state of this interpreter wait for its GIL, in a thread made for it. Before 3.12 it leaves
    /// the exception, if the run is to end.
    pub(crate) fn request_gil_drop(self: &Arc<Self>) {
        if !self.holder.begin_request() {
            return;
        }
        let mut requests = self.requests();
        // Before 3.12 its end lets those in that ask what runs there to stop, and waits for them. Since then they need no GIL,
        // and CPython keeps for ever what attaches while an interpreter ends.
        let is_let_in = cfg!(not(Py_3_12)) && self.state.requested().is_some();
        if self.state.is_over() && !is_let_in {
            self.holder.end_request();
            return;
        }
        requests.count += 1;
        drop(requests);
        let shared = self.clone();
        let request = move || {
            let work = |_py: Attached<'_>| {
                shared.holder.end_request();
                #[cfg(not(Py_3_12))]
                shared.set_async_exception(_py);
            };
            let was_inside = with_room_if_any(|room| {
                // SAFETY: the interpreter lives: this thread is counted in `requests`.
                unsafe { enter::in_interpreter(room, shared.interpreter, work) }
            });
            if !was_inside {
                shared.holder.end_request();
            }
            shared.requester_leaves();
        };
        if Thread::start(c"subpy GIL", request).is_err() {
            self.holder.end_request();
            self.requester_leaves();
        }
    }
}
