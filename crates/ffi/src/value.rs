//! Values as C has them, and the calls that give and take them.

use std::ffi::{CStr, c_char};

use subpy_core::value::{RawValue, kind};
use subpy_core::{CallOptions, Conversion, Error, Interpreter, Lending, OwnedValue, Value};

use crate::arguments::{self, bytes, invalid};
use crate::boundary::{enter, or_else};
use crate::config::{self, subpy_run_options};
use crate::error::subpy_error;
use crate::id::subpy_id;
use crate::status::subpy_status;

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
    /// A dict: `as.items`, keys and values in turn, in the dict's order.
    SUBPY_DICT = 8,
    /// Memory that is shared: `as.buffer`.
    SUBPY_BUFFER = 9,
    /// An int of any size: `as.text`, as Python's `int(text, 0)` reads it. From Python, where
    /// #SUBPY_LOSSLESS_TEXT was asked for: an int past 64 bits, in hexadecimal ("-0x1f").
    SUBPY_BIG_INT = 10,
    /// A str with lone surrogates: `as.text`, in UTF-8, but for them, which take three bytes each, as
    /// other characters of their size do ("WTF-8"). From Python, only where #SUBPY_LOSSLESS_TEXT was
    /// asked for.
    SUBPY_WTF8 = 11,
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
);

/// How deep values may be nested: a list in a list is nested two deep.
pub const SUBPY_MAX_DEPTH: usize = 256;
const _: () = assert!(SUBPY_MAX_DEPTH == subpy_core::value::MAX_DEPTH);

/// A flag: an int past 64 bits becomes a #SUBPY_BIG_INT, a str with lone surrogates a #SUBPY_WTF8.
/// Without it, they are #SUBPY_ERR_NOT_SHAREABLE.
pub const SUBPY_LOSSLESS_TEXT: u32 = 1;
/// A flag: `bytes` become a #SUBPY_BUFFER, without a copy. Without it, they are copied.
pub const SUBPY_PIN_BYTES: u32 = 2;
/// A flag: memory whose items are not in C's order without gaps comes out, too, with
/// subpy_buffer_info::strides set. Without it, it is #SUBPY_ERR_NOT_SHAREABLE.
pub const SUBPY_STRIDED: u32 = 4;

/// How a function is called or an expression is evaluated, and how the result becomes a value. Fill it
/// with #SUBPY_CALL_OPTIONS_INIT, then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_call_options {
    /// `sizeof(subpy_call_options)`.
    pub struct_size: usize,
    /// #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several of them; 0 (the default):
    /// none.
    pub flags: u32,
    /// Of subpy_call_with(): a dict of keyword arguments. NULL (the default): there are none. Has to be
    /// NULL for other calls.
    pub keywords: *const RawValue,
    /// The file name and the limit on the time, as for subpy_run(). NULL: the defaults.
    pub run: *const subpy_run_options,
}

const CALL_DEFAULT: subpy_call_options = subpy_call_options {
    struct_size: size_of::<subpy_call_options>(),
    flags: 0,
    keywords: std::ptr::null(),
    run: std::ptr::null(),
};

/// Flags of C's.
pub(crate) fn conversion(flags: u32) -> Result<Conversion, Error> {
    const ALL: u32 = SUBPY_LOSSLESS_TEXT | SUBPY_PIN_BYTES | SUBPY_STRIDED;
    if flags & !ALL != 0 {
        return Err(invalid(format!(
            "flags are {flags:#x}, of which {:#x} is unknown",
            flags & !ALL
        )));
    }
    Ok(Conversion {
        lossless_text: flags & SUBPY_LOSSLESS_TEXT != 0,
        pin_bytes: flags & SUBPY_PIN_BYTES != 0,
        strided: flags & SUBPY_STRIDED != 0,
    })
}

static DEFAULT: CallOptions<'static> = CallOptions::DEFAULT;
static THROW_AWAY: CallOptions<'static> = CallOptions::THROW_AWAY;

/// The defaults, for a result that goes to `out`.
#[inline(always)]
fn default_for(out: *mut RawValue) -> &'static CallOptions<'static> {
    if out.is_null() { &THROW_AWAY } else { &DEFAULT }
}

