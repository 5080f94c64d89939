//! Objects of ours in an interpreter: their types, what they hold and share, what the host has lent them, and what goes
//! wrong where they are made.

pub(crate) mod holder;
pub(crate) mod local;
pub(crate) mod release;
pub(crate) mod trouble;
