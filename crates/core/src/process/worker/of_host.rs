//! Messages of the host's, and the queues in them.

use std::sync::Arc;

use subpy_wire::Queue as WireQueue;

use crate::data::queue::Queue;
use crate::process::message::Message;
use crate::process::queues::{QueueEnds, rules_of};
use crate::process::values::Received;

/// What stands for queues of the host's.
pub(super) struct OfHost;

impl QueueEnds for OfHost {
    fn sent(&self, _: &Queue) {}

    fn received(&self, queue: &WireQueue) -> Option<Queue> {
        Queue::of_far(queue.id, rules_of(&queue.rules, None))
    }
}

/// A message of the host's.
pub(super) fn of_host(message: &Arc<Message>) -> Received<'_> {
    Received {
        message,
        queues: &OfHost,
    }
}
