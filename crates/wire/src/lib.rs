//! How a host and its workers write what they say to each other.
//!
//! A worker runs code of strangers, which may write anything into what both share. So the host copies a message first, to
//! memory of its own, and reads that: each length, kind and depth is checked before it is used, and what is wrong is
//! [`Malformed`]. No message takes more memory than a small multiple of its own size. There is no `unsafe` here.
//!
//! Numbers are in the machine's order of bytes. A *size* is a `u64`. A *text* is a size, so many bytes, and a NUL, so that
//! what C gets can point into the message. A value is a byte that says its [kind](value::kind), and:
//!
//! | kind | |
//! |---|---|
//! | none | |
//! | bool | a byte: 0 or 1 |
//! | int, float | 8 bytes |
//! | complex | 8 bytes for each part |
//! | str, bytes, large int, decimal, str with surrogates | a text |
//! | tuple, list, set, frozenset | a size, and so many values |
//! | dict | a size, and so many times a key and its value |
//! | datetime, date, time | the year in 2 bytes, the month, the day, the hour, the minute, the second, flags (1: the fold, 2: it has an offset); then 8 bytes: the offset from UTC in microseconds, times 2^20, and the microsecond. What it has not is 0 |
//! | timedelta | its days, seconds and microseconds, in 4 bytes each |
//! | uuid | 16 bytes, the highest one first |
//! | queue | its number, a `u64`; how many items it holds at most, an `i64`; a byte that says whether it takes what is no plain data; a byte that says what becomes of items whose interpreter ends |
//! | buffer | the size of an item, a byte that says whether it is writable, a text that is its format, a byte that says how many dimensions there are, a size for each; then its memory: a size, zeros up to a multiple of 16 bytes from the message's start, and so many bytes |
//!
//! A value has no offsets, so it can have no circle, and nothing in it can overlap.
#![forbid(unsafe_code)]

mod buffer;
mod failure;
mod queue;
mod reader;
mod time;
pub mod value;
mod writer;

pub use buffer::{Buffer, is_format_of};
pub use failure::{Exception, Failure, Frame, LINKS, Lost, MOST, Related};
pub use queue::{Queue, QueueRules, read_if_gone};
pub use reader::Reader;
pub use time::{DateTime, Timedelta};
pub use writer::{Sink, Writer};

/// A message that no worker of ours writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// What reading gives.
pub type Result<T> = std::result::Result<T, Malformed>;

/// The memory of a buffer starts at a multiple of this, in bytes.
pub const ALIGNMENT: usize = 16;
