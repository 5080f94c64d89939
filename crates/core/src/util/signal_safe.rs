//! Things by their numbers, as a signal handler may look them up: without a lock, and without memory of its own.
//!
//! They are in a list that only grows; a place in it is used again. Who looks is counted. Who takes a thing off the list
//! waits until nobody looks, which is for a moment only.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicUsize, Ordering};

/// What there is.
pub(crate) struct Places<T: 'static> {
    first: AtomicPtr<Place<T>>,
    /// How many look.
    readers: AtomicUsize,
}

struct Place<T: 'static> {
    id: AtomicI64,
    /// NULL: the place is free.
    thing: AtomicPtr<T>,
    next: Option<&'static Place<T>>,
}

impl<T: Sync> Places<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicPtr::new(null_mut()),
            readers: AtomicUsize::new(0),
        }
    }

    fn places(&self) -> impl Iterator<Item = &'static Place<T>> + use<T> {
        // SAFETY: a place is never freed, and complete when it is on the list.
        let first = unsafe { self.first.load(Ordering::Acquire).as_ref() };
        std::iter::successors(first, |place| place.next)
    }

    /// To be called by one thread at a time, as [`remove`](Self::remove). The thing lives until it is removed.
    pub(crate) fn insert(&self, id: i64, thing: *const T) {
        let thing = thing.cast_mut();
        let is_free = |place: &&Place<T>| place.thing.load(Ordering::Relaxed).is_null();
        match self.places().find(is_free) {
            Some(place) => {
                place.id.store(id, Ordering::Relaxed);
                place.thing.store(thing, Ordering::Release);
            }
            None => {
                let place = Box::leak(Box::new(Place {
                    id: AtomicI64::new(id),
                    thing: AtomicPtr::new(thing),
                    next: self.places().next(),
                }));
                self.first.store(place, Ordering::Release);
            }
        }
    }

    /// Nobody has it any more afterwards.
    pub(crate) fn remove(&self, id: i64) {
        let is_it = |place: &&Place<T>| {
            place.id.load(Ordering::Relaxed) == id && !place.thing.load(Ordering::Relaxed).is_null()
        };
        if let Some(place) = self.places().find(is_it) {
            place.thing.store(null_mut(), Ordering::SeqCst);
            while self.readers.load(Ordering::SeqCst) > 0 {
                std::thread::yield_now();
            }
        }
    }

    /// Does `work` with the thing of an id. `None`: there is none.
    pub(crate) fn with<R>(&self, id: i64, work: impl FnOnce(&T) -> R) -> Option<R> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        let found = self.places().find_map(|place| {
            // A place is given its number before its thing, and has another number only when nobody looks.
            let thing = place.thing.load(Ordering::SeqCst);
            // SAFETY: it is not removed before we are gone.
            let thing = unsafe { thing.as_ref() };
            thing.filter(|_| place.id.load(Ordering::Relaxed) == id)
        });
        let result = found.map(work);
        self.readers.fetch_sub(1, Ordering::SeqCst);
        result
    }
}
