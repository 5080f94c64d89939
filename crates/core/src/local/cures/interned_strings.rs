//! Defect: an interpreter that ends forgets the strings that it has interned, names and constants of the code
//! that it has imported, without freeing them: 170 KiB for one that did nothing, 740 KiB for one that imported
//! asyncio, logging, re.
//!
//! Has it: 3.12 and 3.13, for interpreters with a GIL of their own; later ones free them.
//!
//! Cure: they are listed before the end and freed after it, as 3.14 does, but for those that a variable of
//! the process points to: a module of the standard library may keep a name in a C static, where the next
//! interpreter finds it. Nothing is freed
//! - in an interpreter that has loaded an extension module from outside of the standard library: its types may
//!   outlive the interpreter, and the keys of their dicts are such strings;
//! - in an interpreter with the shared GIL, whose types may be those of another interpreter;
//! - where the variables are too large to be searched each time, while `tracemalloc` traces, in debug builds,
//!   which free them themselves, and where Python has another allocator than ours.

#[cfg(not(all(
    Py_3_12,
    not(Py_3_14),
    not(py_sys_config = "Py_DEBUG"),
    target_os = "linux"
)))]
mod cure {
    use crate::local::attach::Attached;

    /// The strings that an interpreter has interned.
    pub(crate) struct Interned;

    impl Interned {
        /// Nothing to do in this version.
        pub(crate) fn of_attached(_: Attached<'_>) -> Self {
            Self
        }

        /// Nothing to do in this version.
        ///
        /// # Safety
        /// None.
        pub(crate) unsafe fn free(self) {}
    }
}

#[cfg(all(
    Py_3_12,
    not(Py_3_14),
    not(py_sys_config = "Py_DEBUG"),
    target_os = "linux"
))]
mod cure;

pub(crate) use cure::Interned;
