//! How much memory each interpreter has, and no more than it may.

pub(crate) mod account;
pub(crate) mod heap;
pub(crate) mod reserve;
