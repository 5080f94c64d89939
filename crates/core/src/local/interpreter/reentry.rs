//! A run inside of a run of the same interpreter, in the same thread: a script has called the host, which calls that
//! interpreter again. The claim is the outer run's, and so is the thread state. (Where an object's end has called the host, the
//! outer one may be an access.)
//!
//! Python's frames are on the stack of the thread, and the inner run's are above the outer one's. So it has to be over
//! before the outer one goes on. A host that changes stacks (fibers) could go on with the outer one first: on a stack of
//! its own, the interpreter is busy.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::enter::Attachment;
use crate::local::interpreter::shared::Shared;
use crate::local::python::exception;
use crate::local::python::object::Object;
use crate::local::stack::Room;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;

/// An inner run that is under way, and attached.
pub(super) struct Reentry<'a> {
    shared: &'a Arc<Shared>,
    exception: Option<Object>,
    attached: ManuallyDrop<Attachment<'a>>,
    /// Ours; `attached` has it.
    entry: *mut Entry,
}

impl<'a> Reentry<'a> {
    /// Begins one inside of the run that is under way, if that is the calling thread's.
    #[cold]
    pub(super) fn enter(shared: &'a Arc<Shared>) -> Result<Option<Box<Self>>> {
        let found = entry(shared)?;
        Ok(found.map(|(entry, room)| Self::begin(shared, entry, room)))
    }

    /// Begins one in a thread that [stays](super::visit) in it, is in no call of it, and elsewhere by now.
    #[cold]
    pub(super) fn in_stay(shared: &'a Arc<Shared>, room: Room<'a>) -> Box<Self> {
        let thread_state = shared.thread_state;
        let entry = Entry::new(Some(shared.id), shared.account, thread_state);
        let begun = Self::begin(shared, entry, room);
        // SAFETY: this thread has the claim.
        unsafe { (*shared.known_stack.get()).follow(begun.attached(), thread_state) };
        begun
    }

    fn begin(shared: &'a Arc<Shared>, entry: Entry, room: Room<'a>) -> Box<Self> {
        let entry = Box::into_raw(Box::new(entry));
        let outer = calling_thread::entry();
        // SAFETY: the entry is freed after it was left. The thread state lives as long as the run, and is this thread's
        // to attach: it runs in it.
        let attached = unsafe { Attachment::enter(&*entry, shared.shares_gil, room) };
        // What the host was called for may be done while an exception is on its way: an object is deleted.
        let exception = exception::raised(attached.attached());
        // SAFETY: the entry lives until the run has ended. The thread had the outer one before.
        unsafe {
            shared.begin_inner(entry);
            shared.begin_nested(outer);
        }
        Box::new(Self {
            shared,
            exception,
            attached: ManuallyDrop::new(attached),
            entry,
        })
    }
}

impl Reentry<'_> {
    /// The proof that it is attached.
    pub(super) fn attached(&self) -> Attached<'_> {
        self.attached.attached()
    }
}

impl Drop for Reentry<'_> {
    #[cold]
    fn drop(&mut self) {
        let py = self.attached.attached();
        self.shared.end_inner(py);
        // SAFETY: as in `enter`.
        unsafe { self.shared.end_nested((*self.entry).outer()) };
        if let Some(exception) = self.exception.take() {
            exception::restore(py, exception);
        }
        // SAFETY: each once, in this order.
        unsafe {
            ManuallyDrop::drop(&mut self.attached);
            drop(Box::from_raw(self.entry));
        }
    }
}

/// An entry for the calling thread, if it runs in this interpreter. Fails if that is on another stack.
fn entry(shared: &Arc<Shared>) -> Result<Option<(Entry, Room<'_>)>> {
    if !shared.state.is_running() && !shared.state.is_accessed() {
        return Ok(None);
    }
    let mut entry = calling_thread::entry();
    // SAFETY: an entry lives until it is left.
    while let Some(outer) = unsafe { entry.as_ref() } {
        let thread_state = outer.thread_state.get();
        if shared.runs_in(thread_state) {
            // SAFETY: it runs in this thread, which has the claim.
            let Some(room) = (unsafe { (*shared.known_stack.get()).room() }) else {
                let message = format!(
                    "interpreter {} is running, in this thread: it can be called again on the stack that its functions \
                     are called on, and not on another one of the host's",
                    shared.id
                );
                return Err(Error::new(Status::Busy, message));
            };
            let entry = Entry::new(Some(shared.id), shared.account, thread_state);
            return Ok(Some((entry, room)));
        }
        entry = outer.outer();
    }
    Ok(None)
}
