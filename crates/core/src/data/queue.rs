//! A queue of values, between the host, scripts and interpreters. It knows nothing of Python: what waits here holds no GIL.
//!
//! Its lock is held for a moment, while an item goes in or out. Values are dropped outside of it, since that may wait for
//! a GIL.

pub(crate) mod far;
pub(crate) mod item;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::data::id::Id;
use crate::data::queue::far::FarQueues;
pub(crate) use crate::data::queue::item::{Charge, IfGone, Item, Refused, Rules, WaitLimit};
use crate::data::tree::{OwnedValue, QueueReference};
use crate::data::value::{RawData, RawQueue, RawValue, References, Value, kind};

/// How long a thread sleeps before it looks whether it is to go on.
const SLICE: Duration = Duration::from_millis(10);
/// How often a thread looks before it sleeps.
const SPINS: usize = 2000;

/// A reference to a queue, which goes with the last one.
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

/// What the references of a queue share.
#[repr(C)]
pub(crate) struct Inner {
    raw: RawQueue,
    id: u64,
    rules: Rules,
    state: Mutex<State>,
    has_item: Condvar,
    has_room: Condvar,
    /// As in the state: for a look without the lock.
    length: AtomicUsize,
    is_closed: AtomicBool,
    /// It stands for one of another process.
    far: Option<Far>,
}

struct Far {
    queues: &'static dyn FarQueues,
    /// How often that has sent it.
    received: AtomicU64,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    closed: bool,
    /// How many threads sleep.
    getters: usize,
    putters: usize,
}

/// All queues. Held for a look or a change.
static ALL: Mutex<BTreeMap<u64, Weak<Inner>>> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, BTreeMap<u64, Weak<Inner>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether somebody else may run while a thread spins.
fn has_several_cores() -> bool {
    static SEVERAL: OnceLock<bool> = OnceLock::new();
    *SEVERAL.get_or_init(|| available_parallelism().is_ok_and(|n| n.get() > 1))
}

impl Queue {
    /// A new one, for the host, that holds `capacity` items at most; 0: any number.
    ///
    /// ```
    /// use subpy_core::Queue;
    ///
    /// assert_eq!(Queue::new(16).length(), 0);
    /// ```
    pub fn new(capacity: usize) -> Self {
        Self::with(Rules {
            maxsize: isize::try_from(capacity).unwrap_or(isize::MAX),
            takes_pickles: false,
            if_gone: IfGone::Keep,
            maker: None,
        })
    }

