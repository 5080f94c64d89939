//! Where a stack is.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::util::thread_local::zeroed_thread_local;

zeroed_thread_local!(fn thread_stack() -> *mut Stack, "thread_stack_in_subpy");

/// A stack.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Stack {
    pub(crate) lowest: usize,
    /// In bytes. 0: it can't be known.
    pub(crate) size: usize,
    /// Unlike an address it is never used again. 0: no stack has it.
    pub(crate) number: u64,
}

impl Stack {
    pub(crate) const NONE: Self = Self {
        lowest: 0,
        size: 0,
        number: 0,
    };

    pub(super) fn new(lowest: usize, size: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            lowest,
            size,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether the calling thread is on it.
    pub(crate) fn is_here(&self) -> bool {
        here().wrapping_sub(self.lowest) < self.size
    }
}

/// The one that the system has made for the calling thread. It is asked once in a thread.
pub(super) fn of_this_thread() -> Stack {
    // SAFETY: it was asked, and the place is the calling thread's.
    unsafe { *place_of_this_thread() }
}

/// The same, where it stays as long as the thread lives.
pub(super) fn place_of_this_thread() -> *const Stack {
    let place = thread_stack();
    // SAFETY: the place is the calling thread's, and nobody keeps a reference to it.
    unsafe {
        if (*place).number == 0 {
            *place = ask();
        }
    }
    place
}

/// Whether three quarters of the calling thread's stack are in use. False on another stack: nobody knows.
pub(crate) fn is_nearly_full() -> bool {
    let stack = of_this_thread();
    stack.is_here() && here() - stack.lowest < stack.size / 4
}

/// Where the caller is on a stack.
#[inline(always)]
pub(crate) fn here() -> usize {
    let place = MaybeUninit::<u8>::uninit();
    place.as_ptr() as usize
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
    Stack::new(lowest as usize, size)
}
