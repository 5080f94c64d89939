//! What a call returns, and why it failed: plain data, owned by the caller.

use std::ffi::{CStr, CString, c_char, c_int};

use subpy_core::{Error, Status};

/// What a call returns: #SUBPY_OK, or why it failed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum subpy_status {
    /// The call has done its work.
    SUBPY_OK = 0,
    /// An argument is wrong: it is NULL, not UTF-8, or out of range. The message names it.
    SUBPY_ERR_INVALID_ARGUMENT = 1,
    /// The call came before subpy_initialize(), or after the last subpy_finalize().
    SUBPY_ERR_NOT_INITIALIZED = 2,
    /// The interpreter does not exist: its id was never given out, or it was destroyed. Or there is no such name.
    SUBPY_ERR_NOT_FOUND = 3,
    /// The interpreter runs now, or Python threads that its scripts started still do.
    SUBPY_ERR_BUSY = 4,
    /// The call is not allowed for this interpreter, or contradicts what was set before.
    SUBPY_ERR_NOT_PERMITTED = 5,
    /// This Python, this version of subpy, or a forked process can't do it. The message says why.
    SUBPY_ERR_UNSUPPORTED = 6,
    /// The script raised an exception: see subpy_error_type() and subpy_error_traceback().
    SUBPY_ERR_EXCEPTION = 7,
    /// The script raised SystemExit: see subpy_error_exit_code(). The process goes on.
    SUBPY_ERR_EXIT = 8,
    /// subpy_interrupt() ended the run.
    SUBPY_ERR_INTERRUPTED = 9,
    /// The run took longer than its time limit.
    SUBPY_ERR_TIMEOUT = 10,
    /// A value has no form outside of its interpreter. The message says which one.
    SUBPY_ERR_NOT_SHAREABLE = 11,
    /// The system has no more memory, or no more threads or descriptors. The message says of what.
    SUBPY_ERR_NO_MEMORY = 12,
    /// subpy itself has a defect. Please report it, with the message.
    SUBPY_ERR_INTERNAL = 13,
    /// The process of the interpreter has ended: by a signal, by an exit, or because the host killed it. The message says
    /// which. Only #SUBPY_BACKEND_PROCESS has it.
    SUBPY_ERR_LOST = 14,
    /// A limit on CPU time, output, threads or processes was reached. The message says which one. This version
    /// has no such limit yet.
    SUBPY_ERR_LIMIT = 15,
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
            Status::Lost => Self::SUBPY_ERR_LOST,
            Status::Limit => Self::SUBPY_ERR_LIMIT,
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
        14 => c"SUBPY_ERR_LOST",
        15 => c"SUBPY_ERR_LIMIT",
        _ => c"unknown subpy_status",
    };
    name.as_ptr()
}

/// Why a call failed. The caller owns it, and frees it with subpy_error_free(). It is plain data: any thread may
/// read it, also after the interpreter is destroyed and after subpy_finalize().
pub struct subpy_error {
    status: subpy_status,
    message: CString,
    type_name: CString,
    traceback: CString,
    exit_code: c_int,
    signal: c_int,
}

impl From<Error> for subpy_error {
    fn from(error: Error) -> Self {
        let exception = error.exception();
        Self {
            status: error.status().into(),
            message: c_string(error.message()),
            type_name: c_string(exception.map_or("", |e| &e.type_name)),
            traceback: c_string(error.traceback()),
            exit_code: error.exit_code(),
            signal: error.signal(),
        }
    }
}

/// `text` as a C string; a NUL inside of it is written out as `\x00`.
fn c_string(text: &str) -> CString {
    let text = if text.contains('\0') {
        text.replace('\0', "\\x00")
    } else {
        text.to_owned()
    };
    CString::new(text).unwrap_or_default()
}

/// The status that the failed call returned.
///
/// @param error An error, or NULL.
/// @return Its status; #SUBPY_OK for NULL.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_status(error: *const subpy_error) -> subpy_status {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(subpy_status::SUBPY_OK, |e| e.status)
}

/// What went wrong, in words for a human. Of an exception, it is what `str()` makes of it.
///
/// @param error An error, or NULL.
/// @return UTF-8, never NULL, "" for NULL. The error owns it, and it is valid until the error is freed. A NUL
///         character in the text is written as `\x00`.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_message(error: *const subpy_error) -> *const c_char {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.message.as_ptr())
}

/// The exception's type, as a traceback names it: "ValueError", "package.module.Oops".
///
/// @param error An error, or NULL.
/// @return UTF-8, never NULL, "" if the error is no exception. The error owns it, and it is valid until the
///         error is freed.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_type(error: *const subpy_error) -> *const c_char {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.type_name.as_ptr())
}

/// The traceback as Python prints it. It has causes and contexts, notes, exception groups, the caret lines of a
/// SyntaxError, and the source lines of the strings that were run.
///
/// Of a #SUBPY_ERR_LOST: where the scripts were when their process crashed, in the words of Python's `faulthandler`, if it
/// could say so. They are the process's, and not to be trusted more than its output.
///
/// @param error An error, or NULL.
/// @return UTF-8, never NULL, "" if there is none. Each line ends in "\n". The error owns it, and it is valid
///         until the error is freed.
///
/// Source: Python's module `traceback`.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_traceback(error: *const subpy_error) -> *const c_char {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.traceback.as_ptr())
}

/// The exit code of a #SUBPY_ERR_EXIT, as a shell would see it: 0 to 255. It is 0 for `sys.exit()` and
/// `sys.exit(None)`, and 1 for a string or any other object. Of a #SUBPY_ERR_LOST it is the code that the process has exited
/// with.
///
/// @param error An error, or NULL.
/// @return The code; 0 where there is none.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_exit_code(error: *const subpy_error) -> c_int {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.exit_code)
}

/// The signal that has ended the process of a #SUBPY_ERR_LOST.
///
/// @param error An error, or NULL.
/// @return The signal's number; 0 where there is none.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_signal(error: *const subpy_error) -> c_int {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.signal)
}

/// Frees an error, and the strings that came from it.
///
/// @param error An error, or NULL. It must not be used afterwards.
///
/// Threads: any, at any time; each error once.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_free(error: *mut subpy_error) {
    if !error.is_null() {
        // SAFETY: the caller hands over an error that `boundary` made with `Box::into_raw`.
        drop(unsafe { Box::from_raw(error) });
    }
}
