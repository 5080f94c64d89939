//! How much memory each interpreter has, and no more than it may: an allocator that counts.
//!
//! A block counts for the interpreter whose thread state is attached when it is allocated or freed; its
//! size is what mimalloc says, so that no block needs a header. Only a thread that holds an interpreter's
//! GIL changes its account, so plain additions will do. Blocks that are allocated with no thread state
//! attached count for nobody.
//!
//! At its limit an interpreter gets NULL, and its script a MemoryError. CPython handles that well if small
//! blocks are still to be had, so these have a reserve on top of the limit:
//! - handling the exception takes some;
//! - what is run next, to make room, does;
//! - a deep recursion leaves frames behind it for its traceback, six times as large as they were on the
//!   stack: where one of those can't be made, CPython drops the exception ("SystemError: error return
//!   without exception set"). So stacks are stopped long before the limit.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use crate::{registry, thread_state};

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
/// Blocks of CPython's own machinery (the raw domain) fail only from this size on, in bytes.
const LARGE_RAW: usize = 64 * 1024;

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

thread_local! {
    /// In a thread that carries none of our thread states: the thread state that was seen last, and the
    /// account of its interpreter.
    static SEEN: Cell<(*mut PyThreadState, Option<&'static Account>)> =
        const { Cell::new((std::ptr::null_mut(), None)) };
}

/// Whether the allocator counts.
static COUNTS: AtomicBool = AtomicBool::new(false);

pub(crate) fn counts() -> bool {
    COUNTS.load(Ordering::Relaxed)
}

impl Account {
    /// `None` where nothing is counted.
    pub(crate) fn open(limit: u64) -> Option<&'static Self> {
        counts().then(|| {
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

    fn add(&self, bytes: i64) {
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
    fn allows(&self, bytes: usize) -> bool {
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

    fn allows_stack(&self, bytes: usize) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let most = (limit / STACKS) as i64;
        limit == 0 || self.stacks.load(Ordering::Relaxed) + bytes as i64 <= most
    }

    fn add_to_stacks(&self, bytes: i64) {
        let stacks = self.stacks.load(Ordering::Relaxed) + bytes;
        self.stacks.store(stacks, Ordering::Relaxed);
    }
}

/// The account of the interpreter that is attached: of the one that the calling thread carries, or that
/// a Python thread belongs to.
#[inline(always)]
fn account() -> Option<&'static Account> {
    thread_state::account_here().or_else(account_of_thread)
}

fn account_of_thread() -> Option<&'static Account> {
    // SAFETY: at any time, in any thread.
    let thread_state = unsafe { ffi::compat::PyThreadState_GetUnchecked() };
    if thread_state.is_null() {
        return None;
    }
    let (seen, account) = SEEN.get();
    if seen == thread_state {
        return account;
    }
    // SAFETY: attached in this thread, so it lives.
    let interpreter = unsafe { ffi::PyThreadState_GetInterpreter(thread_state) };
    let account = registry::find_by(|i| i.is(interpreter)).and_then(|i| i.account());
    SEEN.set((thread_state, account));
    account
}

/// The size of a block of ours.
fn size(block: *mut c_void) -> i64 {
    // SAFETY: NULL, or a block of mimalloc's.
    unsafe { mi::mi_usable_size(block) as i64 }
}

/// The functions of a domain. `RAW`: of the raw one.
pub(crate) fn functions<const RAW: bool>() -> ffi::PyMemAllocatorEx {
    COUNTS.store(true, Ordering::Relaxed);
    ffi::PyMemAllocatorEx {
        ctx: std::ptr::null_mut(),
        malloc: Some(malloc::<RAW>),
        calloc: Some(calloc::<RAW>),
        realloc: Some(realloc::<RAW>),
        free: Some(free),
    }
}

fn allows<const RAW: bool>(account: &Account, bytes: usize) -> bool {
    (RAW && bytes < LARGE_RAW) || account.allows(bytes)
}

extern "C" fn malloc<const RAW: bool>(_: *mut c_void, bytes: usize) -> *mut c_void {
    let account = account();
    if account.is_some_and(|account| !allows::<RAW>(account, bytes)) {
        return std::ptr::null_mut();
    }
    // SAFETY: any size is allowed.
    let block = unsafe { mi::mi_malloc(bytes) };
    if let Some(account) = account {
        account.add(size(block));
    }
    block
}

extern "C" fn calloc<const RAW: bool>(_: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let account = account();
    let bytes = count.saturating_mul(each);
    if account.is_some_and(|account| !allows::<RAW>(account, bytes)) {
        return std::ptr::null_mut();
    }
    // SAFETY: any size is allowed; an overflow gives NULL.
    let block = unsafe { mi::mi_calloc(count, each) };
    if let Some(account) = account {
        account.add(size(block));
    }
    block
}

extern "C" fn realloc<const RAW: bool>(
    _: *mut c_void,
    old: *mut c_void,
    bytes: usize,
) -> *mut c_void {
    let account = account();
    let before = size(old);
    let more = bytes.saturating_sub(before as usize);
    if more > 0 && account.is_some_and(|account| !allows::<RAW>(account, more)) {
        return std::ptr::null_mut();
    }
    // SAFETY: Python's promise: NULL or a block of ours.
    let block = unsafe { mi::mi_realloc(old, bytes) };
    if let (Some(account), false) = (account, block.is_null()) {
        account.add(size(block) - before);
    }
    block
}

extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    if let Some(account) = account() {
        account.add(-size(block));
    }
    // SAFETY: Python's promise: NULL or a block of ours.
    unsafe { mi::mi_free(block) }
}

/// Arenas: with mimalloc in obmalloc's place, what is left of them are the stacks of Python's frames.
pub(crate) fn arenas() -> ffi::PyObjectArenaAllocator {
    ffi::PyObjectArenaAllocator {
        ctx: std::ptr::null_mut(),
        alloc: Some(arena_alloc),
        free: Some(arena_free),
    }
}

extern "C" fn arena_alloc(_: *mut c_void, bytes: usize) -> *mut c_void {
    let account = account();
    if account.is_some_and(|account| !account.allows_stack(bytes)) {
        return std::ptr::null_mut();
    }
    let block = malloc::<false>(std::ptr::null_mut(), bytes);
    if let (Some(account), false) = (account, block.is_null()) {
        account.add_to_stacks(bytes as i64);
    }
    block
}

extern "C" fn arena_free(_: *mut c_void, block: *mut c_void, bytes: usize) {
    if let Some(account) = account() {
        account.add_to_stacks(-(bytes as i64));
    }
    free(std::ptr::null_mut(), block);
}
