//! Who asks the runs of an interpreter to end.

use crate::local::interpreter::claim::{Outer, Request, Run, State};
use crate::local::thread::entry::Entry;

/// A run that waits for one inside of it.
pub(super) struct Waiting {
    pub(super) word: Outer,
    /// The entry of the one inside.
    pub(super) inner: *const Entry,
}

#[derive(Default)]
pub(super) struct Requests {
    /// How many threads ask its run to end, or attach to it: the interpreter is not ended meanwhile.
    pub(super) count: usize,
    /// The runs that wait for one inside of them, of this interpreter: the innermost last.
    pub(super) outer: Vec<Waiting>,
}

impl Requests {
    /// Whether a run is to end.
    pub(super) fn is_requested(&self, state: &State, run: Run) -> bool {
        let waits = self.outer.iter().find(|outer| outer.word.run() == run);
        waits.map_or_else(
            || state.is_requested(run),
            |outer| outer.word.is_requested(),
        )
    }

    /// Asks a run to end, and those inside of it. Without `run`: all of them. The answer is the innermost one, which
    /// waits for nobody and gets the exception; `None`: it can't be asked, or was asked before.
    pub(super) fn request(&mut self, state: &State, run: Option<Run>, why: Request) -> Option<Run> {
        if let Some(run) = run {
            let Some(at) = self.outer.iter().position(|outer| outer.word.run() == run) else {
                return state.request(Some(run), why);
            };
            if !self.outer[at].word.request(Some(run), why) {
                return None;
            }
            for outer in &mut self.outer[at + 1..] {
                let run = outer.word.run();
                outer.word.request(Some(run), why);
            }
            return state.request(Some(state.run()), why);
        }
        for outer in &mut self.outer {
            outer.word.request(None, why);
        }
        state.request(None, why)
    }
}
