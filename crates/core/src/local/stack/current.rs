//! The stack that the calling thread was on when it was looked at last.

use std::ptr::from_ref;

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
pub(crate) fn current<'a>() -> Option<&'a Stack> {
    // SAFETY: the place is the calling thread's, and nobody keeps a reference to it; so below. The stack is there as long as
    // it is the current one: see `set`.
    unsafe { (*thread_current()).stack.as_ref() }
}

/// Whether the calling thread is still on it, and has room there.
#[inline(always)]
pub(super) fn has_room() -> bool {
    // SAFETY: see above.
    let current = unsafe { &*thread_current() };
    bounds::here().wrapping_sub(current.floor) < current.above
}

/// The calling thread is on this one.
///
/// # Safety
/// It stays where it is until another one is set.
pub(super) unsafe fn set(stack: &Stack) {
    let current = Current {
        floor: stack.lowest.wrapping_add(NEED),
        above: stack.size.saturating_sub(NEED),
        stack: from_ref(stack),
    };
    // SAFETY: see above.
    unsafe { *thread_current() = current };
}