    pub(crate) fn with(rules: Rules) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let queue = Self::of_id(NEXT.fetch_add(1, Ordering::Relaxed), rules, None);
        all().insert(queue.0.id, Arc::downgrade(&queue.0));
        queue
    }

    /// A new one for a script; `None`: there are too many.
    pub(crate) fn make(rules: Rules) -> Option<Self> {
        match far::queues() {
            None => Some(Self::with(rules)),
            Some(far) => Some(Self::received(far.create(&rules)?, rules, far)),
        }
    }

    /// What stands for one of another process, which has sent it.
    pub(crate) fn of_far(id: u64, rules: Rules) -> Option<Self> {
        far::queues().map(|far| Self::received(id, rules, far))
    }

    fn received(id: u64, rules: Rules, queues: &'static dyn FarQueues) -> Self {
        let mut all = all();
        if let Some(there) = all.get(&id).and_then(Weak::upgrade) {
            let far = there.far.as_ref();
            far.inspect(|far| _ = far.received.fetch_add(1, Ordering::Relaxed));
            return Self(there);
        }
        let received = AtomicU64::new(1);
        let queue = Self::of_id(id, rules, Some(Far { queues, received }));
        all.insert(id, Arc::downgrade(&queue.0));
        queue
    }

    fn of_id(id: u64, rules: Rules, far: Option<Far>) -> Self {
        let shared = Arc::new(Inner {
            raw: RawQueue {
                references: &REFERENCES,
            },
            id,
            rules,
            state: Mutex::default(),
            has_item: Condvar::new(),
            has_room: Condvar::new(),
            length: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            far,
        });
        Self(shared)
    }

    /// All that there are, in the order in which they were made.
    pub(crate) fn all() -> Vec<Self> {
        let all = all();
        all.values().filter_map(Weak::upgrade).map(Self).collect()
    }

    /// The one with this id, if somebody has it.
    pub(crate) fn find(id: u64) -> Option<Self> {
        let found = all().get(&id).and_then(Weak::upgrade);
        found.map(Self).or_else(|| {
            let far = far::queues()?;
            Some(Self::received(id, far.find(id)?, far))
        })
    }

    /// Whether it stands for one of another process.
    pub(crate) fn is_far(&self) -> bool {
        self.0.far.is_some()
    }

    /// An interpreter has ended: what it has put becomes what was agreed.
    pub(crate) fn forget(interpreter: Id) {
        for queue in Self::all() {
            queue.forget_items_of(interpreter);
        }
    }

    /// A family has ended: nobody is left who could take those apart of its queues that are in each other.
    pub(crate) fn take_apart(maker: Id) {
        for queue in Self::all() {
            if queue.rules().maker == Some(maker) {
                queue.take_out(|item| !item.value.queues().is_empty());
            }
        }
    }

    /// Of the queues that a family has made, everything goes.
    pub(crate) fn clear_all(maker: Id) {
        for queue in Self::all() {
            if queue.rules().maker == Some(maker) {
                queue.take_out(|_| true);
            }
        }
    }

    /// Whether a value is this queue, or has it in it. Such an item would keep the queue for ever.
    pub(crate) fn is_in(&self, value: &OwnedValue) -> bool {
        value.queues().contains(&self.as_raw())
    }

    /// As a pointer, which has a reference until [`from_raw`](Self::from_raw).
    ///
    /// ```
    /// use subpy_core::Queue;
    ///
    /// let raw = Queue::new(0).into_raw();
    /// // SAFETY: given back once.
    /// let queue = unsafe { Queue::from_raw(raw) };
    /// ```
    pub fn into_raw(self) -> *const RawQueue {
        Arc::into_raw(self.0).cast()
    }

    /// ```
    /// use subpy_core::Queue;
    ///
    /// let raw = Queue::new(0).into_raw();
    /// // SAFETY: given back once.
    /// drop(unsafe { Queue::from_raw(raw) });
    /// ```
    ///
    /// # Safety
    /// Of [`into_raw`](Self::into_raw), once.
    pub unsafe fn from_raw(raw: *const RawQueue) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Arc::from_raw(raw.cast()) })
    }

    /// A reference more.
    ///
    /// ```
    /// use subpy_core::Queue;
    ///
    /// let raw = Queue::new(0).into_raw();
    /// // SAFETY: not given back yet; and then it is, once.
    /// let (other, queue) = unsafe { (Queue::clone_raw(raw), Queue::from_raw(raw)) };
    /// queue.close();
    /// ```
    ///
    /// # Safety
    /// Of [`into_raw`](Self::into_raw), and not given back yet.
    pub unsafe fn clone_raw(raw: *const RawQueue) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Arc::increment_strong_count(raw.cast::<Inner>());
            Self::from_raw(raw)
        }
    }

    /// Whether there is no other reference.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// As [`into_raw`](Self::into_raw), for as long as there is this reference.
    pub(crate) fn as_raw(&self) -> *const RawQueue {
        Arc::as_ptr(&self.0).cast()
    }
}

static REFERENCES: References = References {
    // SAFETY: whoever asks has a reference.
    one_more: |queue| unsafe { Arc::increment_strong_count(queue.cast::<Inner>()) },
    // SAFETY: as above.
    one_less: |queue| drop(unsafe { Queue::from_raw(queue) }),
};

