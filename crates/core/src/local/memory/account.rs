//! What an interpreter has, and how much more it may get.
//!
//! At its limit an interpreter gets NULL for a large block, and its script a MemoryError. CPython does not
//! handle that well everywhere for small ones (functions and tuples half made, exceptions dropped), so
//! these are still to be had: the script gets a MemoryError at its next safe point instead, and NULL only
//! when it is far past the limit ([`OVERDRAFT`]).
//!
//! A deep recursion leaves frames behind it for its traceback, six times as large as they were on the
//! stack. So stacks are stopped long before the limit.

#[cfg(Py_3_12)]
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU64, Ordering};

use pyo3_ffi::PyInterpreterState;

#[cfg(Py_3_12)]
use crate::local::python::pending_call;

/// What is small, in bytes.
const SMALL: usize = 512;
/// What small blocks may take on top of the limit before the script is stopped, in bytes: handling a
/// MemoryError takes some.
const RESERVE: i64 = 256 * 1024;
/// What a run may take of small blocks that begins with all of that used up, in bytes: it may be there to
/// make room.
const NEXT_RUN: i64 = 64 * 1024;
/// What small blocks may take on top of the limit at all, in bytes.
const OVERDRAFT: i64 = 16 * 1024 * 1024;
/// What reading exceptions may add to an interpreter, in bytes: mostly the modules that it takes.
const READING: i64 = 8 * 1024 * 1024;
/// Which part of the limit the stacks of Python's frames may take.
const STACKS: u64 = 10;

/// Whether the allocator counts.
static COUNTS: AtomicBool = AtomicBool::new(false);

/// The allocator counts from now on.
pub(in crate::local) fn count() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// What an interpreter has. Never freed: a thread may look at it at any time.
pub(crate) struct Account {
    current: AtomicI64,
    peak: AtomicI64,
    /// Of `current`: the stacks of Python's frames.
    stacks: AtomicI64,
    /// In bytes; 0: none.
    limit: AtomicU64,
    /// What `current` may be without anybody being asked, in bytes.
    ceiling: AtomicI64,
    /// Where small blocks stop the script, in bytes.
    small_limit: AtomicI64,
    /// It is to be stopped at its next safe point.
    #[cfg(Py_3_12)]
    stopping: AtomicBool,
    /// Whose account it is. Used by threads that are attached to it.
    owner: AtomicPtr<PyInterpreterState>,
    /// A [`Work`].
    work: AtomicU8,
    /// What `current` was when that began.
    before: AtomicI64,
    /// What each kind of work has added to `current`: the limit is higher by that of all but the script's.
    added: [AtomicI64; 3],
}

/// What memory is needed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A script runs: its limit is in force.
    Script,
    /// An exception is read. Parts of a script run for that, so there is a limit for it: [`READING`].
    Exception,
    /// The interpreter is made, compiles what the host has given it, or ends. No limit.
    Own,
}

/// A number of bytes, and the most that it has been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Bytes that are allocated now.
    pub current: u64,
    /// The most that were allocated at once.
    pub peak: u64,
}

