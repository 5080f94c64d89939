//! Which interpreter.

/// An interpreter. 0 is the main one; an id is never given out twice in a process.
pub type subpy_id = i64;
