//! All interpreters at once, at the end of Python.

use std::time::{Duration, Instant};

use crate::data::error::{Result, Status};
use crate::local::enter;
use crate::local::interpreter::claim::{Purpose, Request};
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::registry;
use crate::local::interpreter::session::{Session, retire};
use crate::local::interpreter::waiting::KeptHere;
use crate::local::interpreter::{ending, family, threads_left};
use crate::util::turns::Ended;

/// All interpreters, claimed to be ended, by the calling thread.
pub(crate) struct AllClaimed(Vec<Interpreter>, Vec<KeptHere>);

/// Claims all interpreters, to end them; the main one's threads count only if it is to be `finalize`d.
/// Their exit functions have run. `Busy`: one of them is in use.
pub(crate) fn claim_all(finalize: bool) -> Result<AllClaimed> {
    let mut all = AllClaimed(Vec::new(), Vec::new());
    for interpreter in registry::all() {
        interpreter.0.in_session(Purpose::End, |session| {
            let has_relatives = family::has_relatives(interpreter.id());
            if !has_relatives {
                session.no_pins()?;
            }
            if finalize || !interpreter.id().is_main() {
                threads_left::none(session.attached(), interpreter.id())?;
            }
            if !interpreter.id().is_main() {
                ending::run_exit_functions(session.attached(), &interpreter.0, ending::END_TIMEOUT);
                threads_left::none(session.attached(), interpreter.id())?;
            }
            std::mem::forget(session.leave());
            Ok(())
        })?;
        all.1.push(KeptHere::new(interpreter.id()));
        all.0.push(interpreter);
    }
    all.let_go_of_relatives()?;
    Ok(all)
}

impl AllClaimed {
    /// What scripts have created, and what has created that, may have buffers of each other: by the names of their own
    /// scripts, which go then. `Busy`: somebody else has some.
    fn let_go_of_relatives(&self) -> Result<()> {
        let mut relatives = self.0.clone();
        relatives.retain(|interpreter| family::has_relatives(interpreter.id()));
        let no_pins = || {
            relatives
                .iter()
                .try_for_each(|i| i.look_into_claimed(|session| session.no_pins()))
        };
        if no_pins().is_ok() {
            return Ok(());
        }
        for interpreter in &relatives {
            interpreter.look_into_claimed(|session| session.forget_names());
        }
        no_pins()
    }

    /// Ends them, the youngest first, and Python itself if `finalize`.
    pub(crate) fn end(mut self, finalize: bool) {
        while let Some(interpreter) = self.0.pop() {
            let is_main = interpreter.id().is_main();
            interpreter.in_claimed(|session| match (is_main, finalize) {
                (true, true) => session.finalize(),
                (true, false) => session.disown(),
                (false, _) => session.end(ending::END_TIMEOUT),
            });
        }
    }
}

impl Interpreter {
    /// Does `work` in an interpreter that `claim_all` has claimed.
    fn in_claimed<T>(&self, work: impl FnOnce(Session<'_>) -> T) -> T {
        self.0.stack.with_room_if_any(|room| {
            // SAFETY: claimed by `claim_all`.
            let claim = unsafe { self.0.state.claimed() };
            work(Session::enter(&self.0, claim, room))
        })
    }

    /// The same, and it stays claimed.
    fn look_into_claimed<T>(&self, look: impl FnOnce(&Session<'_>) -> T) -> T {
        self.in_claimed(|session| {
            let result = look(&session);
            std::mem::forget(session.leave());
            result
        })
    }
}

impl Drop for AllClaimed {
    fn drop(&mut self) {
        for interpreter in &self.0 {
            // SAFETY: claimed by `claim_all`.
            drop(unsafe { interpreter.0.state.claimed() });
        }
    }
}

/// Ends all interpreters but the main one, which is left to the host, as far as that can be done in `time`: what runs
/// is interrupted, Python threads are awaited. What the host still holds of them is worth nothing afterwards.
pub(crate) fn end_before_main(time: Duration) {
    let deadline = Instant::now() + time;
    for interpreter in registry::all().iter().rev() {
        end_one_before_main(interpreter, deadline);
    }
}

fn end_one_before_main(interpreter: &Interpreter, deadline: Instant) -> Option<()> {
    // Nobody tells when a run or a thread has ended.
    let wait = || {
        enter::detached(|| std::thread::sleep(Duration::from_millis(1)));
        (Instant::now() < deadline).then_some(())
    };
    let end = |mut session: Session<'_>| {
        if interpreter.id().is_main() {
            session.disown();
            return Ok(());
        }
        for ran_exit_functions in [false, true] {
            while threads_left::none(session.attached(), interpreter.id()).is_err() {
                threads_left::dismiss_idle_workers(session.attached());
                let mut is_over = false;
                session = session.pause(|| is_over = wait().is_none());
                if is_over {
                    return Ok(());
                }
            }
            if !ran_exit_functions {
                ending::run_exit_functions(session.attached(), &interpreter.0, ending::END_TIMEOUT);
            }
        }
        session.end(ending::END_TIMEOUT);
        Ok(())
    };
    loop {
        match interpreter.0.in_session(Purpose::End, end) {
            Ok(()) => return None,
            Err(error) if error.status() == Status::NotFound => return None,
            Err(_) => {
                interpreter.0.state.end_waits(Ended::Interrupted);
                interpreter.0.request(None, Request::Interrupt);
            }
        }
        wait()?;
    }
}

/// Forgets all interpreters, with all that is kept of them: the host has finalized its Python in spite of
/// them.
pub(crate) fn abandon_all() {
    for interpreter in registry::all() {
        // SAFETY: Python is gone, so nobody is inside; what is kept can't be dropped any more.
        std::mem::forget(unsafe { interpreter.0.set_inside(None) });
        match interpreter.0.state.claim(Purpose::End) {
            Ok(claim) => retire(&interpreter.0, claim),
            Err(_) => {
                registry::remove(interpreter.id());
                interpreter.0.state.end_waits(Ended::Gone);
            }
        }
    }
}
