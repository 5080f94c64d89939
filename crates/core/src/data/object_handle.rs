//! Handles of objects that stay in Python. A handle is a place in a table and a generation: a stale one finds nothing. Any
//! thread may count the references of one, whatever it holds, and waits for nobody: an object whose last reference goes is
//! put on a list of its interpreter's, which drops it when it is next attached.

use std::fmt;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::data::id::Id;

/// When so many objects wait to be dropped, somebody is told.
const MANY: usize = 1000;

/// The interpreter of objects.
pub(crate) struct Home {
    pub(crate) id: Id,
    /// What is to be dropped. Held for a look or a change.
    released: Mutex<Vec<u64>>,
    /// How many these are.
    waiting: AtomicUsize,
    /// How many handles there are.
    alive: AtomicUsize,
    /// Many wait.
    many: fn(Id),
}

impl Home {
    pub(crate) fn new(id: Id, many: fn(Id)) -> Arc<Self> {
        Arc::new(Self {
            id,
            released: Mutex::default(),
            waiting: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            many,
        })
    }

    fn released(&self) -> MutexGuard<'_, Vec<u64>> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many handles there are.
    pub(crate) fn count(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Whether there is something to drop.
    #[inline(always)]
    pub(crate) fn has_released(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// What is to be dropped, by whoever asks.
    pub(crate) fn take_released(&self) -> Vec<u64> {
        let mut released = self.released();
        self.waiting.store(0, Ordering::Relaxed);
        std::mem::take(&mut *released)
    }

    fn release(&self, address: u64) {
        let waiting = {
            let mut released = self.released();
            released.push(address);
            self.alive.fetch_sub(1, Ordering::Relaxed);
            self.waiting.store(released.len(), Ordering::Relaxed);
            released.len()
        };
        if waiting % MANY == 0 {
            (self.many)(self.id);
        }
    }
}

/// A place in the table. Who makes a handle of it, or takes the last reference, has it alone.
struct Place {
    /// The generation, and how many references there are.
    state: AtomicU64,
    interpreter: AtomicI64,
    /// Where the object is in its interpreter.
    address: AtomicU64,
    /// A reference. NULL: the place is free.
    home: AtomicPtr<Home>,
}

const REFERENCES: u64 = u32::MAX as u64;
const GENERATION: u32 = 32;

/// The first part of the table has so many places, the next one twice as many, and so on.
const FIRST: usize = 1 << 10;
const PARTS: usize = 22;

/// Where each part is, for ever. NULL: it is not made yet.
static TABLE: [AtomicPtr<Place>; PARTS] = [const { AtomicPtr::new(null_mut()) }; PARTS];

/// The places that are free. Held for a look or a change.
static FREE: Mutex<Free> = Mutex::new(Free {
    used: Vec::new(),
    next: 0,
});

struct Free {
    /// They were used before.
    used: Vec<u32>,
    /// This one and those after it were not.
    next: u32,
}

fn free() -> MutexGuard<'static, Free> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part that a place is in, and where.
#[inline]
fn position(place: u32) -> (usize, usize) {
    let counted = place as usize + FIRST;
    let part = (counted / FIRST).ilog2() as usize;
    (part, counted - (FIRST << part))
}

#[inline]
fn place_of(handle: u64) -> Option<&'static Place> {
    let (part, at) = position(handle as u32);
    let places = TABLE.get(part)?.load(Ordering::Acquire);
    // SAFETY: as many places as this part has, which `position` keeps to. They are there for ever.
    (!places.is_null()).then(|| unsafe { &*places.add(at) })
}

/// To be called by the holder of [`FREE`]. `None`: there is no such part.
fn make_part(part: usize) -> Option<()> {
    let there = TABLE.get(part)?;
    if there.load(Ordering::Relaxed).is_null() {
        let places: Box<[Place]> = (0..FIRST << part).map(|_| Place::new()).collect();
        there.store(Box::leak(places).as_mut_ptr(), Ordering::Release);
    }
    Some(())
}

impl Place {
    fn new() -> Self {
        Self {
            state: AtomicU64::new(1 << GENERATION),
            interpreter: AtomicI64::new(0),
            address: AtomicU64::new(0),
            home: AtomicPtr::default(),
        }
    }

    /// Whether this handle stands for what is here.
    #[inline]
    fn is_of(&self, handle: u64) -> bool {
        // Acquire: what it has was written before.
        let state = self.state.load(Ordering::Acquire);
        state >> GENERATION == handle >> GENERATION && state & REFERENCES > 0
    }

