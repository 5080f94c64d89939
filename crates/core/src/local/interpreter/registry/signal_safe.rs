//! The interpreters once more, as a signal handler may look them up: without a lock, and without memory of its own.
//!
//! They are in a list that only grows; a place in it is used again. Who looks is counted. Who takes an interpreter off
//! the list waits until nobody looks, which is for a moment only.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicUsize, Ordering};

use crate::data::id::Id;
use crate::local::interpreter::shared::Shared;

struct Place {
    id: AtomicI64,
    /// NULL: the place is free.
    shared: AtomicPtr<Shared>,
    next: Option<&'static Place>,
}

static FIRST: AtomicPtr<Place> = AtomicPtr::new(null_mut());
/// How many look.
static READERS: AtomicUsize = AtomicUsize::new(0);

fn places() -> impl Iterator<Item = &'static Place> {
    // SAFETY: a place is never freed, and complete when it is on the list.
    let first = unsafe { FIRST.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |place| place.next)
}

/// To be called by one thread at a time, as [`remove`]. The interpreter lives until it is removed.
pub(super) fn insert(id: Id, shared: *const Shared) {
    let shared = shared.cast_mut();
    let free = places().find(|place| place.shared.load(Ordering::Relaxed).is_null());
    match free {
        Some(place) => {
            place.id.store(id.get(), Ordering::Relaxed);
            place.shared.store(shared, Ordering::Release);
        }
        None => {
            let place = Box::leak(Box::new(Place {
                id: AtomicI64::new(id.get()),
                shared: AtomicPtr::new(shared),
                next: places().next(),
            }));
            FIRST.store(place, Ordering::Release);
        }
    }
}

/// Nobody has it any more afterwards.
pub(super) fn remove(id: Id) {
    let is_it = |place: &&Place| {
        place.id.load(Ordering::Relaxed) == id.get()
            && !place.shared.load(Ordering::Relaxed).is_null()
    };
    if let Some(place) = places().find(is_it) {
        place.shared.store(null_mut(), Ordering::SeqCst);
        while READERS.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }
}

/// Does `work` with the interpreter of an id. `None`: there is none.
pub(crate) fn with<T>(id: Id, work: impl FnOnce(&Shared) -> T) -> Option<T> {
    READERS.fetch_add(1, Ordering::SeqCst);
    let found = places().find_map(|place| {
        let shared = place.shared.load(Ordering::SeqCst);
        // SAFETY: it is not removed before we are gone.
        unsafe { shared.as_ref() }.filter(|shared| shared.id == id)
    });
    let result = found.map(work);
    READERS.fetch_sub(1, Ordering::SeqCst);
    result
}
