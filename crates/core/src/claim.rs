//! Who may touch an interpreter: one atomic word, changed by compare-and-swap, so that a run, another
//! run and a destroy that race have exactly one winner, and the others know at once.

use std::sync::atomic::{AtomicU8, Ordering};

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const ENDING: u8 = 2;
const GONE: u8 = 3;

/// The state of an interpreter.
pub(crate) struct State(AtomicU8);

/// What a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run = RUNNING as isize,
    End = ENDING as isize,
}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Running,
    Ending,
    Gone,
}

/// The right to touch an interpreter, until this is dropped.
pub(crate) struct Claim<'a>(&'a State);

impl State {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(IDLE))
    }

    /// Claims the interpreter, or says at once who has it.
    #[inline]
    pub(crate) fn claim(&self, purpose: Purpose) -> Result<Claim<'_>, Refused> {
        // Acquire: what the last holder wrote is seen. Release is in `Claim::drop`.
        match self
            .0
            .compare_exchange(IDLE, purpose as u8, Ordering::Acquire, Ordering::Relaxed)
        {
            Ok(_) => Ok(Claim(self)),
            Err(RUNNING) => Err(Refused::Running),
            Err(ENDING) => Err(Refused::Ending),
            Err(_) => Err(Refused::Gone),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed) == RUNNING
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed) == GONE
    }
}

impl Claim<'_> {
    /// The interpreter is gone for ever.
    pub(crate) fn retire(self) {
        self.0.0.store(GONE, Ordering::Release);
        std::mem::forget(self);
    }
}

impl Drop for Claim<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.store(IDLE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let state = State::new();
        let run = state.claim(Purpose::Run).ok();
        assert!(run.is_some() && state.is_running());
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Running));
        assert_eq!(state.claim(Purpose::End).err(), Some(Refused::Running));
        drop(run);
        let end = state.claim(Purpose::End).ok();
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Ending));
        end.unwrap().retire();
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Gone));
        assert!(state.is_gone());
    }

    #[test]
    fn a_race_has_one_winner() {
        let state = State::new();
        let inside = AtomicU8::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(_claim) = state.claim(Purpose::Run) {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            inside.fetch_sub(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
    }
}
