//! Between values and Python objects.

pub(crate) mod arguments;
pub(crate) mod copy;
pub(crate) mod from_python;
pub(crate) mod handle;
mod library;
pub(crate) mod queue;
pub(crate) mod to_python;
