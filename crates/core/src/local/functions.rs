//! Functions: the host's in Python, and what a host calls things in Python by.

pub(crate) mod host_call;
pub(crate) mod host_function;
pub(crate) mod names;
