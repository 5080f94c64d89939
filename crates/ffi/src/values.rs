//! Values as C has them.

use std::ffi::{CStr, c_char};
use std::ptr::{from_ref, null};

use subpy_core::OwnedValue;
use subpy_core::value::{RawValue, kind};

use crate::boundary::or_else;
use crate::errors::subpy_error;

/// The kinds of a ::subpy_value.
#[repr(C)]
pub enum subpy_kind {
    /// None.
    SUBPY_NONE = 0,
    /// A bool: `as.boolean`.
    SUBPY_BOOL = 1,
    /// An int of 64 bits: `as.integer`.
    SUBPY_INT = 2,
    /// A float: `as.real`.
    SUBPY_FLOAT = 3,
    /// A str: `as.text`, in UTF-8.
    SUBPY_STR = 4,
    /// Bytes: `as.text`.
    SUBPY_BYTES = 5,
    /// A tuple: `as.items`.
    SUBPY_TUPLE = 6,
    /// A list: `as.items`.
    SUBPY_LIST = 7,
    /// A dict: `as.items`, keys and values in turn, in the order of the dict.
    SUBPY_DICT = 8,
    /// Memory that is shared: `as.buffer`.
    SUBPY_BUFFER = 9,
    /// An int of any size: `as.text`, as Python's `int(text, 0)` reads it. From Python it is an int past 64
    /// bits, in hexadecimal ("-0x1f"), and only where #SUBPY_LOSSLESS_TEXT was asked for.
    SUBPY_BIG_INT = 10,
    /// A str with lone surrogates: `as.text`, in UTF-8, save that each lone surrogate takes three bytes
    /// ("WTF-8"). From Python it comes only where #SUBPY_LOSSLESS_TEXT was asked for.
    SUBPY_WTF8 = 11,
    /// A queue: `as.queue`, which subpy_value_queue() hands out.
    SUBPY_QUEUE = 12,
    /// A complex number: `as.complex`.
    SUBPY_COMPLEX = 13,
    /// A set: `as.items`, in any order. Its items have to be hashable.
    SUBPY_SET = 14,
    /// A frozenset: as a set.
    SUBPY_FROZENSET = 15,
    /// A `datetime.datetime`: `as.datetime`. It is aware if it has an offset from UTC, and naive without. Of a time
    /// zone only the offset crosses that it has at that time, not its name and rules. A fixed offset is all that it
    /// becomes in Python, a `datetime.timezone`.
    SUBPY_DATETIME = 16,
    /// A `datetime.date`: `as.datetime`.
    SUBPY_DATE = 17,
    /// A `datetime.time`: `as.datetime`. It is naive if its time zone has no offset without a date.
    SUBPY_TIME = 18,
    /// A `datetime.timedelta`: `as.timedelta`.
    SUBPY_TIMEDELTA = 19,
    /// A `decimal.Decimal`: `as.text`, as Python's `str()` writes it: "-1.50", "1E+3", "Infinity", "sNaN". It has all
    /// of its digits, whatever the context of a script says.
    SUBPY_DECIMAL = 20,
    /// A `uuid.UUID`: `as.uuid`.
    SUBPY_UUID = 21,
    /// An object that stays in Python: `as.object`, which subpy_value_object() hands out. From Python it comes only where
    /// #SUBPY_KEEP_OBJECTS was asked for.
    SUBPY_OBJECT = 22,
}