    /// Takes the last reference, if there is still `state`: a handle of it is stale from now on.
    fn end(&self, state: u64) -> bool {
        let next = ((state >> GENERATION) + 1) << GENERATION;
        let ended = self
            .state
            .compare_exchange(state, next, Ordering::AcqRel, Ordering::Relaxed);
        ended.is_ok()
    }

    /// The place is free from now on. To be called by the one who has ended it. The answer is what it had.
    fn clear(&self, place: u32) -> (Arc<Home>, u64) {
        let address = self.address.load(Ordering::Relaxed);
        let home = self.home.swap(null_mut(), Ordering::AcqRel);
        // SAFETY: the reference that `ObjectHandle::new` has put there; nobody else takes it.
        let home = unsafe { Arc::from_raw(home.cast_const()) };
        free().used.push(place);
        (home, address)
    }
}

/// What a handle stands for.
#[derive(Clone, Copy)]
pub(crate) struct FoundObject {
    /// Its interpreter.
    pub(crate) id: Id,
    /// Where it is there.
    pub(crate) address: u64,
    place: &'static Place,
    handle: u64,
}

impl FoundObject {
    /// Whether the handle still stands for it.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.place.is_of(self.handle)
    }
}

/// A reference to an object that stays in Python. Cloning it makes another one, and dropping the last one lets the object go:
/// in any thread, at any time, without waiting. It does not keep its interpreter from being destroyed.
pub struct ObjectHandle(u64);

impl ObjectHandle {
    /// The first reference to the object that is there. `None`: there are as many as there can be.
    pub(crate) fn new(home: &Arc<Home>, address: u64) -> Option<Self> {
        let place = {
            let mut free = free();
            match free.used.pop() {
                Some(place) => place,
                None => {
                    let place = free.next;
                    make_part(position(place).0)?;
                    free.next = place.checked_add(1)?;
                    place
                }
            }
        };
        let there = place_of(place.into())?;
        there.interpreter.store(home.id.get(), Ordering::Relaxed);
        there.address.store(address, Ordering::Relaxed);
        let home_reference = Arc::into_raw(home.clone()).cast_mut();
        there.home.store(home_reference, Ordering::Release);
        home.alive.fetch_add(1, Ordering::Relaxed);
        let generation = there.state.load(Ordering::Relaxed) >> GENERATION;
        there
            .state
            .store(generation << GENERATION | 1, Ordering::Release);
        Some(Self(generation << GENERATION | u64::from(place)))
    }

    /// Takes over a reference.
    ///
    /// ```
    /// use subpy_core::ObjectHandle;
    ///
    /// // None at all: nothing is counted.
    /// drop(ObjectHandle::from_raw(0));
    /// ```
    pub fn from_raw(handle: u64) -> Self {
        Self(handle)
    }

    /// Hands the reference over.
    ///
    /// ```
    /// use subpy_core::ObjectHandle;
    ///
    /// assert_eq!(ObjectHandle::from_raw(0).into_raw(), 0);
    /// ```
    pub fn into_raw(self) -> u64 {
        std::mem::ManuallyDrop::new(self).0
    }

    /// One more reference to what a handle stands for. `None`: it is stale.
    ///
    /// ```
    /// use subpy_core::ObjectHandle;
    ///
    /// assert!(ObjectHandle::retained(7).is_none());
    /// ```
    pub fn retained(handle: u64) -> Option<Self> {
        let place = place_of(handle)?;
        let mut state = place.state.load(Ordering::Relaxed);
        loop {
            let counted = state & REFERENCES;
            if state >> GENERATION != handle >> GENERATION || matches!(counted, 0 | REFERENCES) {
                return None;
            }
            let more = place.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match more {
                Ok(_) => return Some(Self(handle)),
                Err(now) => state = now,
            }
        }
    }

    /// What a handle stands for. `None`: it is stale.
    #[inline]
    pub(crate) fn find(handle: u64) -> Option<FoundObject> {
        let place = place_of(handle)?;
        if !place.is_of(handle) {
            return None;
        }
        let found = FoundObject {
            id: Id::new(place.interpreter.load(Ordering::Relaxed)),
            address: place.address.load(Ordering::Relaxed),
            place,
            handle,
        };
        fence(Ordering::Acquire);
        found.is_there().then_some(found)
    }

    /// The handles of this interpreter are stale from now on. The answer is what they stood for, and what was released, for the
    /// caller to drop. No new one may be made meanwhile.
    pub(crate) fn end_all(home: &Arc<Home>) -> Vec<u64> {
        let mut ended = Vec::new();
        while home.alive.load(Ordering::Acquire) > 0 {
            Self::end_those_of(home, &mut ended);
            std::thread::yield_now(); // one may be being released
        }
        ended.extend(home.take_released());
        ended
    }

