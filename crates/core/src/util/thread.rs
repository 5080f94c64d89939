//! A thread of ours. It takes no signals of the host's.
//!
//! It is started by POSIX's own call: what the standard library does first in a new thread takes memory, without which
//! the C library ends the process.

use std::ffi::{CStr, c_void};
use std::io;
use std::mem::{MaybeUninit, forget};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of the calling thread: its `pthread_t`, as Python has it. (In this C library it is the thread's own address.)
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[inline]
pub(crate) fn this_thread() -> u64 {
    crate::util::thread_local::thread_pointer() as u64
}

/// The number of the calling thread: its `pthread_t`, as Python has it.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
#[inline]
pub(crate) fn this_thread() -> u64 {
    // SAFETY: always allowed.
    unsafe { libc::pthread_self() as u64 }
}

type Work = Box<dyn FnOnce() + Send>;

/// One that runs; when this is dropped, nobody waits for its end.
pub(crate) struct Thread(libc::pthread_t);

// SAFETY: any thread may wait for it. (In some C libraries it is a pointer.)
unsafe impl Send for Thread {}
// SAFETY: nothing can be done by a reference.
unsafe impl Sync for Thread {}

/// Starts a thread for some work, unless one is at it that `busy` belongs to.
pub(crate) fn start_one(
    busy: &'static AtomicBool,
    name: &'static CStr,
    work: impl FnOnce() + Send + 'static,
) {
    if busy.swap(true, Ordering::Acquire) {
        return;
    }
    let one = move || {
        work();
        busy.store(false, Ordering::Release);
    };
    if Thread::start(name, one).is_err() {
        busy.store(false, Ordering::Release);
    }
}

impl Thread {
    /// Starts it. The name has up to 15 characters.
    pub(crate) fn start(
        name: &'static CStr,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        /// Python has room there; the default is a limit of the host's.
        const STACK: usize = 8 << 20;
        // It names itself: who names another thread does so by a file in /proc, which the system keeps for a time.
        let work: Work = Box::new(move || {
            #[cfg(target_os = "linux")]
            // SAFETY: a text that ends in a NUL.
            unsafe {
                libc::prctl(libc::PR_SET_NAME, name.as_ptr())
            };
            #[cfg(not(target_os = "linux"))]
            let _ = name;
            work();
        });
        let work = Box::into_raw(Box::new(work));
        let mut thread = MaybeUninit::uninit();
        // SAFETY: each place is filled before it is read; the mask is the calling thread's, and is put back. Only a
        // thread that was started takes the work over.
        unsafe {
            let mut attributes = MaybeUninit::uninit();
            libc::pthread_attr_init(attributes.as_mut_ptr());
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK);
            let mut all = std::mem::zeroed();
            let mut before = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            let refused =
                libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), run, work.cast());
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, null_mut());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            if refused != 0 {
                drop(Box::from_raw(work));
                return Err(io::Error::from_raw_os_error(refused));
            }
            Ok(Self(thread.assume_init()))
        }
    }

    /// Waits for its end.
    pub(crate) fn join(self) {
        // SAFETY: it was neither joined nor detached.
        unsafe { libc::pthread_join(self.0, null_mut()) };
        forget(self);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { libc::pthread_detach(self.0) };
    }
}

extern "C" fn run(work: *mut c_void) -> *mut c_void {
    // SAFETY: what `start` has handed over.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    let _ = catch_unwind(AssertUnwindSafe(work)); // one that panicked has said so
    null_mut()
}
