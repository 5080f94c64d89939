//! Blocks from mimalloc's heap of the calling thread. A thread in an interpreter has its heap at hand: mimalloc finds
//! it by a call of the loader, for each block. What is rare is left to mimalloc.

use std::ffi::c_void;

use crate::python::here;

/// mimalloc's `mi_theap_t`.
pub(crate) enum Heap {}

unsafe extern "C" {
    fn mi_theap_get_default() -> *mut Heap;
    fn mi_theap_malloc(heap: *mut Heap, bytes: usize) -> *mut c_void;
    fn mi_theap_calloc(heap: *mut Heap, count: usize, each: usize) -> *mut c_void;
    /// No header of mimalloc's has it; its `mi_umalloc` does nothing but call it.
    fn mi_theap_umalloc(heap: *mut Heap, bytes: usize, size: *mut usize) -> *mut c_void;
}

/// A block.
#[inline(always)]
pub(crate) fn malloc(bytes: usize) -> *mut c_void {
    // SAFETY: the thread's own heap; any size is allowed.
    unsafe { mi_theap_malloc(or_ask(here::heap()), bytes) }
}

/// A block of zeros. NULL: also where the product is past all numbers.
#[inline(always)]
pub(crate) fn calloc(count: usize, each: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { mi_theap_calloc(or_ask(here::heap()), count, each) }
}

/// A block, and its size. `heap` is [`here::heap`].
#[inline(always)]
pub(super) fn malloc_sized(heap: *mut Heap, bytes: usize) -> (*mut c_void, usize) {
    let mut size = 0;
    // SAFETY: as above.
    let block = unsafe { mi_theap_umalloc(or_ask(heap), bytes, &mut size) };
    (block, size)
}

#[inline(always)]
fn or_ask(heap: *mut Heap) -> *mut Heap {
    if heap.is_null() { ask() } else { heap }
}

#[cold]
#[inline(never)]
fn ask() -> *mut Heap {
    // SAFETY: at any time, in any thread.
    let heap = unsafe { mi_theap_get_default() };
    here::set_heap(heap);
    heap
}
