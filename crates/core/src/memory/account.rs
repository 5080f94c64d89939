//! What an interpreter has, and how much more it may get.
//!
//! At its limit an interpreter gets NULL, and its script a MemoryError. CPython handles that well if small
//! blocks are still to be had, so these have a reserve on top of the limit:
//! - handling the exception takes some;
//! - what is run next, to make room, does;
//! - a deep recursion leaves frames behind it for its traceback, six times as large as they were on the
//!   stack: where one of those can't be made, CPython drops the exception ("SystemError: error return
//!   without exception set"). So stacks are stopped long before the limit.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};

/// What is small, in bytes.
const SMALL: usize = 512;
/// What small blocks may take on top of the limit, in bytes.
const RESERVE: i64 = 256 * 1024;
/// What they may take of that in a run that begins with the reserve used up, and how far such runs may
/// go in all.
const NEXT_RUN: i64 = 64 * 1024;
const ALL_RUNS: i64 = 1024 * 1024;
/// What reading exceptions may add to an interpreter, in bytes: mostly the modules that it takes.
const READING: i64 = 8 * 1024 * 1024;
/// Which part of the limit the stacks of Python's frames may take.
const STACKS: u64 = 10;

/// Whether the allocator counts.
static COUNTS: AtomicBool = AtomicBool::new(false);

/// The allocator counts from now on.
pub(super) fn count() {
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
    /// The limit for small blocks, in bytes.
    small_limit: AtomicI64,
    /// A [`Work`].
    work: AtomicU8,
    /// What each kind of work but the script's has added to `current`: the limit is so much higher.
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
                small_limit: AtomicI64::new(0),
                work: AtomicU8::new(Work::Own as u8),
                added: Default::default(),
            }))
        })
    }

    /// Says what memory is needed for from now on.
    pub(crate) fn begin(&self, work: Work) {
        self.work.store(work as u8, Ordering::Relaxed);
    }

    /// The interpreter is made: what it has counts for its limit from now on.
    pub(crate) fn opened(&self) {
        self.added[Work::Own as usize].store(0, Ordering::Relaxed);
        self.begin(Work::Script);
    }

    /// A run begins: it gets a little to work with, even where there is nothing left.
    pub(crate) fn begin_run(&self) {
        let limit = self.limit();
        let next = self
            .current
            .load(Ordering::Relaxed)
            .saturating_add(NEXT_RUN);
        let most = limit.saturating_add(ALL_RUNS);
        let small = limit.saturating_add(RESERVE).max(next.min(most));
        self.small_limit.store(small, Ordering::Relaxed);
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

    pub(super) fn add(&self, bytes: i64) {
        let current = self.current.load(Ordering::Relaxed) + bytes;
        self.current.store(current, Ordering::Relaxed);
        if current > self.peak.load(Ordering::Relaxed) {
            self.peak.store(current, Ordering::Relaxed);
        }
        let work = self.work.load(Ordering::Relaxed);
        if work != Work::Script as u8 {
            let added = &self.added[work as usize];
            added.store(added.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    pub(super) fn allows(&self, bytes: usize) -> bool {
        self.limit.load(Ordering::Relaxed) == 0 || self.has(bytes)
    }

    fn has(&self, bytes: usize) -> bool {
        let work = self.work.load(Ordering::Relaxed);
        if work == Work::Own as u8 {
            return true;
        }
        let more = i64::try_from(bytes).unwrap_or(i64::MAX);
        if work == Work::Exception as u8 {
            return self.added(Work::Exception).saturating_add(more) <= READING;
        }
        let limit = match bytes {
            0..=SMALL => self.small_limit.load(Ordering::Relaxed),
            _ => self.limit(),
        };
        self.current.load(Ordering::Relaxed).saturating_add(more) <= limit
    }

    pub(super) fn allows_stack(&self, bytes: usize) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let most = (limit / STACKS) as i64;
        limit == 0 || self.stacks.load(Ordering::Relaxed) + bytes as i64 <= most
    }

    pub(super) fn add_to_stacks(&self, bytes: i64) {
        let stacks = self.stacks.load(Ordering::Relaxed) + bytes;
        self.stacks.store(stacks, Ordering::Relaxed);
    }
}
