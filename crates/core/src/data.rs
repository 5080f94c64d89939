//! Plain data, which knows neither Python nor processes: what crosses, what a host asks for, and how it went.

pub(crate) mod config;
pub(crate) mod conversion;
pub(crate) mod error;
pub(crate) mod id;
pub mod kind;
pub(crate) mod object_handle;
pub(crate) mod operation;
pub(crate) mod pins;
pub(crate) mod queue;
pub(crate) mod source;
pub(crate) mod tree;
pub mod value;
