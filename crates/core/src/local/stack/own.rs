//! A stack of ours: mapped once, committed as it is touched, with a guard below.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;

use super::bounds;
use super::bounds::Stack;
use super::checkers;
use super::checkers::Registered;
use super::current;
use super::room::Room;
use crate::data::error::{Error, Result, Status};

/// In bytes. As deep as this, scripts recurse in most threads.
const SIZE: usize = 8 << 20;
/// What can't be touched below: more than a function of C's skips.
const GUARD: usize = 64 << 10;
/// What stays committed between two uses.
const KEPT: usize = 256 << 10;
/// The start of what does not stay: it is zeros as long as nobody was there. No frame that goes on below skips it, unless
/// it is as large.
const WATCHED: usize = 2048;

/// A stack of ours.
pub(crate) struct OwnStack {
    stack: Stack,
    registered: Registered,
}

impl OwnStack {
    /// Maps one.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: a new mapping, of which nobody knows.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags =
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
            let memory = libc::mmap(null_mut(), GUARD + SIZE, protection, flags, -1, 0);
            if memory == libc::MAP_FAILED {
                return Err(no_memory());
            }
            let lowest = memory.wrapping_byte_add(GUARD);
            let stack = Stack::new(lowest as usize, SIZE);
            let own = Self {
                stack,
                registered: Registered::new(stack),
            };
            if libc::mprotect(memory, GUARD, libc::PROT_NONE) != 0 {
                return Err(no_memory());
            }
            // A huge page would commit 2 MiB at the first touch. It is refused where there are none.
            #[cfg(target_os = "linux")]
            libc::madvise(lowest, stack.size, libc::MADV_NOHUGEPAGE);
            Ok(own)
        }
    }

    /// Does `work` on it.
    pub(crate) fn run<T>(&mut self, work: impl FnOnce(Room<'_>) -> T) -> T {
        let Stack { lowest, size, .. } = self.stack;
        let switch = checkers::Switch::begin(self.stack, bounds::of_this_thread());
        // SAFETY: it is borrowed until that one is put back, below.
        let before = unsafe { current::go_to(&self.stack) };
        let on_it = || {
            switch.arrived();
            let done = catch_unwind(AssertUnwindSafe(|| work(Room::new())));
            switch.leave();
            done
        };
        // SAFETY: nobody else has it, since it is borrowed; what is done there does not unwind.
        let done = unsafe { psm::on_stack(lowest as *mut u8, size, on_it) };
        switch.end();
        before.put_back();
        self.give_back();
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Gives back the memory that a deep use has taken.
    fn give_back(&mut self) {
        let kept = self.stack.lowest + self.stack.size - KEPT;
        let watched = (kept - WATCHED) as *const [u64; WATCHED / 8];
        // SAFETY: inside of the mapping, which nobody is on. What is given back is zeros again.
        unsafe {
            if (*watched).iter().fold(0, |all, word| all | word) != 0 {
                let lowest = self.stack.lowest as *mut libc::c_void;
                libc::madvise(lowest, kept - self.stack.lowest, libc::MADV_DONTNEED);
            }
        }
    }
}

impl Drop for OwnStack {
    fn drop(&mut self) {
        self.registered.end();
        // SAFETY: as it was mapped; nobody is on it.
        unsafe {
            let memory = (self.stack.lowest - GUARD) as *mut libc::c_void;
            libc::munmap(memory, GUARD + SIZE);
        }
    }
}

fn no_memory() -> Error {
    let message = "this thread's stack is small, and there is no memory for another one of 8 MiB: make the thread with \
                   a larger one, or give the process more address space";
    Error::new(Status::NoMemory, message)
}

/// Does `work` where there is room for it, on a stack for once; on the caller's if none can be had.
pub(crate) fn with_room_if_any<T>(work: impl FnOnce(Room<'_>) -> T) -> T {
    if let Some(room) = Room::here() {
        return work(room);
    }
    match OwnStack::new() {
        Ok(mut stack) => stack.run(work),
        Err(_) => work(Room::left_here()),
    }
}
