//! Where the calling thread is: its innermost entry into an interpreter. Asked for at each allocation and each free,
//! where memory is counted.

use crate::data::id::Id;
use crate::local::memory::account::Account;
use crate::local::thread::entry::Entry;
use crate::local::thread::wake::Wake;
use crate::util::thread_local::zeroed_thread_local;

/// The locale of the process, as C's headers define it.
pub(crate) const LC_GLOBAL_LOCALE: libc::locale_t = std::ptr::without_provenance_mut(usize::MAX);

/// What there is one of in a thread.
#[repr(C)]
struct Thread {
    entry: *const Entry,
    switches: u64,
    wake: *const Wake,
}

zeroed_thread_local!(fn thread_data() -> *mut Thread, "calling_thread_in_subpy");

/// Where the calling thread has that: found once for several questions.
pub(in crate::local) struct CallingThread(*mut Thread);

impl CallingThread {
    #[inline]
    pub(in crate::local) fn get() -> Self {
        Self(thread_data())
    }

    #[inline]
    pub(in crate::local) fn entry(&self) -> *const Entry {
        // SAFETY: the place is the calling thread's, since no other thread can have it by the pointer in it, and
        // nobody keeps a reference to it; so for those below.
        unsafe { (*self.0).entry }
    }

    #[inline]
    pub(in crate::local) fn set_entry(&self, entry: *const Entry) {
        // SAFETY: see above.
        unsafe { (*self.0).entry = entry };
    }

    /// How often a call of the host's has returned, in the calling thread, when the thread was elsewhere meanwhile: it
    /// runs several stacks (fibers), and comes back to them in any order.
    #[inline]
    pub(in crate::local) fn switches(&self) -> u64 {
        // SAFETY: see above.
        unsafe { (*self.0).switches }
    }
}

/// The calling thread's innermost entry, also while it calls the host. NULL: it has none. One that is not NULL lives
/// until it is left.
#[inline]
pub(crate) fn entry() -> *const Entry {
    CallingThread::get().entry()
}

#[inline]
pub(in crate::local) fn set_entry(entry: *const Entry) {
    CallingThread::get().set_entry(entry);
}

/// How the calling thread is told that it is to end, if a script has started it.
#[inline]
pub(crate) fn script_wake<'a>() -> Option<&'a Wake> {
    // SAFETY: see above; it lives until the thread has none any more.
    unsafe { (*thread_data()).wake.as_ref() }
}

/// A script has started the calling thread, and it is told by this; NULL: it ends.
///
/// # Safety
/// It lives until this is called with NULL.
pub(crate) unsafe fn set_script_wake(wake: *const Wake) {
    // SAFETY: see above.
    unsafe { (*thread_data()).wake = wake };
}

/// The interpreter that the calling thread is in, as far as subpy has led it there.
pub(crate) fn interpreter() -> Option<Id> {
    // SAFETY: it lives.
    unsafe { entry().as_ref() }?.id
}

/// Where the calling thread's memory is counted.
#[inline]
pub(crate) fn account() -> Option<&'static Account> {
    // SAFETY: it lives.
    unsafe { entry().as_ref() }.and_then(|entry| entry.account)
}

/// The thread was elsewhere meanwhile once more: see [`CallingThread::switches`].
pub(in crate::local) fn has_switched() {
    // SAFETY: see above.
    unsafe { (*thread_data()).switches += 1 };
}

#[cfg(test)]
mod tests {
    use super::{Entry, Id, entry, interpreter, set_entry};

    #[test]
    fn each_thread_starts_nowhere_and_has_its_own_place() {
        let in_thread = |number| {
            std::thread::spawn(move || {
                assert!(entry().is_null() && interpreter().is_none());
                let own = Entry::new(Some(Id::new(number)), None, std::ptr::null_mut());
                set_entry(&own);
                std::thread::yield_now();
                assert_eq!(interpreter(), Some(Id::new(number)));
                set_entry(std::ptr::null());
            })
        };
        let threads: Vec<_> = (1..9).map(in_thread).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(interpreter(), None);
    }
}