const _: () = assert!(
    subpy_kind::SUBPY_NONE as u32 == kind::NONE
        && subpy_kind::SUBPY_BOOL as u32 == kind::BOOL
        && subpy_kind::SUBPY_INT as u32 == kind::INT
        && subpy_kind::SUBPY_FLOAT as u32 == kind::FLOAT
        && subpy_kind::SUBPY_STR as u32 == kind::STR
        && subpy_kind::SUBPY_BYTES as u32 == kind::BYTES
        && subpy_kind::SUBPY_TUPLE as u32 == kind::TUPLE
        && subpy_kind::SUBPY_LIST as u32 == kind::LIST
        && subpy_kind::SUBPY_DICT as u32 == kind::DICT
        && subpy_kind::SUBPY_BUFFER as u32 == kind::BUFFER
        && subpy_kind::SUBPY_BIG_INT as u32 == kind::BIG_INT
        && subpy_kind::SUBPY_WTF8 as u32 == kind::WTF8
        && subpy_kind::SUBPY_QUEUE as u32 == kind::QUEUE
        && subpy_kind::SUBPY_COMPLEX as u32 == kind::COMPLEX
        && subpy_kind::SUBPY_SET as u32 == kind::SET
        && subpy_kind::SUBPY_FROZENSET as u32 == kind::FROZENSET
        && subpy_kind::SUBPY_DATETIME as u32 == kind::DATETIME
        && subpy_kind::SUBPY_DATE as u32 == kind::DATE
        && subpy_kind::SUBPY_TIME as u32 == kind::TIME
        && subpy_kind::SUBPY_TIMEDELTA as u32 == kind::TIMEDELTA
        && subpy_kind::SUBPY_DECIMAL as u32 == kind::DECIMAL
        && subpy_kind::SUBPY_UUID as u32 == kind::UUID
        && subpy_kind::SUBPY_OBJECT as u32 == kind::OBJECT
);

/// How deep values may be nested. A list in a list is nested two deep.
pub const SUBPY_MAX_DEPTH: usize = 256;
const _: () = assert!(SUBPY_MAX_DEPTH == subpy_core::value::MAX_DEPTH);

/// Frees what the library has handed out with a value, and makes the value None. A value of the host's own, or one
/// that is cleared already, only becomes None.
///
/// Clear the value that a call wrote, once. Its items must not be cleared. Of a value and a copy of the struct, only
/// one may be cleared, and the other must not be used afterwards.
///
/// A value may have buffers of an interpreter. They are given back to it. That waits for the interpreter's GIL,
/// also while another thread runs in it. The interpreter lives as long as the host has a buffer of it.
///
/// @param value A value, or NULL.
///
/// Threads: any, at any time; also after the interpreter is destroyed and after subpy_finalize().
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_value_clear(value: *mut RawValue) {
    // SAFETY: the caller hands over NULL or a value, which owns what it says.
    unsafe {
        if let Some(value) = value.as_mut() {
            let cleared = OwnedValue::from_raw(std::mem::replace(value, RawValue::NONE));
            if cleared.owns_memory() {
                or_else((), || drop(cleared));
            }
        }
    }
}

/// The name of a kind, as Python calls it.
///
/// @param kind Any number.
/// @return A static string such as "list"; "unknown" for a kind that this library does not know. Never NULL.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_kind_name(kind: u32) -> *const c_char {
    let name: &'static CStr = match kind {
        kind::NONE => c"None",
        kind::BOOL => c"bool",
        kind::INT | kind::BIG_INT => c"int",
        kind::FLOAT => c"float",
        kind::STR | kind::WTF8 => c"str",
        kind::BYTES => c"bytes",
        kind::TUPLE => c"tuple",
        kind::LIST => c"list",
        kind::DICT => c"dict",
        kind::BUFFER => c"memoryview",
        kind::QUEUE => c"Queue",
        kind::COMPLEX => c"complex",
        kind::SET => c"set",
        kind::FROZENSET => c"frozenset",
        kind::DATETIME => c"datetime",
        kind::DATE => c"date",
        kind::TIME => c"time",
        kind::TIMEDELTA => c"timedelta",
        kind::DECIMAL => c"Decimal",
        kind::UUID => c"UUID",
        kind::OBJECT => c"object",
        _ => c"unknown",
    };
    name.as_ptr()
}

/// What the exception was made with: its `args`, a tuple. What is no plain data in it, and a queue, is its `repr()`. Of an
/// OSError the file names are there, too, as `OSError()` takes them. It may be without items where the
/// interpreter's process can't send it (1 GiB).
///
/// @param error An error, or NULL.
/// @return A tuple; NULL if the error is no exception. The error owns it and all that is in it, and it is valid until the error
///         is freed. It must not be cleared.
///
/// Source: `args` of the exception.
///
/// Threads: any, at any time; also after the interpreter is destroyed and after subpy_finalize().
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_args(error: *const subpy_error) -> *const RawValue {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }
        .and_then(subpy_error::args)
        .map_or(null(), from_ref)
}