/// # Safety
/// `options` is NULL or a valid struct, whose strings live as long as `'a`.
unsafe fn call_options<'a>(
    id: subpy_id,
    options: &subpy_call_options,
    wanted: bool,
) -> Result<CallOptions<'a>, Error> {
    Ok(CallOptions {
        conversion: Some(conversion(options.flags)?).filter(|_| wanted),
        // SAFETY: the caller's promise.
        run: unsafe { config::run(id, options.run) }?,
    })
}

/// # Safety
/// `options` is NULL or a valid struct.
unsafe fn without_keywords(
    options: *const subpy_call_options,
) -> Result<subpy_call_options, Error> {
    // SAFETY: the caller's promise.
    let options = unsafe { config::read(options, CALL_DEFAULT, "call options") }?;
    if !options.keywords.is_null() {
        return Err(invalid(
            "keywords are for subpy_call_with() alone: set them to NULL",
        ));
    }
    Ok(options)
}

/// The values that a call takes.
///
/// # Safety
/// As the header says of values, for as long as `'a`.
unsafe fn lending<'a>(
    data: *const RawValue,
    length: usize,
    keywords: *const RawValue,
) -> Result<Lending<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let keywords = keywords.as_ref().map(|keywords| Value::from_raw(keywords));
        if data.is_null() && length > 0 {
            drop(Lending::new(&[], keywords));
            return Err(invalid(format!("args is NULL, but nargs is {length}")));
        }
        Ok(Lending::new(Value::slice_from_raw(data, length), keywords))
    }
}

/// A value that has to be there.
///
/// # Safety
/// As for [`lending`].
unsafe fn one<'a>(value: *const RawValue) -> Result<&'a Value<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe { value.as_ref().map(|value| Value::from_raw(value)) }
        .ok_or_else(|| invalid("value is NULL; pass a value"))
}

/// Has `work` write to `place`, where there is None unless it has written something.
///
/// # Safety
/// `place` is NULL or may be written to.
#[inline(always)]
unsafe fn write(
    place: *mut RawValue,
    work: impl FnOnce(&mut OwnedValue) -> Result<(), Error>,
) -> Result<(), Error> {
    if place.is_null() {
        let mut thrown_away = OwnedValue::NONE;
        return work(&mut thrown_away);
    }
    // SAFETY: the caller's promise, and the same layout. What was there is the caller's, and may be
    // anything.
    unsafe {
        place.write(RawValue::NONE);
        work(&mut *place.cast::<OwnedValue>())
    }
}

/// Gives a value a name in an interpreter's `__main__`. The value is copied, but for its buffers.
///
/// @param id    The interpreter.
/// @param name  The name: UTF-8, an identifier.
/// @param value The value; not kept after the call.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, what can't be a name, or a wrong value (the message
///         says where in the value: `value[1]["a"]`): a kind that there is none of, NULL with a length,
///         a length past all limits, text that is not UTF-8, a key that Python can't have, a buffer
///         that is described wrong;
///         #SUBPY_ERR_NOT_SHAREABLE for a value that is nested more than #SUBPY_MAX_DEPTH deep, or
///         contains itself;
///         and as subpy_run().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_set(
    id: subpy_id,
    name: *const c_char,
    value: *const RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            let value = Lending::from(one(value)?);
            let name = bytes(name, "name")?;
            Interpreter::at(id, |interpreter| interpreter.set(name, value))
        })
    }
}

/// The value that a name has in an interpreter's `__main__`: subpy_get_with() with the defaults.
///
/// @param id    The interpreter.
/// @param name  The name: UTF-8.
/// @param out   Where the value goes, to be cleared by subpy_value_clear(); None if the call fails.
///              What was there before is not cleared.
/// @param error NULL, or where the error goes.
/// @return As subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get(
    id: subpy_id,
    name: *const c_char,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe { subpy_get_with(id, 0, name, out, error) }
}

