//! The kinds of a [`RawValue`](crate::data::value::RawValue). C sees them as `SUBPY_NONE` and so on.
#![allow(missing_docs)]

pub const NONE: u32 = 0;
pub const BOOL: u32 = 1;
pub const INT: u32 = 2;
pub const FLOAT: u32 = 3;
pub const STR: u32 = 4;
pub const BYTES: u32 = 5;
pub const TUPLE: u32 = 6;
pub const LIST: u32 = 7;
pub const DICT: u32 = 8;
pub const BUFFER: u32 = 9;
pub const BIG_INT: u32 = 10;
pub const WTF8: u32 = 11;
pub const QUEUE: u32 = 12;
pub const COMPLEX: u32 = 13;
pub const SET: u32 = 14;
pub const FROZENSET: u32 = 15;
pub const DATETIME: u32 = 16;
pub const DATE: u32 = 17;
pub const TIME: u32 = 18;
pub const TIMEDELTA: u32 = 19;
pub const DECIMAL: u32 = 20;
pub const UUID: u32 = 21;
pub const OBJECT: u32 = 22;

/// Of no value at all: an iterator has no more items. Nobody outside of the crate sees it.
pub(crate) const END: u32 = u32::MAX;

/// How deep values may be nested: a list in a list is nested two deep.
pub const MAX_DEPTH: usize = 256;
