//! The stack that the calling thread was on when it was looked at last.

use super::bounds;
use super::bounds::Stack;
use crate::util::thread_local::zeroed_thread_local;

/// How much Python needs, in bytes. C code that compares and sorts up to CPython's limit takes 5 MiB (3.13).
const NEED: usize = 6 << 20;

#[repr(C)]
struct Current {
    /// From this address on there is room below.
    floor: usize,
    /// How far that goes, in bytes.
    above: usize,
    /// NULL: nobody has looked yet.
    stack: *const Stack,
}

zeroed_thread_local!(fn thread_current() -> *mut Current, "current_stack_in_subpy");

/// The stack that the calling thread is on, for who has a [`Room`](super::Room).
#[inline(always)]
pub(crate) fn current() -> Option<Stack> {
    // SAFETY: the place is the calling thread's, and nobody keeps a reference to it; so below. The stack is there as long as
    // it is the current one.
    unsafe { (*thread_current()).stack.as_ref().copied() }
}

/// Whether the calling thread is still on it, and has room there.
#[inline(always)]
pub(super) fn has_room() -> bool {
    // SAFETY: see above.
    let current = unsafe { &*thread_current() };
    bounds::here().wrapping_sub(current.floor) < current.above
}

/// The calling thread is on its own.
pub(super) fn set_to_thread() {
    // SAFETY: it stays there as long as the thread lives.
    unsafe { set(bounds::place_of_this_thread()) };
}

/// The calling thread goes to this one. The answer is for the way back.
///
/// # Safety
/// It stays where it is until [`Before::put_back`].
pub(super) unsafe fn go_to(stack: &Stack) -> Before {
    // SAFETY: see `current`.
    let before = unsafe { (*thread_current()).stack };
    let is_here = current().is_some_and(|before| before.is_here());
    // SAFETY: the caller's promise.
    unsafe { set(stack) };
    // One that the host has made is none that we know.
    Before(is_here.then_some(before))
}

/// The one that the calling thread was on.
pub(super) struct Before(Option<*const Stack>);

impl Before {
    /// The calling thread is on it again.
    pub(super) fn put_back(self) {
        match self.0 {
            // SAFETY: whoever has gone to it is still on it, since we are again.
            Some(stack) => unsafe { set(stack) },
            None => set_to_thread(),
        }
    }
}

/// # Safety
/// It is there until another one is set.
unsafe fn set(place: *const Stack) {
    // SAFETY: the caller's promise.
    let stack = unsafe { &*place };
    let current = Current {
        floor: stack.lowest.wrapping_add(NEED),
        above: stack.size.saturating_sub(NEED),
        stack: place,
    };
    // SAFETY: see `current`.
    unsafe { *thread_current() = current };
}
