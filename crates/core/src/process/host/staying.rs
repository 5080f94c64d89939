//! A thread stays: it has the line between its calls, too. In the process nobody knows of that: nobody else asks
//! for anything meanwhile.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use super::Remote;
use super::stay::Stay;
use crate::data::error::Result;
use crate::local::interpreter::stay::{entered, left_too_early, may_enter, not_entered};
use crate::local::interpreter::waiting::KeptHere;

impl Remote {
    /// Held for a moment, with no other lock.
    pub(super) fn stay(&self) -> MutexGuard<'_, Option<Stay>> {
        self.stay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the calling thread's stay. `None`: it does not stay.
    pub(in crate::process) fn stay_here(&self) -> Option<u64> {
        self.stay().as_ref().and_then(Stay::here)
    }

    /// Fails in a thread that stays.
    pub(super) fn not_stayed_in(&self) -> Result<()> {
        match self.stay_here() {
            Some(_) => Err(entered(self.id, true)),
            None => Ok(()),
        }
    }

    /// The calling thread stays from now on. `Busy`: another one asks for something, for longer than `wait`; `None`: however
    /// long that takes.
    pub(crate) fn enter(self: &Arc<Self>, wait: Option<Duration>) -> Result<()> {
        may_enter(self.id)?;
        self.not_lost()?;
        if let Some(stay) = self.stay().as_mut().filter(|stay| stay.is_here()) {
            stay.depth += 1;
            return Ok(());
        }
        let line = self.line_in_turn(wait)?;
        self.not_lost()?;
        *self.stay() = Some(Stay::new(KeptHere::new(self.id)));
        line.stay();
        Ok(())
    }

    /// It does so no more, if it has left as often as it has entered.
    pub(crate) fn leave(&self) -> Result<()> {
        let is_in_call = self.runs_here() || may_enter(self.id).is_err();
        let mut stay = self.stay();
        let Some(this) = stay.as_mut().filter(|stay| stay.is_here()) else {
            return Err(not_entered(self.id));
        };
        if is_in_call {
            return Err(left_too_early(self.id));
        }
        if this.depth > 1 {
            this.depth -= 1;
            return Ok(());
        }
        *stay = None;
        drop(stay);
        self.lines.end_stay();
        Ok(())
    }
}
