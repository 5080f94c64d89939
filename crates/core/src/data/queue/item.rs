//! What goes through a queue, and how.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::data::id::Id;
use crate::data::tree::OwnedValue;

/// What a queue is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How many items it holds at most; 0 or less: any number.
    pub(crate) maxsize: isize,
    /// Scripts may put what is no plain data: it is pickled.
    pub(crate) takes_pickles: bool,
    /// What becomes of items whose interpreter ends, unless they say something else.
    pub(crate) if_gone: IfGone,
    /// The interpreter whose script has made it; `None`: the host has.
    pub(crate) maker: Option<Id>,
}

/// What becomes of an item when the interpreter ends that has put it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IfGone {
    /// Nothing: it is a copy.
    #[default]
    Keep,
    /// Something else stands in its place.
    Replace,
    /// Who gets it gets an error.
    Fail,
    /// It goes.
    Remove,
}

/// What is put, and got.
pub(crate) struct Item {
    pub(crate) value: OwnedValue,
    /// The value stands for what is no plain data.
    pub(crate) is_pickled: bool,
    /// The interpreter whose script has put it; `None`: the host has.
    pub(crate) from: Option<Id>,
    /// What becomes of it when that ends.
    pub(crate) if_gone: IfGone,
    /// That has ended.
    pub(crate) is_gone: bool,
    /// Whose memory it is.
    pub(crate) charge: Option<Charge>,
}

/// Memory that is counted for somebody, in bytes, as long as this is there.
pub(crate) struct Charge {
    counted: Arc<AtomicUsize>,
    bytes: usize,
}

impl Charge {
    /// `None`: there would be more than `most`.
    pub(crate) fn new(counted: &Arc<AtomicUsize>, bytes: usize, most: usize) -> Option<Self> {
        let before = counted.fetch_add(bytes, Ordering::Relaxed);
        let charge = Self {
            counted: counted.clone(),
            bytes,
        };
        (before.saturating_add(bytes) <= most).then_some(charge)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.counted.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why nothing was put, or got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is full, or empty, and the time is over.
    TimeOver,
    /// It is closed, and there is nothing left in it.
    Closed,
    /// The thread that waits is to do something else.
    Stopped,
    /// The process that puts it has no room for more in queues.
    NoMemory,
}

/// How long a thread waits.
pub(crate) struct WaitLimit<'a> {
    /// `None`: for ever.
    pub(crate) until: Option<Instant>,
    /// Asked now and then: whether it is to go on.
    pub(crate) keeps_waiting: &'a dyn Fn() -> bool,
}

impl WaitLimit<'_> {
    pub(crate) fn is_over(&self) -> Option<Refused> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Some(Refused::TimeOver);
        }
        (!(self.keeps_waiting)()).then_some(Refused::Stopped)
    }
}
