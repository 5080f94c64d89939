//! The interpreters of this process: all that knows CPython.

pub(crate) mod attach;
pub(crate) mod buffers;
pub(crate) mod convert;
pub(crate) mod cures;
pub(crate) mod enter;
pub(crate) mod functions;
pub(crate) mod interpreter;
pub(crate) mod memory;
pub(crate) mod objects;
pub(crate) mod pickling;
pub(crate) mod python;
pub(crate) mod runtime;
pub(crate) mod runtime_phase;
pub(crate) mod stack;
pub(crate) mod thread;
