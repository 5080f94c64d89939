//! Queues of another process, which has their items. A worker has them: what is here stands for its host's.

use std::sync::OnceLock;

use crate::data::queue::item::{Item, Refused, Rules, WaitLimit};

/// How the other process is asked, by the ids of its queues. To be called without a GIL.
pub(crate) trait FarQueues: Send + Sync {
    /// The id of a new one, which was received once; `None`: there are too many.
    fn create(&self, rules: &Rules) -> Option<u64>;
    /// The rules of one, which was received once more; `None`: there is none that is known here.
    fn find(&self, id: u64) -> Option<Rules>;
    fn put(&self, id: u64, item: Item, limit: &WaitLimit<'_>) -> Result<(), (Refused, Item)>;
    fn get(&self, id: u64, limit: &WaitLimit<'_>) -> Result<Item, Refused>;
    /// How many items there are, and whether it is closed.
    fn look(&self, id: u64) -> (usize, bool);
    fn close(&self, id: u64);
    /// Nothing stands for it here any more. It was received so often.
    fn let_go(&self, id: u64, received: u64);
}

static QUEUES: OnceLock<Box<dyn FarQueues>> = OnceLock::new();

/// The queues of this process are another one's.
pub(crate) fn are_far(queues: Box<dyn FarQueues>) {
    let _ = QUEUES.set(queues);
}

/// `None`: they are this process's own.
pub(super) fn queues() -> Option<&'static dyn FarQueues> {
    QUEUES.get().map(|queues| &**queues)
}
