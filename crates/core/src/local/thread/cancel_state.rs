//! A thread that is cancelled (`pthread_cancel`) is unwound from where it waits. Neither CPython nor Rust can be
//! unwound so: the process ends. Inside of subpy, cancelling is off; it comes through when the call has returned.

use std::ffi::c_int;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// `PTHREAD_CANCEL_DISABLE`.
const OFF: c_int = if cfg!(target_os = "linux") { 1 } else { 0 };

/// Off for the calling thread from now on. The answer is for [`restore`].
#[inline]
pub(in crate::local) fn disable() -> c_int {
    let mut before = OFF;
    // SAFETY: always allowed.
    unsafe { pthread_setcancelstate(OFF, &mut before) };
    before
}

/// The calling thread can be cancelled again, if it could before.
#[inline]
pub(in crate::local) fn restore(before: c_int) {
    if before != OFF {
        // SAFETY: what the thread had. With cancelling of the default type nothing happens yet.
        unsafe { pthread_setcancelstate(before, std::ptr::null_mut()) };
    }
}

/// Off for the calling thread until this is dropped.
pub(crate) struct CancelDisabled(c_int);

impl CancelDisabled {
    pub(crate) fn new() -> Self {
        Self(disable())
    }
}

impl Drop for CancelDisabled {
    fn drop(&mut self) {
        restore(self.0);
    }
}
