//! Messages of the host's, and the queues in them.

use std::sync::Arc;

use subpy_wire::Queue as WireQueue;

use crate::data::object_handle::ObjectHandle;
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

    /// The host has a reference from then on.
    fn object_sent(&self, object: u64) -> u64 {
        ObjectHandle::retained(object).map_or(0, ObjectHandle::into_raw)
    }

    fn object_received(&self, object: u64) -> subpy_wire::Result<Option<ObjectHandle>> {
        Ok(ObjectHandle::retained(object))
    }
}

/// A message of the host's.
pub(super) fn of_host(message: &Arc<Message>) -> Received<'_> {
    Received {
        message,
        queues: &OfHost,
    }
}
