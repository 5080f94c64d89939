//! Where the calling thread is: the interpreter that it carries a thread state for. Asked for at each
//! allocation and each free, where memory is counted.

use crate::Id;
use crate::memory::account::Account;

/// The interpreter that a thread is in, where its memory is counted, and the C library's locale that the thread has
/// outside.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Here {
    pub(crate) id: Id,
    pub(crate) account: Option<&'static Account>,
    pub(crate) outer_locale: libc::locale_t,
}

impl Here {
    pub(crate) fn inside(id: Id, account: Option<&'static Account>) -> Self {
        Self {
            id,
            account,
            ..NOWHERE
        }
    }
}

/// The locale of the process, as C's headers define it.
pub(crate) const LC_GLOBAL_LOCALE: libc::locale_t = std::ptr::without_provenance_mut(usize::MAX);

/// Outside of every interpreter.
pub(crate) const NOWHERE: Here = Here {
    id: -1,
    account: None,
    outer_locale: LC_GLOBAL_LOCALE,
};

/// The interpreter that the calling thread is in, also while a callback of the host runs without its
/// GIL.
#[inline(always)]
pub(crate) fn get() -> Here {
    // SAFETY: the place is the calling thread's, and nobody keeps a reference to it.
    place::with(|here| unsafe { here.read() })
}

#[inline(always)]
pub(crate) fn set(here: Here) {
    // SAFETY: as above.
    place::with(|place| unsafe { place.write(here) });
}

#[inline(always)]
pub(crate) fn replace(here: Here) -> Here {
    // SAFETY: as above.
    place::with(|place| unsafe { place.replace(here) })
}

/// Found by two instructions. The `thread_local!` of a shared library is found by a call of the loader, with
/// which a script that allocates takes a tenth longer where memory is counted. (Such a variable has its place
/// in the static block of each thread, of which a library that is loaded late gets some too.)
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod place {
    use std::arch::{asm, global_asm};

    use super::Here;

    // It starts as `NOWHERE`. Named so that the static library does not show it.
    global_asm!(
        ".pushsection .tdata.here_in_subpy, \"awT\", @progbits",
        ".globl here_in_subpy",
        ".hidden here_in_subpy",
        ".type here_in_subpy, @tls_object",
        ".size here_in_subpy, 24",
        ".p2align 3",
        "here_in_subpy:",
        ".quad -1",
        ".quad 0",
        ".quad -1",
        ".popsection",
    );
    const _: () = assert!(size_of::<Here>() == 24);

    #[inline(always)]
    pub(super) fn with<T>(use_it: impl FnOnce(*mut Here) -> T) -> T {
        let place: *mut Here;
        // SAFETY: adds the thread's own address to where the variable is from there.
        unsafe {
            asm!(
                "mov {place}, qword ptr [rip + here_in_subpy@GOTTPOFF]",
                "add {place}, qword ptr fs:[0]",
                place = out(reg) place,
                options(pure, nomem, nostack),
            );
        }
        use_it(place)
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod place {
    use std::cell::UnsafeCell;

    use super::{Here, NOWHERE};

    thread_local! {
        static HERE: UnsafeCell<Here> = const { UnsafeCell::new(NOWHERE) };
    }

    #[inline(always)]
    pub(super) fn with<T>(use_it: impl FnOnce(*mut Here) -> T) -> T {
        HERE.with(|here| use_it(here.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Here, NOWHERE, get, replace, set};

    #[test]
    fn each_thread_starts_nowhere_and_has_its_own_place() {
        let in_thread = |id| {
            std::thread::spawn(move || {
                assert_eq!(get().id, NOWHERE.id);
                assert!(get().account.is_none());
                set(Here { id, ..NOWHERE });
                std::thread::yield_now();
                assert_eq!(replace(NOWHERE).id, id);
                assert_eq!(get().id, NOWHERE.id);
            })
        };
        let threads: Vec<_> = (1..9).map(in_thread).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(get().id, NOWHERE.id);
    }
}
