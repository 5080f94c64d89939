//! Runs: the interpreter is claimed and attached, something is done in it, and its streams are flushed.
//!
//! What is always in line here: without it a call takes 19 instructions more, with `shared`.

use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};
use crate::data::source::Source;
use crate::local::attach::Attached;
use crate::local::interpreter::claim::{Claim, Purpose};
use crate::local::interpreter::context::Context;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::reentry::Reentry;
use crate::local::interpreter::registry;
use crate::local::interpreter::session::Session;
use crate::local::interpreter::visit::{StaysHere, Visit};
use crate::local::runtime_phase;
use crate::local::stack::Room;
use crate::local::thread::wait_signal::Unblocked;

impl Interpreter {
    /// Runs a program, in the calling thread.
    #[inline(always)]
    pub(crate) fn run(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        if options.is_plain() {
            self.inside(options, |context| context.run(code, options))
        } else {
            self.inside_with(options, |context| {
                context.name_file(options)?;
                context.run(code, options)
            })
        }
    }

    /// As [`run`](Self::run), with the defaults: a large one that ran last is found without its length.
    #[inline(always)]
    pub(crate) fn run_source(&self, program: &impl Source) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| context.run_source(program))
    }

    /// Attaches it and detaches it: what CPython's pair of calls is compared with.
    #[cfg(feature = "bench")]
    #[inline]
    pub(crate) fn attach(&self) -> Result<()> {
        runtime_phase::ready()?;
        let claim = self.0.claim(Purpose::Run)?;
        let attach = |claim: Claim<'_>, room: Room<'_>| {
            drop(Session::enter(&self.0, claim, room).leave());
        };
        match Room::here() {
            Some(room) => attach(claim, room),
            None => self.0.stack.run(|room| attach(claim, room))?,
        }
        Ok(())
    }

    /// As [`inside`](Self::inside), as the options say.
    pub(super) fn inside_for<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        if options.is_plain() {
            self.inside(options, work)
        } else {
            self.inside_with(options, work)
        }
    }

    /// As [`inside`](Self::inside), with options that are not plain.
    #[inline(never)]
    pub(super) fn inside_with<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(name) = options.in_namespace else {
            return self.inside_timed(options, work);
        };
        if options.is_timed() {
            return self.inside_timed(options, |context| context.in_namespace(name, work));
        }
        self.inside(options, |context| context.in_namespace(name, work))
    }

    /// As [`inside`](Self::inside), with a limit or measured. The thread takes the wait signal until the run has ended.
    #[cold]
    fn inside_timed<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let _unblocked = options.is_limited().then(Unblocked::new);
        self.inside(options, |context| context.timed(options, work))
    }

    /// Claims and attaches the interpreter, does `work` with what is kept of it, and flushes its streams. Of the options it
    /// looks at `wait` alone, if another thread runs.
    #[inline(always)]
    pub(super) fn inside<T>(
        &self,
        options: &RunOptions<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        self.may_run()?;
        let claim = match self.0.state.claim(Purpose::Run) {
            Ok(claim) => claim,
            Err(why) => match self.0.stays_here() {
                Some(here) => return self.inside_stay(here, work),
                None if self.0.stays_elsewhere() => return self.inside_outer_stay(work),
                None => match self.0.claim_after(why, Purpose::Run) {
                    Ok(claim) => claim,
                    Err(refused) => match Reentry::enter(&self.0)? {
                        Some(reentry) => return self.do_inside(reentry.attached(), work),
                        None => self.0.claim_in_turn(options.wait, refused)?,
                    },
                },
            },
        };
        self.inside_claimed(claim, work)
    }

    /// Fails for the main interpreter, unless the host has allowed that.
    #[inline(always)]
    pub(super) fn may_run(&self) -> Result<()> {
        runtime_phase::ready()?;
        match self.0.id.is_main() && !runtime_phase::allows_main() {
            true => Err(main_not_permitted()),
            false => Ok(()),
        }
    }

    /// As [`inside`](Self::inside), in a thread that stays.
    #[inline(always)]
    fn inside_stay<T>(
        &self,
        here: StaysHere<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let _unblocked = self.0.has_budget.get().then(Unblocked::new);
        match Room::here() {
            Some(room) => self.visit(here, room, work),
            None => self.0.stack.run(|room| self.visit(here, room, work))?,
        }
    }

    #[inline(always)]
    fn visit<T>(
        &self,
        here: StaysHere<'_>,
        room: Room<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let visit = Visit::begin(here, room);
        self.do_inside(visit.attached(), work)
    }

    /// As [`inside`](Self::inside), in a thread that stays, and is elsewhere by now.
    #[cold]
    fn inside_outer_stay<T>(&self, work: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        let call = |room: Room<'_>| {
            let reentry = Reentry::in_stay(&self.0, room);
            self.do_inside(reentry.attached(), work)
        };
        self.0.stack.with_room(call)?
    }

    /// As [`inside`](Self::inside), but not while it runs already in this thread.
    pub(crate) fn inside_anew<T>(&self, work: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        let claim = self.0.claim(Purpose::Run)?;
        self.inside_claimed(claim, work)
    }

    #[inline(always)]
    fn inside_claimed<T>(
        &self,
        claim: Claim<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let _unblocked = self.0.has_budget.get().then(Unblocked::new);
        match Room::here() {
            Some(room) => self.inside_with_room(claim, room, work),
            None => (self.0.stack).run(|room| self.inside_with_room(claim, room, work))?,
        }
    }

    #[inline(always)]
    fn inside_with_room<T>(
        &self,
        claim: Claim<'_>,
        room: Room<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let session = Session::enter(&self.0, claim, room);
        if session.is_nested() {
            session.begin_nested();
        }
        if let Some(account) = self.account() {
            account.begin_run();
        }
        let outcome = self.do_inside(session.attached(), work);
        self.0.run_ended(session.attached());
        if session.is_nested() {
            session.end_nested();
        }
        drop(session.leave());
        outcome
    }

    #[inline(always)]
    fn do_inside<T>(
        &self,
        py: Attached<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        // SAFETY: this thread has the claim, for this run or for one further out.
        match unsafe { self.0.inside() } {
            Some(inside) => {
                self.0.drop_released(py);
                let context = Context::new(py, &self.0, inside);
                match self.0.has_budget.get() {
                    false => context.do_and_flush(work),
                    true => context.do_within_budget(work),
                }
            }
            None => Err(registry::not_found(self.0.id)),
        }
    }
}

#[cold]
fn main_not_permitted() -> Error {
    let message = "running in the main interpreter is not permitted: create an interpreter, or \
                   initialize with allow_main";
    Error::new(Status::NotPermitted, message)
}
