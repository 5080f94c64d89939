//! What a call returns.

use std::ffi::{CStr, c_char};

use subpy_core::Status;

/// What a call returns: #SUBPY_OK, or why nothing was done.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum subpy_status {
    /// Done.
    SUBPY_OK = 0,
    /// An argument is wrong: NULL, not UTF-8, out of range. The message names it.
    SUBPY_ERR_INVALID_ARGUMENT = 1,
    /// Before subpy_initialize() or after the last subpy_finalize().
    SUBPY_ERR_NOT_INITIALIZED = 2,
    /// No such interpreter: the id was never given out, or was destroyed. No such name.
    SUBPY_ERR_NOT_FOUND = 3,
    /// The interpreter runs right now, or Python threads of its scripts still do.
    SUBPY_ERR_BUSY = 4,
    /// The call is not for this interpreter, or contradicts what was set before.
    SUBPY_ERR_NOT_PERMITTED = 5,
    /// This Python can't do it.
    SUBPY_ERR_UNSUPPORTED = 6,
    /// The script raised an exception: see subpy_error_type() and subpy_error_traceback().
    SUBPY_ERR_EXCEPTION = 7,
    /// The script raised SystemExit: see subpy_error_exit_code().
    SUBPY_ERR_EXIT = 8,
    /// The run was interrupted.
    SUBPY_ERR_INTERRUPTED = 9,
    /// The run took longer than it was given.
    SUBPY_ERR_TIMEOUT = 10,
    /// A value has no form outside of its interpreter.
    SUBPY_ERR_NOT_SHAREABLE = 11,
    /// No memory left.
    SUBPY_ERR_NO_MEMORY = 12,
    /// A defect of subpy itself: please report it with the message.
    SUBPY_ERR_INTERNAL = 13,
}

/// A status as C passes it: any integer. The header calls it `subpy_status`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct StatusArgument(u32);

impl From<Status> for subpy_status {
    fn from(status: Status) -> Self {
        match status {
            Status::InvalidArgument => Self::SUBPY_ERR_INVALID_ARGUMENT,
            Status::NotInitialized => Self::SUBPY_ERR_NOT_INITIALIZED,
            Status::NotFound => Self::SUBPY_ERR_NOT_FOUND,
            Status::Busy => Self::SUBPY_ERR_BUSY,
            Status::NotPermitted => Self::SUBPY_ERR_NOT_PERMITTED,
            Status::Unsupported => Self::SUBPY_ERR_UNSUPPORTED,
            Status::Exception => Self::SUBPY_ERR_EXCEPTION,
            Status::Exit => Self::SUBPY_ERR_EXIT,
            Status::Interrupted => Self::SUBPY_ERR_INTERRUPTED,
            Status::Timeout => Self::SUBPY_ERR_TIMEOUT,
            Status::NotShareable => Self::SUBPY_ERR_NOT_SHAREABLE,
            Status::NoMemory => Self::SUBPY_ERR_NO_MEMORY,
            Status::Internal => Self::SUBPY_ERR_INTERNAL,
        }
    }
}

/// The name of a status, as the header spells it.
///
/// @param status Any value.
/// @return A static string such as "SUBPY_ERR_BUSY"; "unknown subpy_status" for a value that this
///         library doesn't know. Never NULL.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_status_name(status: StatusArgument) -> *const c_char {
    let name: &'static CStr = match status.0 {
        0 => c"SUBPY_OK",
        1 => c"SUBPY_ERR_INVALID_ARGUMENT",
        2 => c"SUBPY_ERR_NOT_INITIALIZED",
        3 => c"SUBPY_ERR_NOT_FOUND",
        4 => c"SUBPY_ERR_BUSY",
        5 => c"SUBPY_ERR_NOT_PERMITTED",
        6 => c"SUBPY_ERR_UNSUPPORTED",
        7 => c"SUBPY_ERR_EXCEPTION",
        8 => c"SUBPY_ERR_EXIT",
        9 => c"SUBPY_ERR_INTERRUPTED",
        10 => c"SUBPY_ERR_TIMEOUT",
        11 => c"SUBPY_ERR_NOT_SHAREABLE",
        12 => c"SUBPY_ERR_NO_MEMORY",
        13 => c"SUBPY_ERR_INTERNAL",
        _ => c"unknown subpy_status",
    };
    name.as_ptr()
}
