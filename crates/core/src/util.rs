//! Small things that the standard library lacks.

pub(crate) mod barrier;
pub mod growable;
pub(crate) mod signal_safe;
pub(crate) mod thread;
pub(crate) mod thread_local;
pub(crate) mod timer;
pub(crate) mod turns;
