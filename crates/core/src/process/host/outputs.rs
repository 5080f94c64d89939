//! Where what its scripts write goes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use subpy_wire::Malformed;

use crate::data::config::Output;

/// Of each stream what takes it.
pub(super) struct Outputs {
    all: Mutex<[Taker; 2]>,
    /// One has returned.
    free: Condvar,
}

enum Taker {
    There(Output),
    /// It is being called.
    Called,
    /// There is none, or none any more.
    None,
}

impl Outputs {
    pub(super) fn new(stdout: Option<Output>, stderr: Option<Output>) -> Self {
        let taker = |output: Option<Output>| output.map_or(Taker::None, Taker::There);
        Self {
            all: Mutex::new([taker(stdout), taker(stderr)]),
            free: Condvar::new(),
        }
    }

    fn all(&self) -> MutexGuard<'_, [Taker; 2]> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it out for a call; `None`: there is none. A worker never has one called twice at once.
    pub(super) fn take(&self, which: usize) -> subpy_wire::Result<Option<Output>> {
        let mut all = self.all();
        match std::mem::replace(&mut all[which], Taker::Called) {
            Taker::There(output) => Ok(Some(output)),
            Taker::None => {
                all[which] = Taker::None;
                Ok(None)
            }
            Taker::Called => Err(Malformed("output comes while that before it is handed on")),
        }
    }

    pub(super) fn put_back(&self, which: usize, output: Output) {
        self.all()[which] = Taker::There(output);
        self.free.notify_all();
    }

    /// None of them is called from here on.
    pub(super) fn close(&self) {
        let mut all = self.all();
        for which in 0..all.len() {
            while matches!(all[which], Taker::Called) {
                all = self.free.wait(all).unwrap_or_else(PoisonError::into_inner);
            }
            let gone = std::mem::replace(&mut all[which], Taker::None);
            drop(all);
            drop(gone);
            all = self.all();
        }
    }
}
