//! Runs: the interpreter is claimed and attached, something is done in it, and its streams are flushed.

use std::ffi::c_char;

use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::interpreter::claim::{Claim, Purpose};
use crate::interpreter::context::Context;
use crate::interpreter::handle::Interpreter;
use crate::interpreter::reentry::Reentry;
use crate::interpreter::registry;
use crate::interpreter::session::Session;
use crate::local::attach::Attached;
use crate::local::phase;

/// A run that is under way.
enum UnderWay<'a> {
    Outermost(Session<'a>),
    Inner(Box<Reentry<'a>>),
}

impl UnderWay<'_> {
    #[inline(always)]
    fn attached(&self) -> Attached<'_> {
        match self {
            Self::Outermost(session) => session.attached(),
            Self::Inner(reentry) => reentry.attached(),
        }
    }
}

impl Interpreter {
    /// Runs a program in `__main__`, in the calling thread.
    pub fn run(&self, code: &str) -> Result<()> {
        self.run_with(code.as_bytes(), &RunOptions::default())
    }

    /// As [`run`](Self::run), for code that need not be UTF-8 and is refused then.
    pub fn run_with(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        phase::ready()?;
        self.run_ready(code, options)
    }

    /// [`run_with`](Self::run_with) in the interpreter with this id, without a lock.
    #[inline]
    pub fn run_in(id: Id, code: &[u8], options: &RunOptions) -> Result<()> {
        phase::ready()?;
        registry::with(id, |interpreter| interpreter.run_ready(code, options))
    }

    /// As [`run_in`](Self::run_in), with the defaults, for a C string: one that ran last is found without its length.
    ///
    /// # Safety
    /// `code` ends in a NUL.
    #[inline]
    pub unsafe fn run_c_string_in(id: Id, code: *const c_char) -> Result<()> {
        phase::ready()?;
        registry::with(id, |interpreter| {
            // SAFETY: the caller's promise.
            interpreter.inside(|context| unsafe { context.run_c_string(code) })
        })
    }

    /// Attaches the interpreter with this id and detaches it: what CPython's pair of calls is compared with.
    #[cfg(feature = "bench")]
    #[doc(hidden)]
    #[inline]
    pub fn attach_in(id: Id) -> Result<()> {
        phase::ready()?;
        registry::with(id, |interpreter| {
            interpreter
                .0
                .session(Purpose::Run)
                .map(|session| drop(session.leave()))
        })
    }

    #[inline(always)]
    fn run_ready(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        self.inside(|context| {
            if options.is_plain() {
                context.run(code, options)
            } else {
                context.run_timed(code, options)
            }
        })
    }

    /// As [`inside`](Self::inside), with a limit on the time or the time measured, as the options say.
    pub(super) fn inside_for<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        self.inside(|context| {
            if options.is_plain() {
                work(context)
            } else {
                context.timed(options, work)
            }
        })
    }

    /// Claims and attaches the interpreter, does `work` with what is kept of it, and flushes its streams.
    #[inline(always)]
    pub(super) fn inside<T>(&self, work: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        if self.0.id == 0 && !phase::allows_main() {
            return Err(main_not_permitted());
        }
        let under_way = match self.0.claim(Purpose::Run) {
            Ok(claim) => UnderWay::Outermost(self.begin_run(claim)),
            Err(refused) => UnderWay::Inner(Reentry::enter(&self.0, refused)?),
        };
        self.do_inside(under_way, work)
    }

    /// As [`inside`](Self::inside), but not while it runs already in this thread.
    pub(crate) fn inside_anew<T>(&self, work: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        let claim = self.0.claim(Purpose::Run)?;
        self.do_inside(UnderWay::Outermost(self.begin_run(claim)), work)
    }

    #[inline(always)]
    fn do_inside<T>(
        &self,
        under_way: UnderWay<'_>,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        // SAFETY: this thread has the claim, for this run or for one further out.
        let outcome = match unsafe { self.0.inside() } {
            Some(inside) => Context::new(under_way.attached(), &self.0, inside).do_and_flush(work),
            None => Err(registry::not_found(self.0.id)),
        };
        match under_way {
            UnderWay::Outermost(session) => {
                self.0.run_ended(session.attached());
                if session.is_nested() {
                    session.end_nested();
                }
                drop(session.leave());
            }
            UnderWay::Inner(reentry) => drop(reentry),
        }
        outcome
    }

    #[inline(always)]
    fn begin_run<'a>(&'a self, claim: Claim<'a>) -> Session<'a> {
        let session = Session::enter(&self.0, claim);
        if session.is_nested() {
            session.begin_nested();
        }
        if let Some(account) = self.account() {
            account.begin_run();
        }
        session
    }
}

#[cold]
fn main_not_permitted() -> Error {
    let message = "running in the main interpreter is not permitted: create an interpreter, or \
                   initialize with allow_main";
    Error::new(Status::NotPermitted, message)
}
