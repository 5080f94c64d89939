//! An interpreter of CPython's: what it holds, and its life from `create` over `run` to `destroy`.

mod access;
pub(crate) mod all;
mod budget;
pub(crate) mod claim;
pub(crate) mod code_cache;
pub(crate) mod context;
mod creation;
pub(crate) mod deadline;
mod destruction;
pub(crate) mod end_options;
mod ending;
mod exchange;
pub(crate) mod family;
mod faulthandler;
mod foreign_threads;
mod handle;
#[cfg(not(Py_3_13))]
mod holders;
mod input;
mod inside;
mod interrupt;
mod main_config;
pub(crate) mod modules;
pub(crate) mod nested;
pub(crate) mod object_use;
mod objects;
pub(crate) mod output;
mod preparation;
mod protected;
mod python_config;
mod recursion;
mod reentry;
pub(crate) mod registry;
mod requests;
mod resources;
mod running;
mod running_threads;
mod script_threads;
mod session;
pub(crate) mod shared;
mod shared_output;
mod signals;
mod sources;
pub(crate) mod stats;
pub(crate) mod stay;
mod threads_left;
mod visit;
pub(crate) mod waiting;

use std::sync::Arc;

use pyo3_ffi::PyInterpreterState;

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach::Attached;
use crate::local::interpreter::claim::Request;
pub(crate) use crate::local::interpreter::handle::Interpreter;
#[cfg(not(Py_3_13))]
pub(crate) use crate::local::interpreter::holders::request_gil_drops;
pub(crate) use crate::local::interpreter::interrupt::{answer_check, serve_handlers};
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::stats::Stats;
use crate::local::memory::account::{Account, MemoryUsage};
use crate::local::python::exception::{KEYBOARD_INTERRUPT, SYSTEM_EXIT};
use crate::local::runtime_phase;
use crate::local::thread::calling_thread;
use crate::local::thread::wake::Wake;

impl Interpreter {
    /// The interpreter with this id.
    pub(crate) fn find(id: Id) -> Result<Self> {
        runtime_phase::ready()?;
        registry::find(id)
    }

    /// It, unless it was destroyed. Takes no lock and waits for no run.
    fn alive(&self) -> Result<&Arc<Shared>> {
        runtime_phase::ready()?;
        match self.0.state.is_gone() {
            true => Err(registry::not_found(self.0.id)),
            false => Ok(&self.0),
        }
    }

    /// Whether it is this one of CPython's.
    pub(crate) fn is(&self, python: *mut PyInterpreterState) -> bool {
        self.0.is(python)
    }

    /// Whether a run is under way. The answer may be old by the time it arrives.
    pub(crate) fn is_running(&self) -> Result<bool> {
        Ok(self.alive()?.state.is_running())
    }

    /// Where its memory is counted.
    pub(crate) fn account(&self) -> Option<&'static Account> {
        self.0.account
    }

    /// How much memory it has.
    pub(crate) fn memory_usage(&self) -> Result<MemoryUsage> {
        let account = self.alive()?.account.ok_or_else(|| {
            let message = "memory is not counted: initialize with account_memory";
            Error::new(Status::Unsupported, message)
        })?;
        Ok(account.usage())
    }

    /// What it has done so far.
    pub(crate) fn stats(&self) -> Result<Stats> {
        Ok(self.alive()?.stats.read())
    }

    /// Asks the run that is under way to end: it gets a KeyboardInterrupt, and returns `Interrupted`. So do the calls that
    /// wait for their turn.
    pub(crate) fn interrupt(&self) -> Result<()> {
        self.alive()?.interrupt();
        Ok(())
    }

    /// Asks the run at this level to end: 1 is the outermost one, 2 is inside of that. `by_host`: as
    /// [`interrupt`](Self::interrupt). False: it has not begun.
    pub(crate) fn end_run_at(&self, level: usize, why: Request, by_host: bool) -> bool {
        self.0.end_run_at(level, why, by_host)
    }

    /// As [`interrupt`](Self::interrupt), for a signal handler: soon, by a thread of ours.
    pub(crate) fn interrupt_soon(id: Id) -> std::result::Result<(), Status> {
        if !runtime_phase::is_ready() {
            return Err(Status::NotInitialized);
        }
        match registry::SIGNAL_SAFE.with(id.get(), Shared::interrupt_soon) {
            None => Err(Status::NotFound),
            Some(false) => Err(Status::NoMemory),
            Some(true) => Ok(()),
        }
    }

    /// It does not end with its creator any more, and does not count there. Nothing happens if no script has created it.
    pub(crate) fn take_over(&self) -> Result<()> {
        family::take_over(self.alive()?.id);
        Ok(())
    }

    /// Says, while the calling thread waits, whether it is to wait on: the run that it is in may be asked to end.
    pub(crate) fn keeps_waiting() -> impl Fn() -> bool {
        let run = calling_thread::interpreter();
        move || {
            let request_of = run.and_then(Self::request_of);
            request_of.is_none() && !Self::is_thread_to_end()
        }
    }

    /// Whether [`keeps_waiting`](Self::keeps_waiting) may ever say no: the calling thread is in a run, or a script has
    /// started it.
    pub(crate) fn may_be_told_to_end() -> bool {
        calling_thread::interpreter().is_some() || calling_thread::script_wake().is_some()
    }

    /// Why the calling thread, which `waits` for something, waits no longer.
    pub(crate) fn stopped(waits: &str) -> Error {
        let why = calling_thread::interpreter().and_then(Self::request_of);
        let (status, why) = match why.unwrap_or(Request::End) {
            Request::End => (Status::Interrupted, "it is to end".into()),
            why => (why.status(), why.message().to_string_lossy()),
        };
        Error::new(status, format!("the run {waits}: {why}"))
    }

    /// Whether a script has started the calling thread, which is to end.
    fn is_thread_to_end() -> bool {
        calling_thread::script_wake().is_some_and(Wake::is_told_at_check)
    }

    /// What the run of an interpreter is asked to end for.
    fn request_of(id: Id) -> Option<Request> {
        match registry::find(id) {
            Ok(found) => found.0.state.asked(),
            Err(_) => nested::far::find(id)?.asked(),
        }
    }

    /// Sets the exception that the run of the attached interpreter is asked to end by.
    #[cold]
    pub(crate) fn raise_request(py: Attached<'_>, id: Id) {
        if Self::is_thread_to_end() {
            SYSTEM_EXIT.raise::<()>(py, "");
            return;
        }
        let message = Self::request_of(id).map_or(c"the run is to end", Request::message);
        KEYBOARD_INTERRUPT.raise::<()>(py, &message.to_string_lossy());
    }
}
