//! The stack of ours that an interpreter has, from its first need on: always the same, because C code of scripts may
//! come back to it in a later run (greenlets do).

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::own::OwnStack;
use super::room::Room;
use crate::data::error::Result;

/// A place for one. The lock is held while it is in use. Nobody waits for it but who has claimed the interpreter: for the
/// last user, who has given its claim back, and is on its way off the stack.
#[derive(Default)]
pub(crate) struct KeptStack(Mutex<Option<OwnStack>>);

impl KeptStack {
    /// Keeps the one that is in another place, if any, unless it has one.
    pub(crate) fn take(&self, other: Self) {
        let other = other.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut place = self.lock();
        *place = place.take().or(other);
    }

    /// Does `work` where there is room for it.
    pub(crate) fn with_room<T>(&self, work: impl FnOnce(Room<'_>) -> T) -> Result<T> {
        match Room::here() {
            Some(room) => Ok(work(room)),
            None => self.run(work),
        }
    }

    /// The same; on the caller's stack if no other one can be had.
    pub(crate) fn with_room_if_any<T>(&self, work: impl FnOnce(Room<'_>) -> T) -> T {
        if let Some(room) = Room::here() {
            return work(room);
        }
        let mut place = self.lock();
        match mapped(&mut place) {
            Ok(stack) => stack.run(work),
            Err(_) => work(Room::left_here()),
        }
    }

    /// Does `work` on it.
    #[cold]
    #[inline(never)]
    pub(crate) fn run<T>(&self, work: impl FnOnce(Room<'_>) -> T) -> Result<T> {
        Ok(mapped(&mut self.lock())?.run(work))
    }

    fn lock(&self) -> MutexGuard<'_, Option<OwnStack>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mapped(place: &mut Option<OwnStack>) -> Result<&mut OwnStack> {
    match place {
        Some(stack) => Ok(stack),
        None => Ok(place.insert(OwnStack::new()?)),
    }
}
