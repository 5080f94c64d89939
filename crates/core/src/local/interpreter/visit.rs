//! A thread that stays in an interpreter, from `enter` to `leave`: each call that it makes meanwhile is a run that needs no
//! claim and does not attach.
//!
//! Who holds what: the claim is the thread's from `enter` to `leave`, and between two calls its word is that of a run that
//! has ended. So nobody else runs or ends the interpreter, and there is nothing to interrupt. The thread state stays
//! attached: the GIL is the thread's. Between two calls the thread is in the host, as in a function of the host's
//! that keeps the GIL.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::data::error::Result;
use crate::local::attach;
use crate::local::attach::{Attached, still_attached};
use crate::local::enter::{Attachment, InHost};
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::session::Session;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::stay::{left_too_early, may_enter, not_entered, shares_gil};
use crate::local::stack::Room;
use crate::local::thread::calling_thread;

/// Proof that the calling thread stays in an interpreter, is attached to it, and is in no call.
#[derive(Clone, Copy)]
pub(super) struct StaysHere<'a>(&'a Arc<Shared>);

impl StaysHere<'_> {
    /// The host has come back.
    #[inline(always)]
    fn return_from_host(self) {
        self.0.entry.stays.set(false);
        match self.0.stay.has_own.get() {
            false => self.0.entry.wake.return_from_host(),
            true => drop(self.0.stay.in_host.take()),
        }
    }

    /// The host has it again.
    #[inline(always)]
    fn go_to_host(self) {
        let has_own = InHost::has_own(&self.0.entry);
        self.0.stay.has_own.set(has_own);
        match has_own {
            false => self.0.entry.wake.leave_for_host(),
            true => self.0.stay.in_host.set(Some(InHost::keeping_gil())),
        }
        self.0.entry.stays.set(true);
    }
}

impl Shared {
    /// The proof, if it is so.
    #[inline(always)]
    pub(super) fn stays_here(self: &Arc<Self>) -> Option<StaysHere<'_>> {
        let is_innermost = std::ptr::eq(calling_thread::entry(), &self.entry);
        // The host may have let go of the GIL by itself.
        let is_it = || self.entry.stays.get() && attach::is_attached_to(self.thread_state);
        (is_innermost && is_it()).then_some(StaysHere(self))
    }

    /// Whether the calling thread stays in it, is in no call of it, and is attached to something else by now, or to nothing.
    #[cold]
    pub(super) fn stays_elsewhere(&self) -> bool {
        self.stay.depth_here(&self.entry).is_some() && self.entry.stays.get()
    }
}

/// A call of the thread that stays, until this is dropped.
pub(super) struct Visit<'a> {
    here: StaysHere<'a>,
    py: Attached<'a>,
}

impl<'a> Visit<'a> {
    #[inline(always)]
    pub(super) fn begin(here: StaysHere<'a>, _: Room<'_>) -> Self {
        let shared = here.0;
        here.return_from_host();
        shared.state.begin_again();
        // SAFETY: the thread is attached until it leaves, and has the claim.
        let py = unsafe {
            let py = still_attached();
            (*shared.known_stack.get()).follow(py, shared.thread_state);
            py
        };
        if let Some(account) = shared.account {
            account.begin_run();
        }
        Self { here, py }
    }

    /// The proof that it is attached.
    #[inline(always)]
    pub(super) fn attached(&self) -> Attached<'_> {
        self.py
    }
}

impl Drop for Visit<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.here.0.run_ended(self.py);
        self.here.go_to_host();
    }
}

impl Interpreter {
    /// The calling thread stays in it. `Busy`: another one runs in it, for longer than `wait`; `None`: however long that
    /// takes.
    pub(crate) fn enter(&self, wait: Option<Duration>) -> Result<()> {
        self.may_run()?;
        if self.0.shares_gil {
            return Err(shares_gil(self.0.id));
        }
        may_enter(self.0.id)?;
        if let Some(depth) = self.0.stay.depth_here(&self.0.entry) {
            depth.set(depth.get() + 1);
            return Ok(());
        }
        let claim = self.0.claim(Purpose::Run);
        let claim = claim.or_else(|refused| self.0.claim_in_turn(wait, refused))?;
        self.0.stack.with_room(|room| {
            let session = Session::enter(&self.0, claim, room);
            self.0.run_ended(session.attached());
            self.0.stay.depth.set(1);
            self.0.is_stayed_in.store(true, Ordering::Relaxed);
            StaysHere(&self.0).go_to_host();
            session.keep();
        })
    }

    /// It does so no more, if it has left as often as it has entered.
    pub(crate) fn leave(&self) -> Result<()> {
        let depth = self.0.stay.depth_here(&self.0.entry);
        let depth = depth.ok_or_else(|| not_entered(self.0.id))?;
        if depth.get() > 1 && may_enter(self.0.id).is_ok() {
            depth.set(depth.get() - 1);
            return Ok(());
        }
        let here = self.0.stays_here();
        let here = here.ok_or_else(|| left_too_early(self.0.id))?;
        here.return_from_host();
        depth.set(0);
        self.0.is_stayed_in.store(false, Ordering::Relaxed);
        // SAFETY: this thread has the claim, and is attached: `enter` has kept both.
        unsafe {
            let claim = self.0.state.claimed();
            Attachment::kept(&self.0.entry).leave();
            drop(claim);
        }
        Ok(())
    }
}
