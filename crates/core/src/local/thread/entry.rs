//! What a thread has with it in an interpreter: which one that is, and what the thread had before.

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr::{null, null_mut};

use libc::locale_t;
use pyo3_ffi::PyThreadState;

use crate::data::id::Id;
use crate::local::memory::account::Account;
use crate::local::thread::attributes;
use crate::local::thread::float_environment::FloatEnvironment;
use crate::local::thread::wake::Wake;

/// A thread's entry into an interpreter. Used by one thread at a time, which has the innermost of its entries at hand:
/// see [`here`](super::here).
pub(crate) struct Entry {
    /// `None`: it is for no interpreter that subpy has led the thread into.
    pub(crate) id: Option<Id>,
    /// Where the thread's memory is counted.
    pub(crate) account: Option<&'static Account>,
    /// What the thread is attached to, or was when it called the host. NULL: that has to be asked.
    pub(crate) thread_state: Cell<*mut PyThreadState>,
    /// The thread stays there, and is in the host, between two of its calls.
    pub(in crate::local) stays: Cell<bool>,
    /// What a script has set in the thread, if it has; made by [`attributes`](super::attributes).
    pub(crate) attributes: attributes::Slot,
    pub(crate) host: HostSettings,
    /// How the thread is told there that its run is to end.
    pub(crate) wake: Wake,
    pub(in crate::local) before: Before,
}

/// What the thread has while it calls the host.
pub(crate) struct HostSettings {
    /// NULL: what it has anyway; no interpreter had set one.
    pub(crate) locale: Cell<locale_t>,
    pub(crate) floats: Cell<FloatEnvironment>,
}

/// What the thread had before.
pub(in crate::local) struct Before {
    pub(in crate::local) entry: Cell<*const Entry>,
    pub(in crate::local) thread_state: Cell<*mut PyThreadState>,
    pub(in crate::local) slot: Cell<*mut PyThreadState>,
    /// NULL: no interpreter had set one.
    pub(in crate::local) locale: Cell<locale_t>,
    pub(in crate::local) floats: Cell<FloatEnvironment>,
    /// See [`here`](super::here).
    pub(in crate::local) switches: Cell<u64>,
    /// Whether it could be cancelled; see [`uncancelled`](super::uncancelled).
    pub(in crate::local) cancel_state: Cell<c_int>,
}

impl Entry {
    /// The thread's entry before this one; NULL: it had none.
    #[inline]
    pub(crate) fn outer(&self) -> *const Entry {
        self.before.entry.get()
    }

    pub(crate) const fn new(
        id: Option<Id>,
        account: Option<&'static Account>,
        thread_state: *mut PyThreadState,
    ) -> Self {
        Self {
            id,
            account,
            thread_state: Cell::new(thread_state),
            stays: Cell::new(false),
            attributes: Cell::new(null_mut()),
            host: HostSettings {
                locale: Cell::new(null_mut()),
                floats: Cell::new(FloatEnvironment::OF_PYTHON),
            },
            wake: Wake::new(),
            before: Before {
                entry: Cell::new(null()),
                thread_state: Cell::new(null_mut()),
                slot: Cell::new(null_mut()),
                locale: Cell::new(null_mut()),
                floats: Cell::new(FloatEnvironment::OF_PYTHON),
                switches: Cell::new(0),
                cancel_state: Cell::new(0),
            },
        }
    }
}
