//! What may be done with an interpreter that is claimed and attached: looked into, left, ended.

use std::time::Duration;

use crate::data::error::{Error, Result, Status};
use crate::data::queue::Queue;
use crate::interpreter::claim::Claim;
use crate::interpreter::contents::Contents;
use crate::interpreter::nested::Nested;
use crate::interpreter::registry;
use crate::interpreter::{Inner, ending, family, faulthandler, foreign_threads};
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::cures::allocator::counting;
use crate::local::cures::import_first::Outside;
use crate::local::cures::{asyncio_iterators, child_processes, globals_left, library};
use crate::local::cures::{multiprocessing_servers, remaining_interpreters, type_versions};
use crate::local::memory::account::Work;
use crate::local::objects::release::Ledger;
use crate::local::thread::entry::Entry;

/// An interpreter that is claimed and attached: the right to touch what it holds. Dropped from top to
/// bottom: detached first, given back then.
pub(super) struct Session<'a> {
    attached: Attached<'a>,
    claim: Claim<'a>,
    inner: &'a Inner,
}

impl<'a> Session<'a> {
    /// Attaches the interpreter that was claimed. Waits for its GIL.
    #[inline(always)]
    pub(super) fn enter(inner: &'a Inner, claim: Claim<'a>) -> Self {
        let held = inner.held.get();
        // SAFETY: claimed, so nobody else reaches `held`, nor attaches its thread state.
        let attached = unsafe {
            let entry = &(*held).entry;
            let attached = Attached::enter(entry, inner.control.shares_gil);
            (*held).watched.follow(entry.thread_state.get());
            attached
        };
        Self {
            attached,
            claim,
            inner,
        }
    }

    /// The entry that the thread had before; NULL: none.
    #[inline(always)]
    fn outer(&self) -> *const Entry {
        // SAFETY: a session is the right to look at it.
        unsafe { (*self.inner.held.get()).entry.outer() }
    }

    /// Whether the thread is in an interpreter further out.
    #[inline(always)]
    pub(super) fn is_nested(&self) -> bool {
        !self.outer().is_null()
    }

    /// This runs inside of that one's run. (An error on the way to [`end_nested`](Self::end_nested) leaves a run with it
    /// that is over, until the next one.)
    #[cold]
    pub(super) fn begin_nested(&self) {
        // SAFETY: a session is the right to touch it; the thread had the outer entry before the session.
        unsafe {
            (*self.inner.held.get()).nested = Nested::new(self.outer(), &self.inner.control);
        }
    }

    #[cold]
    pub(super) fn end_nested(&self) {
        // SAFETY: a session is the right to touch it.
        unsafe { (*self.inner.held.get()).nested = None };
    }

    pub(super) fn no_pins(&self) -> Result<()> {
        // SAFETY: a session is the right to look at it.
        let contents = unsafe { &(*self.inner.held.get()).contents };
        let message = match contents.as_ref().map_or(0, Contents::pins) {
            0 => return Ok(()),
            1 => "1 buffer that the host holds".to_owned(),
            n => format!("{n} buffers that the host holds"),
        };
        let message = format!(
            "interpreter {} has {message}, or another interpreter: clear the values that have them, \
             and the views of them, first",
            self.inner.id
        );
        Err(Error::new(Status::Busy, message))
    }

    /// The names of `__main__` go, and what only they had, with what is in the queues that its family has made, if it is
    /// the first of that.
    pub(super) fn forget_names(&self) {
        // SAFETY: a session is the right to look at it.
        let contents = unsafe { &(*self.inner.held.get()).contents };
        if let Some(contents) = contents {
            contents.forget_names();
        }
        Queue::clear_all(self.inner.id);
    }

    /// What the interpreter has borrowed of the host, to be given back once it has ended.
    pub(super) fn ledger(&self) -> Ledger {
        // SAFETY: a session is the right to look at it.
        let contents = unsafe { &(*self.inner.held.get()).contents };
        contents.as_ref().map(Contents::ledger).unwrap_or_default()
    }

    fn outside(&self) -> Outside {
        // SAFETY: a session is the right to look at it.
        let contents = unsafe { &(*self.inner.held.get()).contents };
        contents.as_ref().map(Contents::outside).unwrap_or_default()
    }

    /// Detaches, and keeps the claim.
    #[inline(always)]
    pub(super) fn leave(self) -> Claim<'a> {
        self.attached.leave();
        self.claim
    }

    /// Ends the interpreter, which has no other threads. Its finalizers may take `time`.
    pub(super) fn end(mut self, time: Duration) {
        let ledger = self.ledger();
        // With a shared GIL, others may have its strings.
        let outside = (!self.inner.control.shares_gil).then(|| self.outside());
        self.let_go();
        ending::limit_end(&self.inner.control, time);
        multiprocessing_servers::stop_at_end();
        library::end();
        asyncio_iterators::free();
        globals_left::clear_at_end();
        let python = attach::attached_interpreter() as usize;
        // SAFETY: not the main interpreter, by `destroy` and `end_all`, and without other threads.
        unsafe { self.attached.end_interpreter(outside) };
        // SAFETY: ended.
        unsafe { ledger.close() };
        retire(self.inner, self.claim);
        attach::detached(|| child_processes::reap(python, time));
    }

    /// Finalizes Python from its main interpreter, the last one, which has no other threads.
    pub(super) fn finalize(mut self) {
        let ledger = self.ledger();
        self.let_go();
        ending::limit_end(&self.inner.control, ending::PATIENCE);
        multiprocessing_servers::stop_at_end();
        library::end();
        let python = attach::attached_interpreter() as usize;
        // SAFETY: as `end_all` saw to it. What can't be flushed is lost: nobody is left to tell.
        unsafe { self.attached.finalize() };
        // SAFETY: ended.
        unsafe { ledger.close() };
        retire(self.inner, self.claim);
        child_processes::reap(python, ending::PATIENCE);
    }

    /// Leaves the main interpreter to the host.
    pub(super) fn disown(mut self) {
        type_versions::hand_back();
        remaining_interpreters::unregister();
        self.let_go();
        drop(self.attached);
        // SAFETY: ours, made when the host's Python was joined; nobody else has it.
        unsafe { attach::delete((*self.inner.held.get()).entry.thread_state.get()) };
        retire(self.inner, self.claim);
    }

    /// Lets the interpreter's contents go; its thread state is not to be attached any more.
    fn let_go(&mut self) {
        self.inner.control.work_begins(Work::Own);
        // SAFETY: a session is the right to touch what is held.
        let contents = unsafe { &mut (*self.inner.held.get()).contents };
        drop(contents.take());
    }
}

/// The interpreter is gone, with all that is known of it.
pub(super) fn retire(inner: &Inner, claim: Claim<'_>) {
    registry::remove(inner.id);
    family::forget(inner.id);
    Queue::forget(inner.id);
    Queue::take_apart(inner.id);
    faulthandler::forget(inner.id);
    foreign_threads::forget(inner.id);
    if let Some(account) = inner.control.account {
        counting::disown(account);
    }
    claim.retire();
}