impl From<Queue> for QueueReference {
    fn from(queue: Queue) -> Self {
        // SAFETY: the reference that the queue was.
        unsafe { Self::from_raw(queue.into_raw()) }
    }
}

impl<'a> Value<'a> {
    /// A queue.
    ///
    /// ```
    /// use subpy_core::{Queue, Value};
    ///
    /// let queue = Queue::new(0);
    /// assert!(Value::queue(&queue).as_queue().is_some());
    /// ```
    pub fn queue(queue: &'a Queue) -> Self {
        let queue = queue.as_raw().cast_mut();
        Self::of(RawValue::new(kind::QUEUE, RawData { queue }))
    }

    /// The queue that it is.
    ///
    /// ```
    /// assert!(subpy_core::Value::int(7).as_queue().is_none());
    /// ```
    pub fn as_queue(&self) -> Option<Queue> {
        let raw = self.as_raw();
        // SAFETY: the kind says which field counts; by the promise of whoever made the value.
        unsafe {
            let queue = raw.r#as.queue;
            (raw.kind == kind::QUEUE && !queue.is_null()).then(|| Queue::clone_raw(queue))
        }
    }
}

impl Queue {
    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// How many items there are.
    ///
    /// ```
    /// assert_eq!(subpy_core::Queue::new(0).length(), 0);
    /// ```
    pub fn length(&self) -> usize {
        if let Some(far) = &self.0.far {
            return far.queues.look(self.0.id).0;
        }
        self.0.length.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        if let Some(far) = &self.0.far {
            return far.queues.look(self.0.id).1;
        }
        self.0.is_closed.load(Ordering::Relaxed)
    }

    fn has_room(&self, length: usize) -> bool {
        let maxsize = self.0.rules.maxsize;
        maxsize <= 0 || (length as isize) < maxsize
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.has_room(self.length())
    }

    /// Puts an item, or gives it back.
    pub(crate) fn try_put(&self, item: Item) -> Result<(), (Refused, Item)> {
        let mut state = self.state();
        if state.closed {
            return Err((Refused::Closed, item));
        }
        if !self.has_room(state.items.len()) {
            return Err((Refused::TimeOver, item));
        }
        state.items.push_back(item);
        self.0.length.store(state.items.len(), Ordering::Relaxed);
        let is_awaited = state.getters > 0;
        drop(state);
        if is_awaited {
            self.0.has_item.notify_one();
        }
        Ok(())
    }

    /// Puts an item, or waits until it can. To be called without a GIL.
    pub(crate) fn put_item(
        &self,
        mut item: Item,
        limit: &WaitLimit<'_>,
    ) -> Result<(), (Refused, Item)> {
        if let Some(far) = &self.0.far {
            return far.queues.put(self.0.id, item, limit);
        }
        loop {
            match self.try_put(item) {
                Err((Refused::TimeOver, back)) => item = back,
                done => return done,
            }
            if let Err(why) = self.wait_for_room(limit) {
                return Err((why, item));
            }
        }
    }

    /// Waits until an item can be put, or it is closed.
    pub(crate) fn wait_for_room(&self, limit: &WaitLimit<'_>) -> Result<(), Refused> {
        spin_until(|| self.is_closed() || self.has_room(self.length()));
        loop {
            let mut state = self.state();
            if !state.closed && !self.has_room(state.items.len()) {
                state.putters += 1;
                state = self.sleep(&self.0.has_room, state, limit);
                state.putters -= 1;
            }
            if state.closed || self.has_room(state.items.len()) {
                return Ok(());
            }
            drop(state);
            if let Some(why) = limit.is_over() {
                return Err(why);
            }
        }
    }

