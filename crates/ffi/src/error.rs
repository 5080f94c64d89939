//! Errors as C holds them: plain data, owned by the caller.

use std::ffi::{CString, c_char, c_int};

use subpy_core::Error;

use crate::status::subpy_status;

/// Why a call failed. Owned by the caller, freed with subpy_error_free(). Plain data: it can be
/// read in any thread, after the interpreter is destroyed and after subpy_finalize().
pub struct subpy_error {
    status: subpy_status,
    message: CString,
    type_name: CString,
    traceback: CString,
    exit_code: c_int,
}

impl From<Error> for subpy_error {
    fn from(error: Error) -> Self {
        let exception = error.exception();
        Self {
            status: error.status().into(),
            message: c_string(error.message()),
            type_name: c_string(exception.map_or("", |e| &e.type_name)),
            traceback: c_string(exception.map_or("", |e| &e.traceback)),
            exit_code: exception.map_or(0, |e| e.exit_code),
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

/// What went wrong, for a human: for an exception, what `str()` says of it.
///
/// @param error An error, or NULL.
/// @return UTF-8, never NULL, "" for NULL. Owned by the error, valid until it is freed. A NUL
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
/// @return UTF-8, never NULL, "" if the error is no exception. Owned by the error, valid until it
///         is freed.
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

/// The traceback as Python prints it: with causes and contexts, notes, exception groups, the
/// caret lines of a SyntaxError, and the source lines of the strings that were run.
///
/// @param error An error, or NULL.
/// @return UTF-8, lines end in "\n", never NULL, "" if there is none. Owned by the error, valid
///         until it is freed.
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

/// The exit code of a #SUBPY_ERR_EXIT, as the shell would see it: 0 to 255. `sys.exit()` and
/// `sys.exit(None)` are 0, a string or any other object is 1.
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

/// Frees an error and the strings that came from it.
///
/// @param error An error, which is gone afterwards, or NULL.
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
