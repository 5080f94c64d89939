//! Where the calling thread is: its innermost entry into an interpreter, and the heap that it allocates from there.
//! Asked for at each allocation, and at each free where memory is counted.

use std::ptr::null_mut;

use crate::Id;
use crate::memory::account::Account;
use crate::memory::heap::Heap;
use crate::python::entry::Entry;

/// The locale of the process, as C's headers define it.
pub(crate) const LC_GLOBAL_LOCALE: libc::locale_t = std::ptr::without_provenance_mut(usize::MAX);

/// The id of a thread that is in no interpreter.
pub(crate) const NOWHERE: Id = -1;

/// What there is one of in a thread.
#[repr(C)]
struct Thread {
    entry: *const Entry,
    heap: *mut Heap,
    switches: u64,
    number: u64,
}

/// The calling thread's innermost entry, also while it calls the host. NULL: it has none. One that is not NULL lives
/// until it is left.
#[inline(always)]
pub(crate) fn entry() -> *const Entry {
    // SAFETY: the place is the calling thread's, and nobody keeps a reference to it; so for those below.
    place::with(|thread| unsafe { (*thread).entry })
}

#[inline(always)]
pub(super) fn set_entry(entry: *const Entry) {
    // SAFETY: see above.
    place::with(|thread| unsafe {
        (*thread).entry = entry;
        (*thread).heap = null_mut();
    });
}

/// The interpreter that the calling thread is in, as far as subpy has led it there; else [`NOWHERE`].
pub(crate) fn id() -> Id {
    // SAFETY: it lives.
    unsafe { entry().as_ref() }.map_or(NOWHERE, |entry| entry.id)
}

/// Where the calling thread's memory is counted.
#[inline(always)]
pub(crate) fn account() -> Option<&'static Account> {
    // SAFETY: it lives.
    unsafe { entry().as_ref() }.and_then(|entry| entry.account)
}

/// The heap that the calling thread allocates from until it enters or leaves an interpreter. NULL: it was not set.
#[inline(always)]
pub(crate) fn heap() -> *mut Heap {
    // SAFETY: see above.
    place::with(|thread| unsafe { (*thread).heap })
}

/// Has a thread that is in an interpreter find its heap there. Others end at any time, and their heaps with them.
pub(crate) fn set_heap(heap: *mut Heap) {
    // SAFETY: see above.
    place::with(|thread| unsafe {
        if !(*thread).entry.is_null() {
            (*thread).heap = heap;
        }
    });
}

/// [`account`] and [`heap`], looked up at once.
#[inline(always)]
pub(crate) fn account_and_heap() -> (Option<&'static Account>, *mut Heap) {
    // SAFETY: see above; the entry lives.
    place::with(|thread| unsafe {
        let entry = (*thread).entry.as_ref();
        (entry.and_then(|entry| entry.account), (*thread).heap)
    })
}

/// The calling thread's number, which, unlike its pthread_t, is never given out again. 0: it has none yet.
#[cfg(Py_3_12)]
#[inline(always)]
pub(crate) fn number() -> u64 {
    // SAFETY: see above.
    place::with(|thread| unsafe { (*thread).number })
}

/// Gives the calling thread a number.
#[cfg(Py_3_12)]
pub(crate) fn set_number(number: u64) {
    // SAFETY: see above.
    place::with(|thread| unsafe { (*thread).number = number });
}

/// How often a call of the host's has returned, in the calling thread, when the thread was elsewhere meanwhile: it runs
/// several stacks (fibers), and comes back to them in any order.
#[inline(always)]
pub(super) fn switches() -> u64 {
    // SAFETY: see above.
    place::with(|thread| unsafe { (*thread).switches })
}

/// That has happened once more.
pub(super) fn has_switched() {
    // SAFETY: see above.
    place::with(|thread| unsafe { (*thread).switches += 1 });
}

