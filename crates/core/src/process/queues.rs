//! Queues, as messages have them. The host has them, with their items. What a worker has stands for them.

use subpy_wire::{Queue as WireQueue, QueueRules};

use crate::data::id::Id;
use crate::data::queue::{IfGone, Queue, Rules};

/// The queues that one side knows.
pub(super) trait QueueEnds {
    /// One goes to the other side.
    fn sent(&self, queue: &Queue);
    /// The one that the other side has sent; `None`: there is none.
    fn received(&self, queue: &WireQueue) -> Option<Queue>;
}

/// Where there are none.
pub(super) struct NoQueues;

impl QueueEnds for NoQueues {
    fn sent(&self, _: &Queue) {}

    fn received(&self, _: &WireQueue) -> Option<Queue> {
        None
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