/// The value that a name has in an interpreter's `__main__`: a copy, in one allocation, but for buffers,
/// which stay where Python has them.
///
/// None, bool, int, float, str, bytes, tuple, list and dict become what they are; instances of their
/// subclasses, too. What else has the buffer protocol (bytearray, memoryview, array.array, arrays of
/// numpy) becomes a #SUBPY_BUFFER. No other object has a form outside of its interpreter.
///
/// As long as a value has a buffer of an interpreter, the interpreter can't be destroyed.
///
/// @param id    The interpreter.
/// @param flags #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several of them; 0: none.
/// @param name  The name: UTF-8.
/// @param out   Where the value goes, to be cleared by subpy_value_clear(); None if the call fails.
///              What was there before is not cleared.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, unknown flags, or what can't be a name;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a name that
///         there is not in `__main__` (its builtins don't count: evaluate them);
///         #SUBPY_ERR_NOT_SHAREABLE for an object that has no form outside of its interpreter, an int
///         past 64 bits, a str with lone surrogates, what is nested more than #SUBPY_MAX_DEPTH deep, or
///         contains itself (the message says where in the value: `result["a"][3]`);
///         #SUBPY_ERR_NO_MEMORY;
///         and as subpy_run().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_with(
    id: subpy_id,
    flags: u32,
    name: *const c_char,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            arguments::out(out, "out").map(drop)?;
            write(out, |result| {
                let name = bytes(name, "name")?;
                let conversion = conversion(flags)?;
                Interpreter::at(id, |interpreter| {
                    interpreter.get_into(name, conversion, result)
                })
            })
        })
    }
}

/// Evaluates an expression in an interpreter's `__main__`: subpy_eval_with() with the defaults.
///
/// @param id         The interpreter.
/// @param expression The expression: UTF-8, ends in a NUL. Not kept after the call.
/// @param out        Where its value goes, to be cleared by subpy_value_clear(); None if the call
///                   fails. What was there before is not cleared. NULL: it is thrown away.
/// @param error      NULL, or where the error goes.
/// @return As subpy_eval_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_eval(
    id: subpy_id,
    expression: *const c_char,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let expression = bytes(expression, "expression")?;
                let options = default_for(out);
                *result =
                    Interpreter::at(id, |interpreter| interpreter.eval_with(expression, options))?;
                Ok(())
            })
        })
    }
}

/// Evaluates an expression in an interpreter's `__main__`. Its code is kept, as that of subpy_run() is.
///
/// @param id         The interpreter.
/// @param options    NULL for the defaults.
/// @param expression The expression: UTF-8, without NUL characters. Not kept after the call.
/// @param length     Its length in bytes.
/// @param out        Where its value goes, to be cleared by subpy_value_clear(); None if the call
///                   fails. What was there before is not cleared. NULL: it is thrown away.
/// @param error      NULL, or where the error goes.
/// @return As subpy_run(), which has what evaluating may come to, and subpy_get_with(), which has what
///         the value may come to.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_eval_with(
    id: subpy_id,
    options: *const subpy_call_options,
    expression: *const c_char,
    length: usize,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `expression` has `length` bytes.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let options = call_options(id, &without_keywords(options)?, !out.is_null())?;
                if expression.is_null() {
                    return Err(invalid("expression is NULL; pass a string"));
                }
                let expression = std::slice::from_raw_parts(expression.cast::<u8>(), length);
                *result = Interpreter::at(id, |interpreter| {
                    interpreter.eval_with(expression, &options)
                })?;
                Ok(())
            })
        })
    }
}

/// Calls a function with positional arguments: subpy_call_with() with the defaults.
///
/// @param id       The interpreter.
/// @param callable `name`, or `package.module:qualified.name`: UTF-8.
/// @param args     The arguments; not kept after the call. May be NULL if `nargs` is 0.
/// @param nargs    How many there are.
/// @param out      Where the result goes, to be cleared by subpy_value_clear(); None if the call
///                 fails. What was there before is not cleared. NULL: it is thrown away.
/// @param error    NULL, or where the error goes.
/// @return As subpy_call_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_call(
    id: subpy_id,
    callable: *const c_char,
    args: *const RawValue,
    nargs: usize,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let mut args = lending(args, nargs, std::ptr::null())?;
                let callable = bytes(callable, "callable")?;
                let options = default_for(out);
                Interpreter::at(id, |interpreter| {
                    interpreter.call_into(callable, &mut args, options, result)
                })
            })
        })
    }
}

