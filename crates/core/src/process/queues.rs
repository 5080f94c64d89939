//! Queues and objects, as messages have them. The host has the queues, with their items, and what a worker has stands for
//! them. A worker has the objects, and what the host has stands for those.

use subpy_wire::{Malformed, Queue as WireQueue, QueueRules};

use crate::data::id::Id;
use crate::data::object_handle::ObjectHandle;
use crate::data::queue::{IfGone, Queue, Rules};

/// The queues and objects that one side knows.
pub(super) trait QueueEnds {
    /// One goes to the other side.
    fn sent(&self, queue: &Queue);
    /// The one that the other side has sent; `None`: there is none.
    fn received(&self, queue: &WireQueue) -> Option<Queue>;
    /// An object goes to the other side: what that knows it by.
    fn object_sent(&self, object: u64) -> u64;
    /// An object that the other side has sent: a reference to it. `None`: it is gone on this side. Fails where there can be none.
    fn object_received(&self, object: u64) -> subpy_wire::Result<Option<ObjectHandle>>;
}

/// Where there are none.
pub(super) struct NoQueues;

impl QueueEnds for NoQueues {
    fn sent(&self, _: &Queue) {}

    fn received(&self, _: &WireQueue) -> Option<Queue> {
        None
    }

    fn object_sent(&self, _: u64) -> u64 {
        0
    }

    fn object_received(&self, _: u64) -> subpy_wire::Result<Option<ObjectHandle>> {
        Err(Malformed("there are no objects here"))
    }
}

pub(super) fn write_queue(queue: &Queue) -> WireQueue {
    WireQueue {
        id: queue.id(),
        rules: write_rules(queue.rules()),
    }
}

pub(super) fn write_rules(rules: &Rules) -> QueueRules {
    QueueRules {
        maxsize: rules.maxsize as i64,
        takes_pickles: rules.takes_pickles,
        if_gone: rules.if_gone as u8,
    }
}

/// `maker`: the first of its family.
pub(super) fn rules_of(rules: &QueueRules, maker: Option<Id>) -> Rules {
    Rules {
        maxsize: rules.maxsize as isize,
        takes_pickles: rules.takes_pickles,
        if_gone: if_gone_of(rules.if_gone),
        maker,
    }
}

pub(super) fn if_gone_of(number: u8) -> IfGone {
    const ALL: [IfGone; 4] = [IfGone::Keep, IfGone::Replace, IfGone::Fail, IfGone::Remove];
    ALL[usize::from(number) % ALL.len()]
}