/// Found by three instructions, where the `thread_local!` of a shared library is found by a call of the loader. With
/// such calls a script that allocates takes a tenth longer.
///
/// The loader gives each thread's variables one place in relation to the thread where it has room for them: that of
/// a program, that of the libraries that are loaded with it, and a little for those that come later. The library
/// does not insist on such a place (the flag `STATIC_TLS`): it could not be loaded when there is no room. So the
/// first call asks the loader, and the others do if that place is in no relation to the thread.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod place {
    use std::arch::{asm, global_asm};
    use std::sync::atomic::{AtomicIsize, Ordering};

    use super::Thread;

    /// How far the variable is from the thread's own address in all threads. 0: nobody has asked, or it is not the
    /// same in all.
    static OFFSET: AtomicIsize = AtomicIsize::new(0);

    // It starts as zeros. Named so that the static library does not show it.
    global_asm!(
        ".pushsection .tbss.here_in_subpy, \"awT\", @nobits",
        ".globl here_in_subpy",
        ".hidden here_in_subpy",
        ".type here_in_subpy, @tls_object",
        ".size here_in_subpy, 32",
        ".p2align 3",
        "here_in_subpy:",
        ".zero 32",
        ".popsection",
    );
    const _: () = assert!(size_of::<Thread>() == 32);

    #[inline(always)]
    pub(super) fn with<T>(use_it: impl FnOnce(*mut Thread) -> T) -> T {
        let known = OFFSET.load(Ordering::Relaxed);
        let offset = if known == 0 { ask() } else { known };
        let thread: isize;
        // SAFETY: reads the thread's own address, which is always there.
        unsafe {
            asm!("mov {}, qword ptr fs:[0]", out(reg) thread, options(pure, nomem, nostack, preserves_flags));
        }
        use_it(std::ptr::with_exposed_provenance_mut(
            (thread + offset) as usize,
        ))
    }

    /// How far the variable is from the thread's own address in this thread.
    ///
    /// What is asked is a descriptor: a function and its argument. The loader's function for a place that is the same
    /// in all threads returns its argument, and that for others never does: their argument is an address.
    /// A linker that knows the place puts it where the descriptor's address would be, and takes the call out.
    #[cold]
    #[inline(never)]
    fn ask() -> isize {
        let (descriptor, offset): (isize, isize);
        // SAFETY: the function is called as the ABI says; it changes nothing but RAX, or, before glibc 2.40, what any
        // function may change of the vector registers.
        unsafe {
            asm!(
                "lea rax, [rip + here_in_subpy@TLSDESC]",
                "mov rcx, rax",
                "call qword ptr [rax + here_in_subpy@TLSCALL]",
                out("rax") offset,
                out("rcx") descriptor,
                clobber_abi("C"),
            );
        }
        let is_place = descriptor == offset;
        // SAFETY: else it is a descriptor's address.
        if is_place || unsafe { *(descriptor as *const [isize; 2]) }[1] == offset {
            OFFSET.store(offset, Ordering::Relaxed);
        }
        offset
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod place {
    use std::cell::UnsafeCell;

    use super::Thread;

    thread_local! {
        static HERE: UnsafeCell<Thread> = const {
            UnsafeCell::new(Thread {
                entry: std::ptr::null(),
                heap: std::ptr::null_mut(),
                switches: 0,
                number: 0,
            })
        };
    }

    #[inline(always)]
    pub(super) fn with<T>(use_it: impl FnOnce(*mut Thread) -> T) -> T {
        HERE.with(|here| use_it(here.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, NOWHERE, entry, id, set_entry};

    #[test]
    fn each_thread_starts_nowhere_and_has_its_own_place() {
        let in_thread = |number| {
            std::thread::spawn(move || {
                assert!(entry().is_null() && id() == NOWHERE);
                let own = Entry::new(number, None, std::ptr::null_mut());
                set_entry(&own);
                std::thread::yield_now();
                assert_eq!(id(), number);
                set_entry(std::ptr::null());
            })
        };
        let threads: Vec<_> = (1..9).map(in_thread).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(id(), NOWHERE);
    }
}