    /// The next item, if there is one.
    pub(crate) fn try_get(&self) -> Result<Item, Refused> {
        let mut state = self.state();
        let Some(item) = state.items.pop_front() else {
            return Err(match state.closed {
                true => Refused::Closed,
                false => Refused::TimeOver,
            });
        };
        self.0.length.store(state.items.len(), Ordering::Relaxed);
        let is_awaited = state.putters > 0;
        drop(state);
        if is_awaited {
            self.0.has_room.notify_one();
        }
        Ok(item)
    }

    /// The next item, as soon as there is one. To be called without a GIL.
    pub(crate) fn get_item(&self, limit: &WaitLimit<'_>) -> Result<Item, Refused> {
        if let Some(far) = &self.0.far {
            return far.queues.get(self.0.id, limit);
        }
        spin_until(|| self.is_closed() || self.length() > 0);
        loop {
            match self.try_get() {
                Err(Refused::TimeOver) => {}
                done => return done,
            }
            let mut state = self.state();
            if !state.closed && state.items.is_empty() {
                state.getters += 1;
                state = self.sleep(&self.0.has_item, state, limit);
                state.getters -= 1;
            }
            let can_go_on = state.closed || !state.items.is_empty();
            drop(state);
            if !can_go_on && let Some(why) = limit.is_over() {
                return Err(why);
            }
        }
    }

    /// An item is the next one again.
    pub(crate) fn put_back(&self, item: Item) {
        let mut state = self.state();
        state.items.push_front(item);
        self.0.length.store(state.items.len(), Ordering::Relaxed);
        drop(state);
        self.0.has_item.notify_one();
    }

    fn sleep<'a>(
        &self,
        condition: &Condvar,
        state: MutexGuard<'a, State>,
        limit: &WaitLimit<'_>,
    ) -> MutexGuard<'a, State> {
        let left = limit
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        let time = left.map_or(SLICE, |left| left.min(SLICE));
        let woken = condition.wait_timeout(state, time);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Nothing can be put any more. What is there can still be got.
    ///
    /// ```
    /// use std::time::Duration;
    /// use subpy_core::{Queue, Status, Value};
    ///
    /// let queue = Queue::new(0);
    /// queue.close();
    /// let refused = queue.put(&Value::int(7), Some(Duration::ZERO));
    /// assert_eq!(refused.unwrap_err().status(), Status::NotFound);
    /// ```
    pub fn close(&self) {
        if let Some(far) = &self.0.far {
            return far.queues.close(self.0.id);
        }
        self.state().closed = true;
        self.0.is_closed.store(true, Ordering::Relaxed);
        self.0.has_item.notify_all();
        self.0.has_room.notify_all();
    }

    fn take_out(&self, is_to_go: impl Fn(&Item) -> bool) {
        let mut state = self.state();
        let (gone, kept) = std::mem::take(&mut state.items)
            .into_iter()
            .partition::<VecDeque<_>, _>(is_to_go);
        state.items = kept;
        self.0.length.store(state.items.len(), Ordering::Relaxed);
        drop(state);
        self.0.has_room.notify_all();
        drop(gone);
    }

    fn forget_items_of(&self, interpreter: Id) {
        let mut gone = Vec::new();
        let mut state = self.state();
        let is_of = |item: &Item| item.from == Some(interpreter) && item.if_gone != IfGone::Keep;
        if !state.items.iter().any(is_of) {
            return;
        }
        for mut item in std::mem::take(&mut state.items) {
            if is_of(&item) {
                let value = std::mem::replace(&mut item.value, OwnedValue::NONE);
                gone.push(value);
                item.is_gone = true;
                if item.if_gone == IfGone::Remove {
                    continue;
                }
            }
            state.items.push_back(item);
        }
        self.0.length.store(state.items.len(), Ordering::Relaxed);
        drop(state);
        self.0.has_room.notify_all();
        drop(gone);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut all = all();
        // Another one may stand for the same queue by now.
        let is_this = |there: &Weak<Self>| std::ptr::eq(there.as_ptr(), self);
        if all.get(&self.id).is_some_and(is_this) {
            all.remove(&self.id);
        }
        drop(all);
        if let Some(far) = &mut self.far {
            far.queues.let_go(self.id, *far.received.get_mut());
        }
    }
}

