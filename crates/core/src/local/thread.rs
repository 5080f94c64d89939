//! What a thread has with it: its innermost entry into an interpreter ([`calling_thread`]), and what it has of the system
//! inside of an interpreter and outside.

pub(crate) mod attributes;
pub(crate) mod calling_thread;
pub(crate) mod cancel_state;
pub(crate) mod entry;
pub(crate) mod float_environment;
pub(crate) mod wait_signal;
pub(crate) mod wake;
