//! Rust ends the process when an allocation fails. So this library's own allocations have a reserve, which serves when
//! the system has no more memory: the call that is under way can go on, and give memory back or say that there is none.
//! Python's own allocations don't come here: those that fail raise MemoryError.
//!
//! The reserve is a variable of the library, so it is there before anything can be lacking. It takes no page of memory
//! before it is used. It is divided into units; a block takes as many in a row as it needs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};

const UNIT: usize = 64;
const UNITS: usize = 8192;

/// The system's allocator, and a reserve of 512 KiB.
#[derive(Debug)]
pub struct WithReserve;

#[repr(align(4096))]
struct Reserve(UnsafeCell<[[u8; UNIT]; UNITS]>);
// SAFETY: each block is used by its owner alone; only its address is taken here.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve = Reserve(UnsafeCell::new([[0; UNIT]; UNITS]));
/// Which units are taken. Nobody waits for anything, nor allocates, while this is held.
static TAKEN: Mutex<[bool; UNITS]> = Mutex::new([false; UNITS]);

fn taken() -> MutexGuard<'static, [bool; UNITS]> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many units a block takes.
fn units(layout: Layout) -> usize {
    layout.size().div_ceil(UNIT)
}

/// The number of a block's first unit, if it is one of the reserve's.
#[inline]
fn first_unit(block: *mut u8) -> Option<usize> {
    let offset = (block as usize).wrapping_sub(RESERVE.0.get() as usize);
    (offset < UNIT * UNITS).then_some(offset / UNIT)
}

#[cold]
fn take(layout: Layout) -> *mut u8 {
    let mut taken = taken();
    // The reserve begins at a page: no layout asks for more than that.
    let steps = layout.align().div_ceil(UNIT);
    for first in (0..UNITS).step_by(steps) {
        let Some(block) = taken.get_mut(first..first + units(layout)) else {
            break;
        };
        if !block.contains(&true) {
            block.fill(true);
            return RESERVE.0.get().cast::<u8>().wrapping_add(first * UNIT);
        }
    }
    null_mut()
}

#[cold]
fn give_back(first: usize, layout: Layout) {
    if let Some(block) = taken().get_mut(first..first + units(layout)) {
        block.fill(false);
    }
}

#[cold]
fn take_zeroed(layout: Layout) -> *mut u8 {
    let block = take(layout);
    if !block.is_null() {
        // SAFETY: just taken, so large.
        unsafe { block.write_bytes(0, layout.size()) };
    }
    block
}

/// # Safety
/// As for [`GlobalAlloc::realloc`].
#[cold]
unsafe fn move_block(block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    // SAFETY: the caller's promise; two blocks, each as large as is copied.
    unsafe {
        let new = WithReserve.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
        if !new.is_null() {
            new.copy_from_nonoverlapping(block, layout.size().min(new_size));
            WithReserve.dealloc(block, layout);
        }
        new
    }
}

// SAFETY: a block is the system's or the reserve's, which its address tells, and goes back to where it is from.
unsafe impl GlobalAlloc for WithReserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() { take(layout) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() {
            take_zeroed(layout)
        } else {
            block
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match first_unit(block) {
            // SAFETY: the caller's promise; it is the system's.
            None => unsafe { System.dealloc(block, layout) },
            Some(first) => give_back(first, layout),
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise; what the system could not enlarge is as it was.
        unsafe {
            if first_unit(block).is_none() {
                let new = System.realloc(block, layout, new_size);
                if !new.is_null() {
                    return new;
                }
            }
            move_block(block, layout, new_size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// What tests of this module do at once would take each other's units.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn blocks_are_apart_and_come_back() {
        let _alone = ALONE.lock();
        let sizes = [1, 64, 65, 4096, 100_000];
        for _ in 0..100 {
            let blocks = sizes.map(|size| (take(layout(size, 8)), layout(size, 8)));
            for (n, (block, layout)) in blocks.iter().enumerate() {
                assert!(first_unit(*block).is_some());
                // SAFETY: just taken.
                unsafe { block.write_bytes(n as u8, layout.size()) };
            }
            for (n, (block, layout)) in blocks.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe {
                    assert_eq!(block.read(), n as u8);
                    assert_eq!(block.add(layout.size() - 1).read(), n as u8);
                    WithReserve.dealloc(block, layout);
                }
            }
        }
        assert!(!taken().contains(&true));
    }

    #[test]
    fn it_is_no_larger_than_it_is() {
        let _alone = ALONE.lock();
        assert!(take(layout(UNIT * UNITS + 1, 1)).is_null());
        let all = layout(UNIT * UNITS, 4096);
        let block = take(all);
        assert_eq!(first_unit(block), Some(0));
        assert!(take(layout(1, 1)).is_null());
        // SAFETY: just taken.
        unsafe { WithReserve.dealloc(block, all) };
    }

    #[test]
    fn a_block_that_grows_leaves_it_with_what_it_has() {
        let _alone = ALONE.lock();
        let small = layout(3, 1);
        // SAFETY: just taken, and freed once.
        unsafe {
            let block = take_zeroed(small);
            block.write(7);
            let block = WithReserve.realloc(block, small, 100);
            assert!(first_unit(block).is_none());
            assert_eq!([block.read(), block.add(2).read()], [7, 0]);
            WithReserve.dealloc(block, layout(100, 1));
        }
        assert!(!taken().contains(&true));
    }

    #[test]
    fn alignment_is_kept() {
        let _alone = ALONE.lock();
        let one = layout(1, 1);
        let first = take(one);
        for align in [64, 128, 4096] {
            let block = take(layout(1, align));
            assert_eq!(block as usize % align, 0);
            // SAFETY: just taken.
            unsafe { WithReserve.dealloc(block, layout(1, align)) };
        }
        // SAFETY: just taken.
        unsafe { WithReserve.dealloc(first, one) };
    }
}
