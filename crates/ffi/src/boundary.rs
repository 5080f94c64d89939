//! The one way from C into `subpy-core` and back: panics stop here, errors become owned C errors.

use std::any::Any;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use subpy_core::{Error, Status};

use crate::errors::{subpy_error, subpy_status};

/// Runs `call`, turns its result into a status, and writes `*error` unless `error` is NULL: NULL on
/// success, an owned error on failure.
///
/// # Safety
/// `error` is NULL or may be written to.
#[inline]
pub(crate) unsafe fn enter(
    error: *mut *mut subpy_error,
    call: impl FnOnce() -> Result<(), Error>,
) -> subpy_status {
    let _errno = Errno::kept();
    // A panic leaves no state of ours half changed: claims and thread states are given back by
    // their guards as it unwinds.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => {
            // SAFETY: the caller hands over NULL or a place for an error.
            if let Some(place) = unsafe { error.as_mut() } {
                *place = std::ptr::null_mut();
            }
            subpy_status::SUBPY_OK
        }
        // SAFETY: as above.
        Ok(Err(e)) => unsafe { fail(error, e) },
        // SAFETY: as above.
        Err(panic) => unsafe { fail(error, internal(&*panic)) },
    }
}

/// # Safety
/// As for [`enter`].
#[cold]
#[inline(never)]
unsafe fn fail(error: *mut *mut subpy_error, e: Error) -> subpy_status {
    let status = e.status().into();
    // SAFETY: the caller hands over NULL or a place for an error.
    if let Some(place) = unsafe { error.as_mut() } {
        *place = Box::into_raw(Box::new(e.into()));
    }
    status
}

/// What a function that can't fail returns if its work panics after all.
pub(crate) fn or_else<T>(fallback: T, call: impl FnOnce() -> T) -> T {
    let _errno = Errno::kept();
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(fallback)
}

/// The caller's errno, which is its own again when this is dropped.
struct Errno {
    place: *mut c_int,
    value: c_int,
}

impl Errno {
    #[inline]
    fn kept() -> Self {
        // SAFETY: the calling thread's, as long as that lives.
        unsafe {
            let place = libc::__errno_location();
            Self {
                place,
                value: *place,
            }
        }
    }
}

impl Drop for Errno {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { *self.place = self.value };
    }
}

fn internal(panic: &(dyn Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(
        Status::Internal,
        format!("subpy panicked, which is a defect of subpy; please report it: {what}"),
    )
}
