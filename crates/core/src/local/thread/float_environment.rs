//! How the calling thread computes with floating point numbers: its rounding, its traps, what becomes of very small
//! numbers; and the flags that say what has happened. (`enter/guards` saves it and puts it back.) CPython takes for granted what a process starts with. A host
//! may have set something else, for interval arithmetic, for audio, or to find its own mistakes.

pub(crate) use machine::FloatEnvironment;

/// The SSE unit, and the x87 unit, which computes with `long double`. Reading the state of the SSE unit takes as long as
/// twenty additions, so it is read once in a run, and written without a look at what is there.
#[cfg(target_arch = "x86_64")]
mod machine {
    use std::arch::asm;
    use std::mem::MaybeUninit;

    /// A thread's settings, with the flags of the SSE unit: its register, and above that the control word of x87.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(C)]
    pub(crate) struct FloatEnvironment(u64);

    /// The flags.
    const FLAGS: u64 = 0x3f;

    impl FloatEnvironment {
        /// What a process starts with.
        pub(crate) const OF_PYTHON: Self = Self(0x37f << 32 | 0x1f80);

        /// What the calling thread has.
        #[inline]
        pub(crate) fn get() -> Self {
            let mut sse = MaybeUninit::<u32>::uninit();
            // SAFETY: reads a register of the calling thread into the place.
            let sse = unsafe {
                asm!("stmxcsr [{to}]", to = in(reg) sse.as_mut_ptr(), options(nostack, preserves_flags));
                sse.assume_init()
            };
            Self(u64::from(x87()) << 32 | u64::from(sse))
        }

        /// Whether the settings are Python's.
        #[inline]
        pub(crate) fn are_of_python(self) -> bool {
            self.0 & !FLAGS == Self::OF_PYTHON.0
        }

        /// The calling thread has these from now on.
        #[inline]
        pub(crate) fn put(self) {
            // SAFETY: what a thread had. Rust code has no settings but these, and nothing of the compiler's is in the
            // flags.
            unsafe {
                asm!(
                    "ldmxcsr [{sse}]",
                    sse = in(reg) &raw const self.0,
                    options(nostack, readonly, preserves_flags),
                );
            }
            let x87 = (self.0 >> 32) as u32;
            if self::x87() != x87 {
                put_x87(x87);
            }
        }
    }

    #[inline]
    fn x87() -> u32 {
        let mut control = MaybeUninit::<u16>::uninit();
        // SAFETY: reads a register of the calling thread into the place.
        let control = unsafe {
            asm!("fnstcw [{to}]", to = in(reg) control.as_mut_ptr(), options(nostack, preserves_flags));
            control.assume_init()
        };
        control.into()
    }

    #[cold]
    #[inline(never)]
    fn put_x87(control: u32) {
        // SAFETY: as above. A flag that is set already would trap as soon as its trap is on.
        unsafe {
            asm!(
                "fnclex",
                "fldcw [{control}]",
                control = in(reg) &raw const control,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    use std::arch::asm;

    /// A thread's settings, and its flags.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(C)]
    pub(crate) struct FloatEnvironment {
        settings: u64,
        flags: u64,
    }

    impl FloatEnvironment {
        /// What a process starts with.
        pub(crate) const OF_PYTHON: Self = Self {
            settings: 0,
            flags: 0,
        };

        /// What the calling thread has.
        #[inline]
        pub(crate) fn get() -> Self {
            let (settings, flags);
            // SAFETY: reads two registers of the calling thread.
            unsafe {
                asm!(
                    "mrs {settings}, fpcr",
                    "mrs {flags}, fpsr",
                    settings = out(reg) settings,
                    flags = out(reg) flags,
                    options(nostack, preserves_flags),
                );
            }
            Self { settings, flags }
        }

        /// Whether the settings are Python's.
        #[inline]
        pub(crate) fn are_of_python(self) -> bool {
            self.settings == Self::OF_PYTHON.settings
        }

        /// The calling thread has these from now on.
        #[inline]
        pub(crate) fn put(self) {
            if Self::get() != self {
                // SAFETY: what a thread had.
                unsafe {
                    asm!(
                        "msr fpcr, {settings}",
                        "msr fpsr, {flags}",
                        settings = in(reg) self.settings,
                        flags = in(reg) self.flags,
                        options(nostack, preserves_flags),
                    );
                }
            }
        }
    }
}

/// Elsewhere the thread keeps what it has.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod machine {
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[repr(C)]
    pub(crate) struct FloatEnvironment;

    impl FloatEnvironment {
        pub(crate) const OF_PYTHON: Self = Self;

        pub(crate) fn get() -> Self {
            Self
        }

        pub(crate) fn are_of_python(self) -> bool {
            true
        }

        pub(crate) fn put(self) {}
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::FloatEnvironment;

    #[test]
    fn a_thread_starts_with_what_python_takes_for_granted() {
        let start = std::thread::spawn(FloatEnvironment::get).join().unwrap();
        assert!(start.are_of_python());
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn flags_are_put_back() {
        FloatEnvironment::OF_PYTHON.put();
        let before = FloatEnvironment::get();
        assert!(black_box(1.0_f64) / black_box(3.0) > 0.0); // inexact
        let after = FloatEnvironment::get();
        assert!(after != before && after.are_of_python());
        before.put();
        assert_eq!(FloatEnvironment::get(), before);
    }
}
