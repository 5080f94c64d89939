//! Defect: with its own allocator, an interpreter that ends leaves its arenas to nobody, and frees what
//! another interpreter has allocated into the wrong heap. Both happen:
//! - strings that were interned are never freed, so every interpreter keeps all of its arenas for ever:
//!   1.7 MiB for one that did nothing, 6.4 MiB for one that imported asyncio, logging, re;
//! - objects that hang on C statics (the types of `_datetime`, Argument Clinic's keyword tuples, what
//!   single-phase extension modules replace when they are initialized a second time) are freed by another
//!   interpreter than the one that made them: heap corruption ("double free", "munmap_chunk()").
//!
//! Has it: 3.12 and 3.13, each patch release that was tried (3.12.1, 3.13.0, 3.13.18). gh-117398,
//! gh-117953, gh-119213. On 3.14 and later memory is given back; a third-party module that declares its
//! support but keeps objects in C statics does the second there, too. Before 3.12 all interpreters share
//! one allocator.
//!
//! Cure: one allocator for all interpreters, in which a block may be freed by any thread, mimalloc, in
//! the place of both of Python's, from 3.12 on. Memory of a dead interpreter serves the next one, and what
//! is freed by the wrong interpreter is freed all the same. Not possible where the host has started Python.
//!
//! mimalloc is built without its request for huge pages: an interpreter that is created would have to wait
//! for each of them to be cleared, which took as long as all the rest.
//!
//! The raw domain stays malloc(), which is such an allocator already: 3.12 puts it back there, for the
//! whole process and for a moment, each time an interpreter is created (`_PyMem_SetDefaultAllocator`), and
//! what other threads allocate in that moment is freed later.

pub(crate) mod counting;

use std::ffi::c_void;
#[cfg(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG")))]
use std::sync::atomic::{AtomicBool, Ordering};

use libmimalloc_sys as mi;
use pyo3_ffi as ffi;

use crate::local::memory::heap;

#[cfg(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG")))]
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Whether Python's objects are mimalloc's blocks.
#[cfg(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG")))]
pub(crate) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed)
}

/// Has Python allocate from mimalloc; `count`: for the account of each interpreter. To be called before
/// Python is pre-initialized.
pub(crate) fn install(count: bool) {
    let mut allocator = if count {
        counting::functions()
    } else {
        plain()
    };
    // SAFETY: Python is not initialized yet, so nothing has been allocated that would be freed here.
    unsafe {
        use ffi::PyMemAllocatorDomain as Domain;
        ffi::PyMem_SetAllocator(Domain::PYMEM_DOMAIN_MEM, &mut allocator);
        ffi::PyMem_SetAllocator(Domain::PYMEM_DOMAIN_OBJ, &mut allocator);
        if count {
            ffi::PyObject_SetArenaAllocator(&mut counting::arenas());
        }
    }
    #[cfg(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG")))]
    INSTALLED.store(true, Ordering::Relaxed);
}

fn plain() -> ffi::PyMemAllocatorEx {
    ffi::PyMemAllocatorEx {
        ctx: std::ptr::null_mut(),
        malloc: Some(malloc),
        calloc: Some(calloc),
        realloc: Some(realloc),
        free: Some(free),
    }
}

// Python asks for 0 bytes and expects a block of its own: mimalloc gives one.

extern "C" fn malloc(_: *mut c_void, size: usize) -> *mut c_void {
    heap::malloc(size)
}

extern "C" fn calloc(_: *mut c_void, count: usize, size: usize) -> *mut c_void {
    heap::calloc(count, size)
}

extern "C" fn realloc(_: *mut c_void, block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: Python's promise: the block is NULL or one of ours.
    unsafe { mi::mi_realloc(block, size) }
}

extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    // SAFETY: as above.
    unsafe { mi::mi_free(block) }
}
