//! A barrier for all threads of the process at once: one side of a protocol pays for both. That side changes something,
//! has the barrier, and looks at what the other one has changed. The other one changes that, and looks then at the
//! first, in this order in its program ([`light`]): so at least one of them sees the other.

#[cfg(loom)]
use loom::sync::atomic::{Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{Ordering, compiler_fence};

#[cfg(not(loom))]
const PRIVATE_EXPEDITED: i32 = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;

fn membarrier(command: i32) -> bool {
    // SAFETY: changes nothing but the order of what is in memory.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// The process may use [`barrier`]. False: the system has no such thing.
pub(crate) fn prepare() -> bool {
    membarrier(REGISTER_PRIVATE_EXPEDITED)
}

/// Whatever each thread of the process has written so far can be seen here, and the other way round. False: it was not
/// prepared.
#[cfg(not(loom))]
pub(crate) fn barrier() -> bool {
    membarrier(PRIVATE_EXPEDITED)
}

/// As [`barrier`], which is prepared where it was not. False: the system has no such thing.
#[cfg(not(loom))]
pub(crate) fn barrier_prepared() -> bool {
    barrier() || prepare() && barrier()
}

/// The side that pays nothing.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn light() {
    compiler_fence(Ordering::SeqCst);
}

// The model knows no barrier for other threads, so both sides pay in it.

#[cfg(loom)]
pub(crate) fn barrier() -> bool {
    fence(Ordering::SeqCst);
    true
}

#[cfg(loom)]
pub(crate) fn barrier_prepared() -> bool {
    barrier()
}

#[cfg(loom)]
pub(crate) fn light() {
    fence(Ordering::SeqCst);
}
