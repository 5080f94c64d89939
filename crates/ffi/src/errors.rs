//! What a call returns, and why it failed: plain data, owned by the caller.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{from_ref, null};
use std::sync::Arc;

use subpy_core::value::RawValue;
use subpy_core::{Error, Frame, Link, OwnedValue, Related, Status};

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

/// A place in a program, of an exception: see subpy_error_frame(). What is not known is 0, or "".
///
/// Lines and columns count from 1 on. A column counts characters (code points), and `end_column` is that behind the last
/// character. So an expression that starts and ends in one line has `end_column - column` characters.
#[repr(C)]
pub struct subpy_frame {
    /// The file, as the code was compiled with it: of a string, the `filename` that the host gave.
    pub file: *const c_char,
    /// The function, as a traceback names it; "<module>" outside of all functions. "": it is the place of a SyntaxError.
    pub function: *const c_char,
    /// The line.
    pub line: u32,
    /// Where the expression that was evaluated starts in that line. 0 with Python 3.10, but for a SyntaxError.
    pub column: u32,
    /// The line that the expression ends in. 0 with Python 3.10, but for a SyntaxError.
    pub end_line: u32,
    /// Where it ends in that line. 0 with Python 3.10, but for a SyntaxError.
    pub end_column: u32,
    /// The text of the line, without its end: of a file, as it is now; of a string, as long as it is kept with its code
    /// (see subpy_interpreter_config::code_cache_entries). No more than its first 4,096 bytes.
    pub source: *const c_char,
}

/// There is no padding.
const _: () = assert!(size_of::<subpy_frame>() == 3 * size_of::<*const c_char>() + 4 * 4);

/// Why a call failed. The caller owns it, and frees it with subpy_error_free(). It is plain data: any thread may
/// read it, also after the interpreter is destroyed and after subpy_finalize().
pub struct subpy_error {
    status: subpy_status,
    message: CString,
    type_name: CString,
    traceback: CString,
    exit_code: c_int,
    signal: c_int,
    /// They point into `_texts`.
    frames: Vec<subpy_frame>,
    _texts: Vec<CString>,
    frames_left_out: usize,
    notes: Vec<CString>,
    /// A view of the value, which is kept.
    args: Option<(RawValue, Arc<OwnedValue>)>,
    /// These point into `related` of this error, or of the one that has this one there.
    cause: *const subpy_error,
    context: *const subpy_error,
    group: Vec<*const subpy_error>,
    related: Box<[subpy_error]>,
}

impl From<Error> for subpy_error {
    fn from(error: Error) -> Self {
        let mut made = Self::without_others(&error);
        let related = error.exception().map_or(&[][..], |it| &it.related);
        let others = related.iter().map(|it| Self::without_others(&it.error));
        made.related = others.collect();
        for (n, Related { link, of, .. }) in related.iter().enumerate() {
            let other: *const Self = &raw const made.related[n];
            let one = match of.checked_sub(1) {
                None => &mut made,
                Some(of) => &mut made.related[of],
            };
            match link {
                Link::Cause => one.cause = other,
                Link::Context => one.context = other,
                Link::Member => one.group.push(other),
            }
        }
        made
    }
}

impl subpy_error {
    /// The same error, without those that come with it.
    fn without_others(error: &Error) -> Self {
        let exception = error.exception();
        let mut texts = Vec::new();
        let mut kept = |text: &str| {
            texts.push(c_string(text));
            texts.last().map_or(c"".as_ptr(), |text| text.as_ptr())
        };
        let frame = |frame: &Frame| subpy_frame {
            file: kept(&frame.file),
            function: kept(&frame.function),
            line: frame.line,
            column: frame.column,
            end_line: frame.end_line,
            end_column: frame.end_column,
            source: kept(&frame.source),
        };
        let frames = exception.map_or(&[][..], |e| &e.frames);
        let notes = exception.map_or(&[][..], |e| &e.notes);
        Self {
            status: error.status().into(),
            message: c_string(error.message()),
            type_name: c_string(exception.map_or("", |e| &e.type_name)),
            traceback: c_string(error.traceback()),
            exit_code: error.exit_code(),
            signal: error.signal(),
            frames: frames.iter().map(frame).collect(),
            _texts: texts,
            frames_left_out: exception.map_or(0, |e| e.frames_left_out),
            notes: notes.iter().map(|note| c_string(note)).collect(),
            args: exception.map(|e| (not_owned(&e.args), e.args.clone())),
            cause: null(),
            context: null(),
            group: Vec::new(),
            related: Box::default(),
        }
    }

    /// Of an exception: its arguments.
    pub(crate) fn args(&self) -> Option<&RawValue> {
        self.args.as_ref().map(|(view, _)| view)
    }
}

