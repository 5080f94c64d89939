//! Memory that crosses without a copy: the host's in Python ([`host_memory`]), Python's in the host ([`pin`]).

pub(crate) mod host_memory;
pub(crate) mod pin;
pub(crate) mod shared;