/// Calls a function, or whatever else can be called.
///
/// `name` is looked up in `__main__`, at each call. `package.module:qualified.name` is looked up in the
/// module, which is imported if it is not yet; `__main__:thing.method` is what a dotted name in
/// `__main__` is. A coroutine, which an `async def` function returns, is run to its end by
/// `asyncio.run()`, and its result is the result.
///
/// @param id       The interpreter.
/// @param options  NULL for the defaults; subpy_call_options::keywords is taken as `args` are.
/// @param callable `name`, or `package.module:qualified.name`: UTF-8.
/// @param args     The arguments; not kept after the call. May be NULL if `nargs` is 0.
/// @param nargs    How many there are.
/// @param out      Where the result goes, to be cleared by subpy_value_clear(); None if the call
///                 fails. What was there before is not cleared. NULL: it is thrown away.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be a callable's name, an
///         object that can't be called, or a wrong value (see subpy_set());
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a module or
///         a name that there is not;
///         and as subpy_run(), which has what running may come to, and subpy_get_with(), which has what
///         the result may come to.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_call_with(
    id: subpy_id,
    options: *const subpy_call_options,
    callable: *const c_char,
    args: *const RawValue,
    nargs: usize,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let read = config::read(options, CALL_DEFAULT, "call options");
                let keywords = read.as_ref().map_or(std::ptr::null(), |o| o.keywords);
                let mut args = lending(args, nargs, keywords)?;
                let options = call_options(id, &read?, !out.is_null())?;
                let callable = bytes(callable, "callable")?;
                Interpreter::at(id, |interpreter| {
                    interpreter.call_into(callable, &mut args, &options, result)
                })
            })
        })
    }
}

/// Runs a program with names of the host's: subpy_run_unrestricted() with the defaults.
///
/// @param id     The interpreter.
/// @param code   The program: UTF-8, ends in a NUL. Not kept after the call.
/// @param ns     A dict of names that are added to `__main__` first; NULL: none.
/// @param ns_out Where the names go that are in `__main__` then, to be cleared by subpy_value_clear();
///               None if the call fails. What was there before is not cleared. NULL: they are thrown
///               away.
/// @param error  NULL, or where the error goes.
/// @return As subpy_run_unrestricted().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_string_unrestricted(
    id: subpy_id,
    code: *const c_char,
    ns: *const RawValue,
    ns_out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(ns_out, |result| {
                let names = lending(std::ptr::null(), 0, ns)?;
                let code = bytes(code, "code")?;
                let options = default_for(ns_out);
                *result = Interpreter::at(id, |interpreter| {
                    interpreter.run_unrestricted(code, names, options)
                })?;
                Ok(())
            })
        })
    }
}

/// Runs a program in an interpreter's `__main__`, after adding names of the host's, and hands back the
/// names that are there then.
///
/// Names that start with `__` stay as they are in `__main__`, and don't come back. Nor do names whose
/// value has no form outside of the interpreter, such as modules and functions, or does not have one
/// because of something in it: what comes back is what can be shared.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param code    The program: UTF-8, without NUL characters. Not kept after the call.
/// @param length  Its length in bytes.
/// @param ns      A dict of names that are added to `__main__` first; NULL: none.
/// @param ns_out  Where the names go that are in `__main__` then, to be cleared by subpy_value_clear();
///                None if the call fails. What was there before is not cleared. NULL: they are thrown
///                away.
/// @param error   NULL, or where the error goes.
/// @return As subpy_run(), and subpy_set() for `ns`.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_unrestricted(
    id: subpy_id,
    options: *const subpy_call_options,
    code: *const c_char,
    length: usize,
    ns: *const RawValue,
    ns_out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract: `code` has `length` bytes.
    unsafe {
        enter(error, || {
            write(ns_out, |result| {
                let names = lending(std::ptr::null(), 0, ns)?;
                let options = call_options(id, &without_keywords(options)?, !ns_out.is_null())?;
                if code.is_null() {
                    return Err(invalid("code is NULL; pass a string"));
                }
                let code = std::slice::from_raw_parts(code.cast::<u8>(), length);
                *result = Interpreter::at(id, |interpreter| {
                    interpreter.run_unrestricted(code, names, &options)
                })?;
                Ok(())
            })
        })
    }
}

/// Frees what the library has handed out with a value, and makes it None. Does nothing to a value of
/// the host's own but that, nor to one that is cleared already. Only the value that a call wrote owns
/// what it points to: not its items, and not a second copy of it.
///
/// Buffers of an interpreter that the value has are given back to it: that waits for its GIL, also while
/// another thread runs in it. The interpreter lives as long as there are any.
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
            let owned = OwnedValue::from_raw(std::mem::replace(value, RawValue::NONE));
            or_else((), || drop(owned));
        }
    }
}

/// The name of a kind, as Python calls it.
///
/// @param kind Any value.
/// @return A static string such as "list"; "unknown" for a kind that this library doesn't know. Never
///         NULL.
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
        _ => c"unknown",
    };
    name.as_ptr()
}
