//! The stack of an OS thread.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;

thread_local! {
    static STACK: Cell<Option<Stack>> = const { Cell::new(None) };
}

/// Where a thread's stack is; of size 0 where it can't be known.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    pub(crate) lowest: *mut c_void,
    pub(crate) size: usize,
}

impl Stack {
    fn has(self, address: usize) -> bool {
        address.wrapping_sub(self.lowest as usize) < self.size
    }
}

/// The one that the system has made for the calling thread. It is asked once in a thread.
pub(crate) fn of_this_thread() -> Stack {
    let stack = STACK.get().unwrap_or_else(ask);
    STACK.set(Some(stack));
    stack
}

/// Where the caller is on a stack.
#[inline]
pub(crate) fn here() -> usize {
    let place = MaybeUninit::<u8>::uninit();
    place.as_ptr() as usize
}

/// Whether the calling thread is on its own stack, and was there: not on one that the host has made.
pub(crate) fn is_on_that_of(place: usize) -> bool {
    let stack = of_this_thread();
    stack.has(place) && stack.has(here())
}

fn ask() -> Stack {
    let mut lowest = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes are filled by the first call and released by the last.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) == 0 {
            libc::pthread_attr_getstack(&attributes, &mut lowest, &mut size);
            libc::pthread_attr_destroy(&mut attributes);
        }
    }
    Stack { lowest, size }
}
