//! Interpreters in processes of their own. In the making, and only with the feature `process`.
//!
//! A host and its worker share memory: see [`channel`]. What they say is written as `subpy_wire` has it, and the host
//! believes nothing of it.

mod channel;
mod message;
mod values;