/// The value, for those who read it: to clear it frees nothing.
fn not_owned(value: &OwnedValue) -> RawValue {
    RawValue {
        owned: 0,
        ..*value.get().as_raw()
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
/// SyntaxError, and the source lines of the strings that were run; never colours. Frames of subpy's own code are left out. What
/// is in it as data: subpy_error_frame(), subpy_error_cause() and the calls after these. Where Python can't print an exception,
/// because attributes of its class raise, say, there are its own frames, its type, its message and its notes.
///
/// Of a #SUBPY_ERR_LOST: where the scripts were when their process crashed, in the words of Python's `faulthandler`, if it
/// could say so. They are the process's, and not to be trusted more than its output.
///
/// @param error An error, or NULL.
/// @return UTF-8, never NULL, "" if there is none. Each line ends in "\n". The error owns it, and it is valid
///         until the error is freed.
///
/// Source: Python's module `traceback`. From 3.13 on plain Python prints with it, too. Before, the suggestions ("Did you
/// mean") are those of the module: there are none with 3.10 and 3.11.
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

/// How many frames the exception has: the places in the program that led to it. Frames of subpy's own code are left out. Of
/// a SyntaxError the last one is the place in the text that can't be compiled.
///
/// An exception has 256 frames at most, and the place of a SyntaxError: the outermost 128 and the innermost 128.
/// subpy_error_frames_left_out() counts the others.
///
/// @param error An error, or NULL.
/// @return How many there are; 0 if the error is no exception.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_frame_count(error: *const subpy_error) -> usize {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.frames.len())
}

/// A frame of the exception.
///
/// @param error An error, or NULL.
/// @param index Which one, from 0 on: the outermost first, so the last one is where the exception was raised.
/// @return The frame; NULL past the last one. The error owns it and its strings, which are UTF-8, and they are valid until
///         the error is freed. A NUL character in a string is written as `\x00`.
///
/// Source: Python's traceback objects, and PEP 657 for the columns.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_frame(
    error: *const subpy_error,
    index: usize,
) -> *const subpy_frame {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }
        .and_then(|e| e.frames.get(index))
        .map_or(null(), from_ref)
}

/// How many frames of the exception are left out, for there are too many. They come after the frame with the index 127. Of a
/// RecursionError they are most often the same again and again.
///
/// @param error An error, or NULL.
/// @return How many; 0 if all are there.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_frames_left_out(error: *const subpy_error) -> usize {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.frames_left_out)
}

/// The exception that the exception was raised from: `raise ... from cause`.
///
/// The error of a call has 256 other exceptions with it at most, the nearest ones: its cause, its context and the exceptions
/// of its group, and theirs. A chain that leads back to itself ends before that. What is read of them takes a second at most,
/// and 64 MiB of text.
///
/// @param error An error, or NULL.
/// @return An error, which has the same things to ask for as that of a call, but no text of its own as a traceback. NULL
///         if there is none. It belongs to the error of the call, is valid until that is freed, and must not be freed.
///
/// Source: `__cause__` of the exception.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_cause(error: *const subpy_error) -> *const subpy_error {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(null(), |e| e.cause)
}

/// The exception that was being handled when the exception was raised, if a traceback shows it: there is no cause, and it
/// was not `raise ... from None`.
///
/// @param error An error, or NULL.
/// @return As of subpy_error_cause().
///
/// Source: `__context__` of the exception.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_context(error: *const subpy_error) -> *const subpy_error {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(null(), |e| e.context)
}

/// How many exceptions there are in an exception group. Python has groups from 3.11 on. See subpy_error_cause() for how many
/// there are at most.
///
/// @param error An error, or NULL.
/// @return How many; 0 if the error is no group.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_group_count(error: *const subpy_error) -> usize {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.group.len())
}

/// An exception of an exception group.
///
/// @param error An error, or NULL.
/// @param index Which one, from 0 on.
/// @return As of subpy_error_cause(); NULL past the last one.
///
/// Source: `exceptions` of the group.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_group_item(
    error: *const subpy_error,
    index: usize,
) -> *const subpy_error {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }
        .and_then(|e| e.group.get(index).copied())
        .unwrap_or(null())
}

/// How many notes the exception has: what its `add_note()` was given. Python has notes from 3.11 on. There are 256 at most,
/// the first ones.
///
/// @param error An error, or NULL.
/// @return How many; 0 if the error is no exception.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_note_count(error: *const subpy_error) -> usize {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }.map_or(0, |e| e.notes.len())
}

/// A note of the exception. Of what is no str, it is what `str()` makes of it.
///
/// @param error An error, or NULL.
/// @param index Which one, from 0 on.
/// @return UTF-8; NULL past the last one. The error owns it, and it is valid until the error is freed.
///
/// Source: `__notes__` of the exception.
///
/// Threads: any, at any time.
///
/// # Safety
/// `error` is NULL or an error of subpy that is not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_error_note(
    error: *const subpy_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller hands over NULL or a live error.
    unsafe { error.as_ref() }
        .and_then(|e| e.notes.get(index))
        .map_or(null(), |note| note.as_ptr())
}

/// Frees an error, and all that came from it: strings, frames, arguments and other errors.
///
/// @param error An error that a call has written, or NULL. It must not be used afterwards.
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
