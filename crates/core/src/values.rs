//! Data: what crosses between the host and an interpreter.
//!
//! [`value`] is plain data in C's layout, built by the host; [`tree`] what we hand out, in one allocation;
//! [`convert`] is between those and Python objects. What crosses without a copy: [`host_memory`] (the host's
//! memory in Python), [`pin`] (Python's memory in the host). What a host lends is given back exactly once:
//! [`release`], [`lending`].

pub(crate) mod convert;
pub(crate) mod copy;
pub(crate) mod host_memory;
pub mod kind;
pub(crate) mod lending;
pub(crate) mod local;
pub(crate) mod pin;
pub(crate) mod queue;
pub(crate) mod release;
pub(crate) mod tree;
pub mod value;
