//! Blocks from mimalloc's heap of the calling thread. mimalloc finds it by a call of the loader, for each block: here it
//! is found without one.

use std::ffi::c_void;

/// mimalloc's `mi_theap_t`.
enum Heap {}

unsafe extern "C" {
    fn mi_theap_malloc(heap: *mut Heap, bytes: usize) -> *mut c_void;
    fn mi_theap_calloc(heap: *mut Heap, count: usize, each: usize) -> *mut c_void;
    /// No header of mimalloc's has it; its `mi_umalloc` does nothing but call it.
    fn mi_theap_umalloc(heap: *mut Heap, bytes: usize, size: *mut usize) -> *mut c_void;
}

/// A block.
#[inline]
pub(crate) fn malloc(bytes: usize) -> *mut c_void {
    // SAFETY: the thread's own heap; any size is allowed.
    unsafe { mi_theap_malloc(here(), bytes) }
}

/// A block of zeros. NULL: also where the product is past all numbers.
#[inline]
pub(crate) fn calloc(count: usize, each: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { mi_theap_calloc(here(), count, each) }
}

/// A block, and its size.
#[inline]
pub(in crate::local) fn malloc_sized(bytes: usize) -> (*mut c_void, usize) {
    let mut size = 0;
    // SAFETY: as above.
    let block = unsafe { mi_theap_umalloc(here(), bytes, &mut size) };
    (block, size)
}

/// The calling thread's heap; an empty one, which mimalloc replaces, before its first block and after its last.
///
/// The variable is mimalloc's own, which `mi_malloc` reads, too.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[inline]
fn here() -> *mut Heap {
    use crate::util::thread_local::{Variable, ask};

    static PLACE: Variable = Variable::new();
    let place = PLACE.here::<*mut Heap>(ask!("__mi_theap_default"));
    // SAFETY: the calling thread's, which it alone writes.
    unsafe { *place }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
#[inline]
fn here() -> *mut Heap {
    unsafe extern "C" {
        fn mi_theap_get_default() -> *mut Heap;
    }
    // SAFETY: at any time, in any thread.
    unsafe { mi_theap_get_default() }
}
