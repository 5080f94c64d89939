//! What a thread has with it: its innermost entry into an interpreter ([`here`]), and what it has of the system on each
//! side of the border.

pub(crate) mod entry;
pub(crate) mod floats;
pub(crate) mod here;
pub(crate) mod marks;
pub(crate) mod stack;
pub(crate) mod uncancelled;
