//! Objects of ours in an interpreter: their types, what they hold and share, its namespaces, what the host has lent them,
//! and what goes wrong where they are made.

pub(crate) mod conversion_error;
pub(crate) mod instance;
pub(crate) mod library;
pub(crate) mod namespaces;
pub(crate) mod owner;
pub(crate) mod release;
