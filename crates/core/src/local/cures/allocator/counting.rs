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

use crate::local::memory::account;
use crate::local::memory::account::Account;
use crate::local::memory::heap;
use crate::local::thread::calling_thread;

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
#[inline]
fn account() -> Option<&'static Account> {
    calling_thread::account().or_else(account_of_thread)
}

#[inline(never)]
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

unsafe extern "C" {
    // mimalloc's functions, which also say what the block's size is, or was.
    fn mi_urealloc(
        block: *mut c_void,
        bytes: usize,
        before: *mut usize,
        size: *mut usize,
    ) -> *mut c_void;
    fn mi_ufree(block: *mut c_void, size: *mut usize);
}

extern "C" fn malloc(_: *mut c_void, bytes: usize) -> *mut c_void {
    let Some(account) = account() else {
        return heap::malloc(bytes);
    };
    if !account.allows(bytes) {
        return std::ptr::null_mut();
    }
    let (block, size) = heap::malloc_sized(bytes);
    if !block.is_null() {
        account.add(size as i64);
    }
    block
}

extern "C" fn calloc(_: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let Some(account) = account() else {
        return heap::calloc(count, each);
    };
    if !account.allows(count.saturating_mul(each)) {
        return std::ptr::null_mut();
    }
    let block = heap::calloc(count, each);
    if !block.is_null() {
        // SAFETY: a block of mimalloc's.
        account.add(unsafe { mi::mi_usable_size(block) } as i64);
    }
    block
}

extern "C" fn realloc(_: *mut c_void, old: *mut c_void, bytes: usize) -> *mut c_void {
    let Some(account) = account() else {
        // SAFETY: Python's promise: NULL or a block of ours.
        return unsafe { mi::mi_realloc(old, bytes) };
    };
    if account.is_limited() {
        // SAFETY: as above.
        let more = bytes.saturating_sub(unsafe { mi::mi_usable_size(old) });
        if more > 0 && !account.allows(more) {
            return std::ptr::null_mut();
        }
    }
    let (mut before, mut size) = (0, 0);
    // SAFETY: as above.
    let block = unsafe { mi_urealloc(old, bytes, &mut before, &mut size) };
    if !block.is_null() {
        account.add(size as i64 - before as i64);
    }
    block
}

extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    match account() {
        Some(account) if !block.is_null() => {
            let mut size = 0;
            // SAFETY: Python's promise: a block of ours.
            unsafe { mi_ufree(block, &mut size) };
            account.take(size as i64);
        }
        // SAFETY: as above, or NULL.
        _ => unsafe { mi::mi_free(block) },
    }
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