    fn end_those_of(home: &Arc<Home>, ended: &mut Vec<u64>) {
        let count = free().next;
        for at in 0..count {
            let Some(place) = place_of(at.into()) else {
                continue;
            };
            let mut state = place.state.load(Ordering::Acquire);
            while state & REFERENCES > 0
                && std::ptr::eq(place.home.load(Ordering::Acquire), Arc::as_ptr(home))
            {
                if place.end(state) {
                    ended.push(place.clear(at).1);
                    home.alive.fetch_sub(1, Ordering::Relaxed);
                    break;
                }
                state = place.state.load(Ordering::Acquire);
            }
        }
    }

    /// The handle itself.
    pub(crate) fn raw(&self) -> u64 {
        self.0
    }
}

impl Clone for ObjectHandle {
    fn clone(&self) -> Self {
        Self::retained(self.0).unwrap_or(Self(0))
    }
}

impl Drop for ObjectHandle {
    fn drop(&mut self) {
        let Some(place) = place_of(self.0) else {
            return;
        };
        let mut state = place.state.load(Ordering::Relaxed);
        while state >> GENERATION == self.0 >> GENERATION && state & REFERENCES > 0 {
            if state & REFERENCES == 1 {
                if place.end(state) {
                    let (home, address) = place.clear(self.0 as u32);
                    return home.release(address);
                }
            } else {
                let less = place.state.compare_exchange_weak(
                    state,
                    state - 1,
                    Ordering::Release,
                    Ordering::Relaxed,
                );
                if less.is_ok() {
                    return;
                }
            }
            state = place.state.load(Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for ObjectHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectHandle").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Arc<Home> {
        Home::new(Id::new(7), |_| ())
    }

    fn found(handle: u64) -> Option<(Id, u64)> {
        ObjectHandle::find(handle).map(|found| (found.id, found.address))
    }

    #[test]
    fn the_last_reference_lets_the_object_go() {
        let home = home();
        let handle = ObjectHandle::new(&home, 42).unwrap();
        let raw = handle.raw();
        assert_eq!(found(raw), Some((Id::new(7), 42)));
        let other = handle.clone();
        drop(handle);
        assert!(!home.has_released() && ObjectHandle::find(raw).is_some());
        drop(other);
        assert_eq!(home.take_released(), [42]);
        assert!(ObjectHandle::find(raw).is_none() && ObjectHandle::retained(raw).is_none());
        drop(ObjectHandle::from_raw(raw)); // once too often
        assert!(!home.has_released());
    }

    #[test]
    fn a_stale_handle_does_not_find_what_is_in_its_place() {
        let home = home();
        let stale = ObjectHandle::new(&home, 1).unwrap().into_raw();
        drop(ObjectHandle::from_raw(stale));
        let all: Vec<_> = (0..5000)
            .map(|i| ObjectHandle::new(&home, i).unwrap())
            .collect();
        assert!(ObjectHandle::find(stale).is_none());
        for (i, handle) in all.iter().enumerate() {
            assert_eq!(found(handle.raw()), Some((Id::new(7), i as u64)));
        }
    }

    #[test]
    fn the_end_of_an_interpreter_makes_its_handles_stale() {
        let (home, other) = (home(), Home::new(Id::new(8), |_| ()));
        let handles: Vec<_> = (0..10)
            .map(|i| ObjectHandle::new(&home, i).unwrap())
            .collect();
        let stays = ObjectHandle::new(&other, 99).unwrap();
        let mut ended = ObjectHandle::end_all(&home);
        ended.sort_unstable();
        assert_eq!(ended, (0..10).collect::<Vec<_>>());
        assert!(
            handles
                .iter()
                .all(|handle| ObjectHandle::find(handle.raw()).is_none())
        );
        drop(handles);
        assert!(!home.has_released());
        assert_eq!(found(stays.raw()), Some((Id::new(8), 99)));
    }

    #[test]
    fn threads_that_count_at_once() {
        let home = home();
        let first = ObjectHandle::new(&home, 5).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mine = first.clone();
                scope.spawn(move || (0..10_000).for_each(|_| drop(mine.clone())));
            }
        });
        assert!(!home.has_released());
        drop(first);
        assert_eq!(home.take_released(), [5]);
    }

    #[test]
    fn somebody_is_told_of_many() {
        static TOLD: AtomicUsize = AtomicUsize::new(0);
        let home = Home::new(Id::new(9), |_| {
            TOLD.fetch_add(1, Ordering::Relaxed);
        });
        let all: Vec<_> = (0..MANY as u64)
            .map(|i| ObjectHandle::new(&home, i))
            .collect();
        drop(all);
        assert_eq!(TOLD.load(Ordering::Relaxed), 1);
        assert_eq!(home.take_released().len(), MANY);
    }
}
