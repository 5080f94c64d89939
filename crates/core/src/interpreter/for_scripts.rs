//! What scripts do with interpreters that they have created: each has the exceptions and the words of Python's.

use std::time::Duration;

use super::{Backend, Interpreter};
use crate::data::config::{CallOptions, RunOptions};
use crate::data::conversion::Conversion;
use crate::data::error::{Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::convert::arguments::Arguments;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::registry;
use crate::process::all;

/// As a script gets values, and gives them.
const OPTIONS: CallOptions<'_> = CallOptions {
    run: RunOptions::DEFAULT,
    conversion: Some(Conversion::SAME),
};

impl Interpreter {
    /// The ids of all interpreters, in ascending order.
    pub(crate) fn ids() -> Vec<Id> {
        let mut ids: Vec<Id> = registry::all().iter().map(|found| found.id()).collect();
        ids.extend(all::ids());
        ids.sort_unstable();
        ids
    }

    /// Runs a program. `Busy` if it runs already, in this thread too.
    pub(crate) fn run_anew(&self, program: &[u8]) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => {
                local.inside_anew(|context| context.run(program, &OPTIONS.run))
            }
            Backend::Process(far) => far.anew()?.run(program, &OPTIONS.run),
        }
    }

    /// As [`run_anew`](Self::run_anew), with names for the program, and those that are there afterwards, even if it exits.
    pub(crate) fn run_unrestricted_anew(
        &self,
        program: &[u8],
        names: Arguments<'_>,
    ) -> Result<OwnedValue> {
        let or_exit = |done: Result<OwnedValue>, read: &dyn Fn() -> Result<OwnedValue>| match done {
            Err(error) if error.status() == Status::Exit => read(),
            done => done,
        };
        let none = || Arguments::new(&[], None);
        match &self.0 {
            Backend::Local(local) => local.inside_anew(|context| {
                let run = |program, names| {
                    context.run_unrestricted(program, &OPTIONS.run, names, OPTIONS.conversion)
                };
                or_exit(run(program, names), &|| run(b"", none()))
            }),
            Backend::Process(far) => {
                let run = |program, names| far.run_unrestricted(program, &names, &OPTIONS);
                far.anew()?;
                or_exit(run(program, names), &|| run(b"", none()))
            }
        }
    }

    /// Calls a function of those that pickle. `Busy` if it runs already, in this thread too.
    pub(crate) fn call_pickling(
        &self,
        function: &str,
        arguments: &[Value<'_>],
    ) -> Result<OwnedValue> {
        match &self.0 {
            Backend::Local(local) => local.call_pickling(function, arguments),
            Backend::Process(far) => far.anew()?.call_pickling(function, arguments),
        }
    }

    /// Ends it as Python ends: exit functions run, and then its threads are awaited, for ever. `Busy`: it runs, or
    /// `keeps_waiting` says that the wait is over.
    pub(crate) fn destroy_as_python(&self, keeps_waiting: &dyn Fn() -> bool) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.destroy_as_python(keeps_waiting),
            Backend::Process(far) => {
                let ending = EndOptions::as_python(keeps_waiting);
                far.there()?.destroy(&ending, false)
            }
        }
    }

    /// The process is gone that has created it: nothing of it runs any longer.
    pub(crate) fn kill_with_process(&self) {
        if let Backend::Process(far) = &self.0 {
            far.end_with_creator_now();
        }
    }

    /// The process is gone that has created it, or that had the last object of it: it ends, too. `ending`: it is asked to end
    /// like this, first.
    pub(crate) fn end_with_process(&self, ending: Option<&EndOptions<'_>>) {
        match &self.0 {
            // It can be, without waiting.
            Backend::Local(local) => _ = local.destroy(Duration::ZERO, false),
            Backend::Process(far) => {
                let ended = ending.is_some_and(|ending| far.destroy(ending, false).is_ok());
                if !ended {
                    self.kill_with_process();
                    let _ = far.destroy(&EndOptions::within(Duration::ZERO, true), true);
                }
            }
        }
    }
}
