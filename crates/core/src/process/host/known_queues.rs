//! The queues that a worker knows, and what it has put into them.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subpy_wire::Malformed;

use crate::data::kind;
use crate::data::queue::{Charge, Item, Queue};

/// A worker may know so many, before it can make no more.
const MOST: usize = 1 << 16;
/// What an item takes besides its value, in bytes.
const ITEM: usize = 256;
/// What it has put may take so much memory, in bytes, if it has no other limit.
const MOST_MEMORY: u64 = 1 << 30;

const UNKNOWN: Malformed = Malformed("there is no such queue");

pub(super) struct KnownQueues {
    /// By their numbers, with how often each was sent.
    all: Mutex<HashMap<u64, (Queue, u64)>>,
    /// How much memory the items have that it has put, and nobody has got.
    memory: Arc<AtomicUsize>,
    most_memory: usize,
}

impl KnownQueues {
    /// `memory_limit`: that of the interpreter; 0: it has none.
    pub(super) fn new(memory_limit: u64) -> Self {
        let most = match memory_limit {
            0 => MOST_MEMORY,
            limit => limit,
        };
        Self {
            all: Mutex::default(),
            memory: Arc::default(),
            most_memory: usize::try_from(most).unwrap_or(usize::MAX),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, (Queue, u64)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: u64) -> subpy_wire::Result<Queue> {
        let all = self.all();
        all.get(&id).map(|(queue, _)| queue.clone()).ok_or(UNKNOWN)
    }

    /// Whether it may make no more.
    pub(super) fn are_too_many(&self) -> bool {
        self.all().len() >= MOST
    }

    /// One goes there.
    pub(super) fn sent(&self, queue: &Queue) {
        let mut all = self.all();
        let known = all.entry(queue.id());
        known.or_insert_with(|| (queue.clone(), 0)).1 += 1;
    }

    /// Nothing stands for it there, unless it was sent more often than so often. The answer is it, if it is known no more.
    pub(super) fn let_go(&self, id: u64, received: u64) -> subpy_wire::Result<Option<Queue>> {
        let mut all = self.all();
        let (_, sent) = all.get_mut(&id).ok_or(UNKNOWN)?;
        let left = sent.checked_sub(received);
        *sent = left.ok_or(Malformed("a queue was not received so often"))?;
        match *sent {
            0 => Ok(all.remove(&id).map(|(queue, _)| queue)),
            _ => Ok(None),
        }
    }

    /// Room for an item that it puts, whose message has so many bytes; `None`: there is none.
    pub(super) fn charge(&self, item: &Item, bytes: usize) -> Option<Charge> {
        // A text by itself has been copied; what has others in it points into the message.
        let of_message = match item.value.get().as_raw().kind {
            kind::STR | kind::BYTES | kind::BIG_INT | kind::WTF8 | kind::DECIMAL => 0,
            _ => bytes,
        };
        let bytes = of_message + item.value.size() + ITEM;
        Charge::new(&self.memory, bytes, self.most_memory)
    }

    /// It knows none any more.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.all());
        drop(all);
    }
}

/// An item that a worker has got. Until it has it, that may be the next one again.
pub(super) struct Given {
    pub(super) queue: Queue,
    pub(super) item: Item,
}

impl Given {
    /// The worker has ended before it had it.
    pub(super) fn take_back(self) {
        self.queue.put_back(self.item);
    }
}
