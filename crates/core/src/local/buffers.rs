//! Memory that crosses without a copy: the host's in Python ([`host_memory`]), Python's in the host ([`pin`]). What a
//! host lends is given back exactly once ([`release`], [`lending`]).

pub(crate) mod host_memory;
pub(crate) mod lending;
pub(crate) mod pin;
pub(crate) mod release;
