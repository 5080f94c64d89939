//! What an interpreter is called by.

/// An interpreter's id: 0 is the main one; none is given out twice in a process.
pub type Id = i64;
