//! The proof that there is room for Python on the stack that the calling thread is on.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bounds;
use super::current;

/// Python goes by the caller's stack, however small that is.
static FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// Whether Python is to go by the caller's stack, however small that is.
pub(crate) fn forbid_stack_switches(forbidden: bool) {
    FORBIDDEN.store(forbidden, Ordering::Relaxed);
}

/// The proof. It stays in its thread.
#[derive(Clone, Copy)]
pub(crate) struct Room<'a>(PhantomData<(&'a (), *mut ())>);

impl Room<'_> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    /// `None`: there is no room, or the host has made this stack, so that nobody knows.
    #[inline(always)]
    pub(crate) fn here() -> Option<Self> {
        match current::has_room() {
            true => Some(Self::new()),
            false => Self::look(),
        }
    }

    /// Whatever is left here: for a thread state that is further out on this stack, and has checks of its own for it; and
    /// for what has to be done, though no stack can be had.
    pub(in crate::local) fn left_here() -> Self {
        Self::new()
    }

    /// As [`here`](Self::here): on another stack than the last time, or on a small one.
    #[cold]
    #[inline(never)]
    fn look() -> Option<Self> {
        let of_thread = bounds::of_this_thread();
        let forbidden = FORBIDDEN.load(Ordering::Relaxed);
        if of_thread.is_here() || forbidden {
            current::set_to_thread();
        }
        (forbidden || current::has_room()).then(Self::new)
    }
}
