//! Thread-local variables that start as zeros, found by a few instructions, where the `thread_local!` of a shared library
//! is found by a call of the loader. With such calls a script that allocates takes a tenth longer.
//!
//! Nothing is dropped at the end of a thread.

pub(crate) use place::zeroed_thread_local;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
pub(crate) use place::{Answer, Variable, ask, thread_pointer};

/// The loader gives each thread's variables one place in relation to the thread where it has room for them: that of
/// a program, that of the libraries that are loaded with it, and a little for those that come later. The library
/// does not insist on such a place (the flag `STATIC_TLS`): it could not be loaded when there is no room. So the
/// first call asks the loader, and the others do if that place is in no relation to the thread.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod place {
    use std::arch::asm;
    use std::sync::atomic::{AtomicIsize, Ordering};

    /// Defines a function that says where the calling thread's variable is. Its symbol is named so that the static
    /// library does not show it.
    macro_rules! zeroed_thread_local {
        ($visibility:vis fn $name:ident() -> *mut $type:ty, $symbol:literal) => {
            std::arch::global_asm!(
                concat!(".pushsection .tbss.", $symbol, ", \"awT\", @nobits"),
                concat!(".globl ", $symbol),
                concat!(".hidden ", $symbol),
                concat!(".type ", $symbol, ", @tls_object"),
                concat!(".size ", $symbol, ", {size}"),
                ".p2align 3",
                concat!($symbol, ":"),
                ".zero {size}",
                ".popsection",
                size = const size_of::<$type>(),
            );
            const _: () = assert!(align_of::<$type>() == 8);

            #[inline]
            $visibility fn $name() -> *mut $type {
                use $crate::util::thread_local::{Variable, ask};
                static PLACE: Variable = Variable::new();
                PLACE.here(ask!($symbol))
            }
        };
    }

    /// Asks the loader for the variable of a symbol.
    macro_rules! ask {
        ($symbol:literal) => {
            || {
                let (descriptor, offset): (isize, isize);
                // SAFETY: the function is called as the ABI says; it changes nothing but RAX, or, before glibc 2.40,
                // what any function may change of the vector registers.
                unsafe {
                    std::arch::asm!(
                        concat!("lea rax, [rip + ", $symbol, "@TLSDESC]"),
                        "mov rcx, rax",
                        concat!("call qword ptr [rax + ", $symbol, "@TLSCALL]"),
                        out("rax") offset,
                        out("rcx") descriptor,
                        clobber_abi("C"),
                    );
                }
                $crate::util::thread_local::Answer { descriptor, offset }
            }
        };
    }

    pub(crate) use {ask, zeroed_thread_local};

    /// How far a variable is from the thread's own address in all threads. 0: nobody has asked, or it is not the same
    /// in all.
    pub(crate) struct Variable(AtomicIsize);

    /// What the loader says of a variable, for the calling thread.
    ///
    /// What is asked is a descriptor: a function and its argument. The loader's function for a place that is the same
    /// in all threads returns its argument, and that for others never does: their argument is an address.
    /// A linker that knows the place puts it where the descriptor's address would be, and takes the call out.
    pub(crate) struct Answer {
        pub(crate) descriptor: isize,
        pub(crate) offset: isize,
    }

    /// The calling thread's own address.
    #[inline]
    pub(crate) fn thread_pointer() -> *mut u8 {
        let thread: usize;
        // SAFETY: reads the thread's own address, which is always there.
        unsafe {
            asm!("mov {}, qword ptr fs:[0]", out(reg) thread, options(pure, nomem, nostack, preserves_flags));
        }
        std::ptr::with_exposed_provenance_mut(thread)
    }

    impl Variable {
        pub(crate) const fn new() -> Self {
            Self(AtomicIsize::new(0))
        }

        /// Where it is for the calling thread; `ask` is of its symbol.
        #[inline]
        pub(crate) fn here<T>(&self, ask: impl FnOnce() -> Answer) -> *mut T {
            let known = self.0.load(Ordering::Relaxed);
            let offset = if known == 0 { self.find(ask) } else { known };
            thread_pointer().wrapping_offset(offset).cast()
        }

        /// How far it is from the thread's own address in this thread.
        #[cold]
        #[inline(never)]
        fn find(&self, ask: impl FnOnce() -> Answer) -> isize {
            let Answer { descriptor, offset } = ask();
            let is_place = descriptor == offset;
            // SAFETY: else it is a descriptor's address.
            if is_place || unsafe { *(descriptor as *const [isize; 2]) }[1] == offset {
                self.0.store(offset, Ordering::Relaxed);
            }
            offset
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod place {
    macro_rules! zeroed_thread_local {
        ($visibility:vis fn $name:ident() -> *mut $type:ty, $symbol:literal) => {
            $visibility fn $name() -> *mut $type {
                use std::cell::UnsafeCell;
                use std::mem::MaybeUninit;
                thread_local! {
                    static PLACE: UnsafeCell<MaybeUninit<$type>> =
                        const { UnsafeCell::new(MaybeUninit::zeroed()) };
                }
                PLACE.with(|place| place.get().cast())
            }
        };
    }

    pub(crate) use zeroed_thread_local;
}
