//! Ending an interpreter: what it waits for, what goes before it, and why it can't be.

use std::time::{Duration, Instant};

use crate::data::error::{Error, Result, Status};
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::attach::Attached;
use crate::local::convert::copy::copy_of;
use crate::local::interpreter::claim::Purpose;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::nested::far;
use crate::local::interpreter::registry;
use crate::local::interpreter::session::Session;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::{ending, family, threads_left};
use crate::local::python::thread_states;
use crate::local::runtime_phase;
use crate::local::thread::cancel_state::CancelDisabled;

/// How long threads have to end that are asked to, while an interpreter is destroyed.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Threads are asked to end, again and again.
#[derive(Default)]
struct Stopping {
    start: Option<Instant>,
    asked: Option<Instant>,
}

impl Stopping {
    /// Whether it has not gone on for so long: from the first time on.
    fn goes_on(&mut self, timeout: Duration) -> bool {
        self.start.get_or_insert_with(Instant::now).elapsed() < timeout || self.asked.is_none()
    }

    fn ask(&mut self, shared: &Shared, py: Attached<'_>, which: impl Fn(u64) -> bool) {
        const AGAIN: Duration = Duration::from_millis(10);
        if self.asked.is_none_or(|asked| asked.elapsed() >= AGAIN) {
            self.asked = Some(Instant::now());
            shared.threads.stop(py, which);
        }
    }
}

