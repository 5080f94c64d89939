//! All interpreters at once, at the end of Python.

use crate::Result;
use crate::interpreter::claim::Purpose;
use crate::interpreter::session::{Session, retire};
use crate::interpreter::{Interpreter, ending, threads_left};
use crate::runtime::registry;

/// All interpreters, claimed to be ended.
pub(crate) struct AllClaimed(Vec<Interpreter>);

/// Claims all interpreters, to end them; the main one's threads count only if it is to be `finalize`d.
/// Their exit functions have run. `Busy`: one of them is in use.
pub(crate) fn claim_all(finalize: bool) -> Result<AllClaimed> {
    let mut all = AllClaimed(Vec::new());
    for interpreter in registry::all() {
        let session = interpreter.session(Purpose::End)?;
        session.no_pins()?;
        if finalize || interpreter.id() != 0 {
            threads_left::none(interpreter.id())?;
        }
        if interpreter.id() != 0 {
            ending::run_exit_functions(&interpreter.0.control, ending::PATIENCE);
            threads_left::none(interpreter.id())?;
        }
        std::mem::forget(session.leave());
        all.0.push(interpreter);
    }
    Ok(all)
}

impl AllClaimed {
    /// Ends them, the youngest first, and Python itself if `finalize`.
    pub(crate) fn end(mut self, finalize: bool) {
        while let Some(interpreter) = self.0.pop() {
            // SAFETY: claimed by `claim_all`.
            let session = Session::enter(&interpreter.0, unsafe {
                interpreter.0.control.state.claimed()
            });
            match interpreter.id() {
                0 if finalize => session.finalize(),
                0 => session.disown(),
                _ => session.end(ending::PATIENCE),
            }
        }
    }
}

impl Drop for AllClaimed {
    fn drop(&mut self) {
        for interpreter in &self.0 {
            // SAFETY: claimed by `claim_all`.
            drop(unsafe { interpreter.0.control.state.claimed() });
        }
    }
}

/// Forgets all interpreters, with all that is kept of them: the host has finalized its Python in spite of
/// them.
pub(crate) fn abandon_all() {
    for interpreter in registry::all() {
        // SAFETY: Python is gone, so nobody is inside; what is kept can't be dropped any more.
        unsafe { std::mem::forget((*interpreter.0.held.get()).contents.take()) };
        match interpreter.0.control.state.claim(Purpose::End) {
            Ok(claim) => retire(&interpreter.0, claim),
            Err(_) => registry::remove(interpreter.id()),
        }
    }
}
