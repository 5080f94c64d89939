//! An allocator that counts for the interpreter whose thread state is attached when a block is allocated or
//! freed. A block's size is what mimalloc says, so that none needs a header. Only a thread that holds an
//! interpreter's GIL changes its account, so plain additions will do. Blocks that are allocated with no
//! thread state attached count for nobody, nor do those of the raw domain, which is malloc().

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::{PoisonError, RwLock};

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;
use pyo3_ffi::{PyInterpreterState, PyThreadState};

use super::account::{self, Account};
use crate::python::thread_state;

/// The accounts by interpreter: for its Python threads, which find it once. Held to look, never while a
/// GIL is awaited.
static OWNERS: RwLock<Vec<(usize, &'static Account)>> = RwLock::new(Vec::new());

/// `account` is that of an interpreter from now on.
pub(crate) fn own(interpreter: *mut PyInterpreterState, account: &'static Account) {
    let mut owners = OWNERS.write().unwrap_or_else(PoisonError::into_inner);
    owners.push((interpreter as usize, account));
    account.belongs_to(interpreter);
}

/// The interpreter has ended.
pub(crate) fn disown(account: &'static Account) {
    let mut owners = OWNERS.write().unwrap_or_else(PoisonError::into_inner);
    owners.retain(|(_, owned)| !std::ptr::eq(*owned, account));
}

thread_local! {
    /// In a thread that carries none of our thread states: the thread state that was seen last, and the
    /// account of its interpreter.
    static SEEN: Cell<(*mut PyThreadState, Option<&'static Account>)> =
        const { Cell::new((std::ptr::null_mut(), None)) };
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
    let owners = OWNERS.read().unwrap_or_else(PoisonError::into_inner);
    let owned = owners
        .iter()
        .find(|(owner, _)| *owner == interpreter as usize);
    let account = owned.map(|(_, account)| *account);
    SEEN.set((thread_state, account));
    account
}

/// The size of a block of ours.
fn size(block: *mut c_void) -> i64 {
    // SAFETY: NULL, or a block of mimalloc's.
    unsafe { mi::mi_usable_size(block) as i64 }
}

/// The functions of a domain.
pub(crate) fn functions() -> ffi::PyMemAllocatorEx {
    account::count();
    ffi::PyMemAllocatorEx {
        ctx: std::ptr::null_mut(),
        malloc: Some(malloc),
        calloc: Some(calloc),
        realloc: Some(realloc),
        free: Some(free),
    }
}

extern "C" fn malloc(_: *mut c_void, bytes: usize) -> *mut c_void {
    let account = account();
    if account.is_some_and(|account| !account.allows(bytes)) {
        return std::ptr::null_mut();
    }
    // SAFETY: any size is allowed.
    let block = unsafe { mi::mi_malloc(bytes) };
    if let Some(account) = account {
        account.add(size(block));
    }
    block
}

extern "C" fn calloc(_: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let account = account();
    let bytes = count.saturating_mul(each);
    if account.is_some_and(|account| !account.allows(bytes)) {
        return std::ptr::null_mut();
    }
    // SAFETY: any size is allowed; an overflow gives NULL.
    let block = unsafe { mi::mi_calloc(count, each) };
    if let Some(account) = account {
        account.add(size(block));
    }
    block
}

extern "C" fn realloc(_: *mut c_void, old: *mut c_void, bytes: usize) -> *mut c_void {
    let account = account();
    let before = size(old);
    let more = bytes.saturating_sub(before as usize);
    if more > 0 && account.is_some_and(|account| !account.allows(more)) {
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
    let block = malloc(std::ptr::null_mut(), bytes);
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