/// What another core does soon is not slept for.
fn spin_until(is_ready: impl Fn() -> bool) {
    let spins = if has_several_cores() { SPINS } else { 0 };
    for _ in 0..spins {
        if is_ready() {
            return;
        }
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::value::View;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn limit(time: Option<Duration>) -> WaitLimit<'static> {
        WaitLimit {
            until: time.map(|time| Instant::now() + time),
            keeps_waiting: &|| true,
        }
    }

    fn item(integer: i64, from: Option<Id>, if_gone: IfGone) -> Item {
        let raw = RawValue::new(kind::INT, RawData { integer });
        Item {
            // SAFETY: it owns nothing.
            value: unsafe { OwnedValue::from_raw(raw) },
            is_pickled: false,
            from,
            if_gone,
            is_gone: false,
            charge: None,
        }
    }

    fn put(queue: &Queue, n: i64, time: Option<Duration>) -> Result<(), Refused> {
        let put = queue.put_item(item(n, None, IfGone::Keep), &limit(time));
        put.map_err(|(why, _)| why)
    }

    fn get(queue: &Queue, time: Option<Duration>) -> Result<i64, Refused> {
        let item = queue.get_item(&limit(time))?;
        match Value::view(item.value.get()) {
            View::Int(n) => Ok(n),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn in_order_and_bounded() {
        let queue = Queue::new(2);
        assert_eq!(get(&queue, NOW), Err(Refused::TimeOver));
        assert_eq!((put(&queue, 1, NOW), put(&queue, 2, NOW)), (Ok(()), Ok(())));
        assert_eq!(put(&queue, 3, NOW), Err(Refused::TimeOver));
        assert_eq!((get(&queue, NOW), queue.length()), (Ok(1), 1));
        queue.close();
        assert_eq!(put(&queue, 3, None), Err(Refused::Closed));
        assert_eq!(
            (get(&queue, None), get(&queue, None)),
            (Ok(2), Err(Refused::Closed))
        );
    }

    #[test]
    fn a_wait_ends_when_it_is_stopped() {
        let queue = Queue::new(0);
        let stopped = WaitLimit {
            until: None,
            keeps_waiting: &|| false,
        };
        assert!(matches!(queue.get_item(&stopped), Err(Refused::Stopped)));
    }

    #[test]
    fn threads_lose_nothing() {
        const EACH: i64 = 20_000;
        let queue = Queue::new(7);
        let sum = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let getters: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        while let Ok(n) = get(&queue, None) {
                            sum.fetch_add(n as u64, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let putters: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| (1..=EACH).for_each(|n| put(&queue, n, None).unwrap())))
                .collect();
            putters
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            queue.close();
            getters
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(sum.into_inner(), 3 * (EACH * (EACH + 1) / 2) as u64);
    }

    #[test]
    fn what_becomes_of_the_items_of_one_that_ends() {
        const GONE: Id = Id::new(1 << 40);
        let queue = Queue::new(4);
        let rules = [IfGone::Keep, IfGone::Replace, IfGone::Remove, IfGone::Fail];
        for rule in rules {
            assert!(queue.try_put(item(7, Some(GONE), rule)).is_ok());
        }
        Queue::forget(GONE);
        let left = std::iter::from_fn(|| queue.try_get().ok());
        let left: Vec<_> = left.map(|item| (item.if_gone, item.is_gone)).collect();
        let expected = [
            (IfGone::Keep, false),
            (IfGone::Replace, true),
            (IfGone::Fail, true),
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn found_while_somebody_has_it() {
        let queue = Queue::new(0);
        let id = queue.id();
        assert!(Queue::find(id).is_some_and(|found| found.id() == id));
        drop(queue);
        assert!(Queue::find(id).is_none());
    }
}