/// Lets go of the interpreter for a moment: CPython tells nobody that a thread has ended.
fn pause(session: Session<'_>) -> Session<'_> {
    session.pause(|| std::thread::sleep(Duration::from_millis(1)))
}

/// Why an interpreter was not ended.
enum NotEnded {
    /// The host has buffers of it, or another interpreter.
    HasPins(Error),
    Because(Error),
}

impl From<Error> for NotEnded {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

impl NotEnded {
    fn into_error(self) -> Error {
        match self {
            Self::HasPins(error) | Self::Because(error) => error,
        }
    }
}

impl Interpreter {
    /// Finalizes the interpreter. `Busy` if it runs, or if Python threads of its scripts still do after `timeout`.
    /// Idle workers of `concurrent.futures` are told to end.
    /// `stop_threads`: those that are left then are asked to end, by a SystemExit.
    pub(crate) fn destroy(&self, timeout: Duration, stop_threads: bool) -> Result<()> {
        runtime_phase::ready()?;
        if self.0.id.is_main() {
            let message = "the main interpreter can't be destroyed: finalize subpy instead";
            return Err(Error::new(Status::NotPermitted, message));
        }
        let _cancel_disabled = CancelDisabled::new();
        let ending = EndOptions::within(timeout, stop_threads);
        self.end(&ending, false).map_err(NotEnded::into_error)
    }

    /// The process ends, and this is its main interpreter: exit functions run, and threads may end, as where it is
    /// destroyed.
    pub(crate) fn end_before_exit(&self, ending: &EndOptions<'_>) -> Result<()> {
        self.end(ending, true).map_err(NotEnded::into_error)
    }

    /// Ends it as Python ends: exit functions run, and then its threads are awaited, for ever. `Busy`: it runs, or
    /// `keeps_waiting` says that the wait is over.
    pub(crate) fn destroy_as_python(&self, keeps_waiting: &dyn Fn() -> bool) -> Result<()> {
        let _cancel_disabled = CancelDisabled::new();
        let ending = EndOptions::as_python(keeps_waiting);
        self.end(&ending, false).map_err(NotEnded::into_error)
    }

    /// `exits`: the process ends, and what is left then goes with it.
    fn end(&self, ending: &EndOptions<'_>, exits: bool) -> Result<(), NotEnded> {
        self.0.in_session(Purpose::End, |session| {
            Ok(self.end_session(session, ending, exits))
        })?
    }

    fn end_session(
        &self,
        mut session: Session<'_>,
        ending: &EndOptions<'_>,
        exits: bool,
    ) -> Result<(), NotEnded> {
        let time = match ending.exit_functions_first {
            true => ending::END_TIMEOUT,
            false => ending.timeout.max(ending::END_TIMEOUT),
        };
        let deadline = Instant::now().checked_add(ending.timeout);
        // What its scripts have created may have buffers of it, and goes first.
        if family::created_by(self.0.id).is_empty() {
            session.no_pins().map_err(NotEnded::HasPins)?;
        }
        if ending.exit_functions_first {
            ending::run_exit_functions(session.attached(), &self.0, time);
        }
        let mut stopping = Stopping::default();
        let mut ran_exit_functions = false;
        while let Err(busy) = threads_left::none(session.attached(), self.0.id) {
            let is_over = deadline.is_some_and(|end| Instant::now() >= end);
            if ending.timeout.is_zero() || is_over || !(ending.keeps_waiting)() {
                if !ending.stop_threads || !stopping.goes_on(STOP_TIMEOUT) {
                    if exits {
                        break;
                    }
                    return Err(busy.into());
                }
                // In the order in which Python ends: exit functions may need the others, as that of a
                // `multiprocessing.Pool` does.
                let awaited = threads_left::awaited(session.attached());
                if awaited.is_empty() && !ran_exit_functions {
                    ending::run_exit_functions(session.attached(), &self.0, time);
                    ran_exit_functions = true;
                    stopping = Stopping::default();
                    continue;
                }
                let next = |number| awaited.is_empty() || awaited.contains(&number);
                stopping.ask(&self.0, session.attached(), next);
            }
            threads_left::dismiss_idle_workers(session.attached());
            session = pause(session);
        }
        ending::run_exit_functions(session.attached(), &self.0, time);
        if exits {
            session.exit(time);
            return Ok(());
        }
        threads_left::none(session.attached(), self.0.id)?;
        if self.end_created(ending)?.is_some() {
            // The names of its own scripts may be what has them.
            session.forget_names();
            if let Some(error) = self.end_created(ending)? {
                return Err(NotEnded::HasPins(error));
            }
        }
        session.no_pins().map_err(NotEnded::HasPins)?;
        session.end(time);
        Ok(())
    }

    /// Asks the threads of its scripts to end, by a SystemExit, again and again for so long. The answer is how many have
    /// not.
    pub(crate) fn stop_threads(&self, timeout: Duration) -> Result<usize> {
        runtime_phase::ready()?;
        self.0.in_session(Purpose::Run, |mut session| {
            let mut stopping = Stopping::default();
            loop {
                let left = thread_states::others(session.attached());
                if left == 0 || !stopping.goes_on(timeout) {
                    self.0.run_ended(session.attached());
                    return Ok(left);
                }
                stopping.ask(&self.0, session.attached(), |_| true);
                threads_left::dismiss_idle_workers(session.attached());
                session = pause(session);
            }
        })
    }

    /// How many threads of its scripts there are.
    pub(crate) fn threads(&self) -> Result<usize> {
        runtime_phase::ready()?;
        self.0.in_session(Purpose::Run, |session| {
            let count = thread_states::others(session.attached());
            self.0.run_ended(session.attached());
            Ok(count)
        })
    }

    /// What `threading` calls the threads of its scripts.
    pub(crate) fn thread_names(&self) -> Result<Vec<OwnedValue>> {
        runtime_phase::ready()?;
        let names = self.0.in_session(Purpose::Run, |session| {
            let names = threads_left::names(session.attached());
            self.0.run_ended(session.attached());
            Ok(names)
        })?;
        let copied = |name: &String| copy_of(&Value::str(name), "name");
        names.iter().map(copied).collect()
    }

    /// Ends what its scripts have created. The answer is why one is left, of which somebody has buffers.
    fn end_created(&self, ending: &EndOptions<'_>) -> Result<Option<Error>, NotEnded> {
        let mut left = None;
        for id in family::created_by(self.0.id) {
            let ended = match (registry::get(id), far::find(id)) {
                (Some(created), _) => created.end(ending, false),
                (None, Some(far)) => far.end_with_creator(ending).map_err(NotEnded::Because),
                (None, None) => Ok(()),
            };
            match ended {
                Ok(()) => {}
                Err(NotEnded::HasPins(error)) => left = Some(error),
                Err(NotEnded::Because(error)) if error.status() == Status::NotFound => {}
                Err(NotEnded::Because(error)) => {
                    let message = format!(
                        "{}; a script of interpreter {} has created it",
                        error.message(),
                        self.0.id
                    );
                    return Err(Error::new(error.status(), message).into());
                }
            }
        }
        Ok(left)
    }
}
