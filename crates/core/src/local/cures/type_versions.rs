//! Defect: caches of methods and attributes know a type by its version, a number. Those of immutable types, in
//! whatever interpreter, come from one counter of the process:
//! - interpreters with a GIL of their own count up at once. A number that is given out twice makes one type
//!   of an interpreter answer with the methods of another: about one interpreter of five thousand, made in
//!   eight threads, fails to import `encodings` for that;
//! - the counter ends, at 131,072, after about 2,000 interpreters. From there on types have no version, and
//!   3.12.1 takes all that have none for one type.
//!
//! Has it: 3.12 and 3.13; later ones count atomically. (gh-116909)
//!
//! Cure: the counter is set to its end at start, so that nobody counts, and types get their versions from us:
//! when an interpreter is made, and when it has imported a module that may have made some. Within an
//! interpreter versions have to differ, so each has the same ones to give, once, and the main interpreter,
//! whose types others may see, has its own. So has an interpreter with the shared GIL, see `type_versions_apart`.
//! Not in debug builds, which assert that the counter never ends.

#[cfg(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG")))]
mod cure;

#[cfg(not(all(Py_3_12, not(Py_3_14), not(py_sys_config = "Py_DEBUG"))))]
mod cure {
    use crate::local::attach::Attached;
    use crate::local::cures::type_versions_apart::Range;

    /// Nothing to do in this version.
    pub(crate) fn take_over(_: Attached<'_>) -> Option<()> {
        Some(())
    }

    /// Nothing to do in this version.
    pub(crate) fn install(_: Attached<'_>, _apart: Option<&Range>) -> Option<()> {
        Some(())
    }

    /// Nothing to do in this version.
    pub(crate) fn hand_back(_: Attached<'_>) {}
}

pub(crate) use cure::{hand_back, install, take_over};