impl Account {
    /// `None` where nothing is counted.
    pub(crate) fn open(limit: u64) -> Option<&'static Self> {
        COUNTS.load(Ordering::Relaxed).then(|| {
            &*Box::leak(Box::new(Self {
                current: AtomicI64::new(0),
                peak: AtomicI64::new(0),
                stacks: AtomicI64::new(0),
                limit: AtomicU64::new(limit),
                ceiling: AtomicI64::new(i64::MAX),
                small_limit: AtomicI64::new(0),
                #[cfg(Py_3_12)]
                stopping: AtomicBool::new(false),
                owner: AtomicPtr::default(),
                work: AtomicU8::new(Work::Own as u8),
                before: AtomicI64::new(0),
                added: Default::default(),
            }))
        })
    }

    /// So much it may be from now on; 0: as much as there is.
    pub(crate) fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
        self.set_ceiling();
    }

    /// Says what memory is needed for from now on.
    pub(crate) fn begin(&self, work: Work) {
        let old = self.work.swap(work as u8, Ordering::Relaxed);
        let added = &self.added[usize::from(old)];
        let current = self.current.load(Ordering::Relaxed);
        let before = self.before.swap(current, Ordering::Relaxed);
        added.store(
            added.load(Ordering::Relaxed) + current - before,
            Ordering::Relaxed,
        );
        self.set_ceiling();
    }

    /// The interpreter is made: what it has counts for its limit from now on. (The main one was there before it was counted,
    /// and may have freed more of that than it has now: 206 KiB on 3.15.)
    pub(crate) fn opened(&self) {
        self.current.fetch_max(0, Ordering::Relaxed);
        self.begin(Work::Script);
        self.added[Work::Own as usize].store(0, Ordering::Relaxed);
        self.set_ceiling();
    }

    fn set_ceiling(&self) {
        let ceiling = match self.limit.load(Ordering::Relaxed) {
            0 => i64::MAX,
            _ if self.is_for(Work::Own) => i64::MAX,
            _ if self.is_for(Work::Exception) => i64::MIN,
            _ => self.limit(),
        };
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }

    fn is_for(&self, work: Work) -> bool {
        self.work.load(Ordering::Relaxed) == work as u8
    }

    /// A run begins: it gets a little to work with, even where there is nothing left.
    pub(crate) fn begin_run(&self) {
        let limit = self.limit();
        let next = self
            .current
            .load(Ordering::Relaxed)
            .saturating_add(NEXT_RUN);
        let most = limit.saturating_add(OVERDRAFT);
        let small = limit.saturating_add(RESERVE).max(next.min(most));
        self.small_limit.store(small, Ordering::Relaxed);
    }

    /// It is the account of that interpreter.
    pub(in crate::local) fn belongs_to(&self, interpreter: *mut PyInterpreterState) {
        self.owner.store(interpreter, Ordering::Relaxed);
    }

    fn added(&self, work: Work) -> i64 {
        self.added[work as usize].load(Ordering::Relaxed)
    }

    fn limit(&self) -> i64 {
        let limit = i64::try_from(self.limit.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let added = self.added(Work::Own) + self.added(Work::Exception);
        limit.saturating_add(added.max(0))
    }

    pub(crate) fn usage(&self) -> MemoryUsage {
        let bytes = |n: &AtomicI64| n.load(Ordering::Relaxed).max(0) as u64;
        MemoryUsage {
            current: bytes(&self.current),
            peak: bytes(&self.peak),
        }
    }

    #[inline]
    pub(in crate::local) fn add(&self, bytes: i64) {
        let current = self.current.load(Ordering::Relaxed) + bytes;
        self.current.store(current, Ordering::Relaxed);
        if current > self.peak.load(Ordering::Relaxed) {
            self.peak.store(current, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(in crate::local) fn take(&self, bytes: i64) {
        let current = self.current.load(Ordering::Relaxed) - bytes;
        self.current.store(current, Ordering::Relaxed);
    }

    #[inline]
    pub(in crate::local) fn is_limited(&self) -> bool {
        self.limit.load(Ordering::Relaxed) != 0
    }

    #[inline]
    pub(in crate::local) fn allows(&self, bytes: usize) -> bool {
        let current = self.current.load(Ordering::Relaxed);
        // What is past all numbers is let through: the allocator has none.
        let then = current.wrapping_add(bytes as i64);
        then <= self.ceiling.load(Ordering::Relaxed) || self.allows_past_ceiling(bytes)
    }

    #[cold]
    fn allows_past_ceiling(&self, bytes: usize) -> bool {
        let current = self.current.load(Ordering::Relaxed);
        let then = current.saturating_add_unsigned(bytes as u64);
        if self.is_for(Work::Exception) {
            let added = then.saturating_sub(self.before.load(Ordering::Relaxed));
            return self.added(Work::Exception).saturating_add(added) <= READING;
        }
        if bytes > SMALL {
            return then <= self.limit();
        }
        if then > self.small_limit.load(Ordering::Relaxed) {
            self.stop_script();
        }
        then <= self.limit().saturating_add(OVERDRAFT)
    }

    /// Has a MemoryError raised at the next safe point.
    #[cold]
    fn stop_script(&self) {
        #[cfg(Py_3_12)]
        if !self.stopping.swap(true, Ordering::Relaxed) {
            let interpreter = self.owner.load(Ordering::Relaxed);
            let account = std::ptr::from_ref(self).cast_mut().cast();
            // SAFETY: this thread is attached to the interpreter; accounts are never freed.
            unsafe { pending_call::add(interpreter, raise_memory_error, account) };
        }
    }

    /// At a safe point: whether there is still too much.
    #[cfg(Py_3_12)]
    fn is_overdrawn(&self) -> bool {
        self.stopping.store(false, Ordering::Relaxed);
        self.is_for(Work::Script)
            && self.current.load(Ordering::Relaxed) > self.small_limit.load(Ordering::Relaxed)
    }

    pub(in crate::local) fn allows_stack(&self, bytes: usize) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let most = (limit / STACKS) as i64;
        limit == 0
            || self.is_for(Work::Own)
            || self.stacks.load(Ordering::Relaxed) + bytes as i64 <= most
    }

    pub(in crate::local) fn add_to_stacks(&self, bytes: i64) {
        let stacks = self.stacks.load(Ordering::Relaxed) + bytes;
        self.stacks.store(stacks, Ordering::Relaxed);
    }
}

/// What CPython calls at a safe point.
#[cfg(Py_3_12)]
unsafe extern "C" fn raise_memory_error(account: *mut c_void) -> c_int {
    // SAFETY: accounts are never freed; attached.
    unsafe {
        if !(*account.cast::<Account>()).is_overdrawn() {
            return 0;
        }
        pyo3_ffi::PyErr_NoMemory();
        -1
    }
}
