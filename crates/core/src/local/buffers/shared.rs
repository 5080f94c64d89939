//! Lent memory of which there are several descriptions.

use std::ffi::c_void;
use std::sync::Arc;

use crate::local::objects::release::Release;

/// The last description gives it back.
pub(crate) struct SharedMemory {
    _release: Option<Release>,
}

impl SharedMemory {
    pub(crate) fn of(release: Option<Release>) -> Release {
        let shared = Arc::into_raw(Arc::new(Self { _release: release }));
        // SAFETY: the count that `give_back` takes back.
        unsafe { Release::new(shared.cast_mut().cast(), Some(give_back)) }
    }
}

/// One description less.
pub(crate) unsafe extern "C" fn give_back(shared: *mut c_void) {
    // SAFETY: a count of `SharedMemory::of`, or of `one_more`.
    drop(unsafe { Arc::from_raw(shared.cast_const().cast::<SharedMemory>()) });
}

/// One description more of what [`give_back`] gives back.
///
/// # Safety
/// There is one that is true.
pub(crate) unsafe fn one_more(shared: *mut c_void) -> Release {
    // SAFETY: the caller's promise.
    unsafe {
        Arc::increment_strong_count(shared.cast_const().cast::<SharedMemory>());
        Release::new(shared, Some(give_back))
    }
}
