//! Data in and out of interpreters.

use std::ffi::c_char;

use subpy_core::value::RawValue;
use subpy_core::{
    Arguments, CallOptions, Conversion, Error, Id, Interpreter, Objects, OwnedValue, Value,
    growable,
};

use crate::arguments::{self, array, bytes, invalid, read, reserved};
use crate::boundary::enter;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::subpy_id;
use crate::running::{run_options, subpy_run_options};

/// A flag. An int past 64 bits becomes a #SUBPY_BIG_INT, and a str with lone surrogates a #SUBPY_WTF8. Without
/// the flag they are #SUBPY_ERR_NOT_SHAREABLE.
pub const SUBPY_LOSSLESS_TEXT: u32 = 1;
/// A flag. `bytes` become a #SUBPY_BUFFER, without a copy. Without the flag they are copied.
pub const SUBPY_PIN_BYTES: u32 = 2;
/// A flag. Memory whose items are not in C's order without gaps comes out, too, with
/// subpy_buffer_info::strides set. Without the flag it is #SUBPY_ERR_NOT_SHAREABLE.
pub const SUBPY_STRIDED: u32 = 4;

/// A flag. What stands for plain data becomes that: a member of an `enum.Enum` its value, a dataclass a dict of its
/// fields, an `os.PathLike` its path (a str or bytes), a scalar of numpy the Python object of its `item()`, and any other
/// number an int by its `__index__`, else a float by its `__float__`. Each may run code of the script's. Without the flag
/// they are #SUBPY_ERR_NOT_SHAREABLE, save what comes out by its base class.
pub const SUBPY_CONVERT: u32 = 8;

/// A flag: what is no plain data stays in Python, and comes as a #SUBPY_OBJECT. Else it is #SUBPY_ERR_NOT_SHAREABLE. So it is
/// with an int past 64 bits and a str with lone surrogates without #SUBPY_LOSSLESS_TEXT, and with memory that can't be
/// shared. A result that contains itself, or is nested too deep, stays as a whole.
pub const SUBPY_KEEP_OBJECTS: u32 = 16;

/// How a value is set, read, or computed. Start from #SUBPY_CALL_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_call_options {
    /// `sizeof(subpy_call_options)`.
    pub struct_size: usize,
    /// How a result becomes a value: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, #SUBPY_CONVERT, #SUBPY_KEEP_OBJECTS, or
    /// several of them. 0 (the default): none. subpy_set_with() has no result: it has to be 0 there.
    pub flags: u32,
    /// Has to be 0.
    pub reserved: u32,
    /// A dict of keyword arguments, for subpy_call_with(). NULL (the default): there are none. It has to be
    /// NULL for the other calls.
    pub keywords: *const RawValue,
    /// The file name, the limit on the time, and the wait, as for subpy_run_string_with(). NULL (the default): the
    /// defaults.
    pub run: *const subpy_run_options,
}

growable!(subpy_call_options, "subpy_call_options", 32, {
    flags: 0,
    reserved: 0,
    keywords: std::ptr::null(),
    run: std::ptr::null(),
});

/// Flags of C's.
pub(crate) fn conversion(flags: u32) -> Result<Conversion, Error> {
    const ALL: u32 =
        SUBPY_LOSSLESS_TEXT | SUBPY_PIN_BYTES | SUBPY_STRIDED | SUBPY_CONVERT | SUBPY_KEEP_OBJECTS;
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
        convert: flags & SUBPY_CONVERT != 0,
        objects: match flags & SUBPY_KEEP_OBJECTS {
            0 => Objects::None,
            _ => Objects::Others,
        },
        ..Conversion::DEFAULT
    })
}

static DEFAULT: CallOptions<'static> = CallOptions::DEFAULT;
static THROW_AWAY: CallOptions<'static> = CallOptions::THROW_AWAY;

/// The defaults, for a result that goes to `out`.
#[inline]
pub(crate) fn default_for(out: *mut RawValue) -> &'static CallOptions<'static> {
    if out.is_null() { &THROW_AWAY } else { &DEFAULT }
}

/// # Safety
/// The pointers in `options` are NULL or valid, for as long as `'a`.
#[inline]
pub(crate) unsafe fn call_options<'a>(
    id: subpy_id,
    options: &subpy_call_options,
    wanted: bool,
) -> Result<CallOptions<'a>, Error> {
    reserved(options.reserved)?;
    Ok(CallOptions {
        conversion: Some(conversion(options.flags)?).filter(|_| wanted),
        // SAFETY: the caller's promise.
        run: unsafe { run_options(id, options.run) }?,
    })
}

/// Those of a call that takes no keyword arguments.
///
/// # Safety
/// `options` is NULL or a valid struct, for as long as `'a`.
#[inline]
unsafe fn without_keywords<'a>(
    id: subpy_id,
    options: *const subpy_call_options,
    wanted: bool,
) -> Result<CallOptions<'a>, Error> {
    // SAFETY: the caller's promise.
    let options = unsafe { read(options) }?;
    if !options.keywords.is_null() {
        return Err(invalid(
            "keywords are for subpy_call_with() alone: set them to NULL",
        ));
    }
    // SAFETY: as above.
    unsafe { call_options(id, &options, wanted) }
}

/// The values that a call takes.
///
/// # Safety
/// As the header says of values, for as long as `'a`.
#[inline(always)]
pub(crate) unsafe fn lending<'a>(
    data: *const RawValue,
    length: usize,
    keywords: *const RawValue,
) -> Result<Arguments<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let keywords = keywords.as_ref().map(|keywords| Value::from_raw(keywords));
        if data.is_null() && length > 0 {
            drop(Arguments::new(&[], keywords));
            return Err(invalid(format!("args is NULL, but nargs is {length}")));
        }
        if length > isize::MAX as usize / size_of::<RawValue>() {
            drop(Arguments::new(&[], keywords));
            return Err(invalid(format!(
                "nargs is {length}, which is past all limits"
            )));
        }
        Ok(Arguments::new(
            Value::slice_from_raw(data, length),
            keywords,
        ))
    }
}

/// A value that has to be there.
///
/// # Safety
/// As for [`lending`].
pub(crate) unsafe fn one<'a>(value: *const RawValue, what: &str) -> Result<&'a Value<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe { value.as_ref().map(|value| Value::from_raw(value)) }
        .ok_or_else(|| invalid(format!("{what} is NULL; pass a value")))
}

/// Has `work` write to `place`, where there is None unless it has written something.
///
/// # Safety
/// `place` is NULL or may be written to.
#[inline]
pub(crate) unsafe fn write(
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

/// Gives a value a name in an interpreter's `__main__`: subpy_set_with() with the defaults.
///
/// @param id    The interpreter.
/// @param name  The name: UTF-8, an identifier.
/// @param value The value. The library copies it, save the memory of its buffers, and does not keep it.
/// @param error NULL, or where the error goes.
/// @return As subpy_set_with().
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
            let value = Arguments::from(one(value, "value")?);
            let name = bytes(name, "name")?;
            Interpreter::at(Id::new(id), |interpreter| interpreter.set(name, value))
        })
    }
}

/// Gives a value a name in an interpreter's `__main__`.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param name    The name: UTF-8, an identifier.
/// @param value   The value. The library copies it, save the memory of its buffers, and does not keep it.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be a name, or a wrong value: an
///         unknown kind, NULL with a length, a length past all limits, text that is not UTF-8, a key or an item
///         of a set that is not hashable, a date or a time that there is not, a decimal that is no number, or a
///         buffer that is described wrong. The message says where it is in the value:
///         `value[1]["a"]`;
///         #SUBPY_ERR_NOT_SHAREABLE for a value that is nested more than #SUBPY_MAX_DEPTH deep, or contains
///         itself;
///         and as subpy_run_string_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: `Interpreter.prepare_main()` of PEP 734.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_set_with(
    id: subpy_id,
    options: *const subpy_call_options,
    name: *const c_char,
    value: *const RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            // From here on, whatever happens, the buffers of the value are given back.
            let value = Arguments::from(one(value, "value")?);
            let options = without_keywords(id, options, true)?;
            if options.conversion != Some(Conversion::default()) {
                return Err(invalid("flags are for results: subpy_set_with() has none"));
            }
            let name = bytes(name, "name")?;
            Interpreter::at(Id::new(id), |interpreter| {
                interpreter.set_with(name, value, &options.run)
            })
        })
    }
}

/// Reads the value that a name has in an interpreter's `__main__`: subpy_get_with() with the defaults.
///
/// @param id    The interpreter.
/// @param name  The name: UTF-8.
/// @param out   Where the value goes; clear it with subpy_value_clear(). It is None if the call fails. The value
///              that was there before is not cleared.
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
    unsafe {
        enter(error, || {
            arguments::out(out, "out").map(drop)?;
            write(out, |result| {
                let name = bytes(name, "name")?;
                Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.get_into(name, &DEFAULT, result)
                })
            })
        })
    }
}

/// Reads the value that a name has in an interpreter's `__main__`. The value is a copy, in one allocation. Buffers
/// are not copied: they stay where Python has them.
///
/// None, bool, int, float, complex, str, bytes, tuple, list, dict, set and frozenset become what they are; so do
/// datetime, date, time, timedelta, Decimal and UUID of Python's library. So do instances of their subclasses: a named
/// tuple is a tuple. #SUBPY_CONVERT asks for more. Other objects with the buffer protocol become a #SUBPY_BUFFER: bytearray, memoryview, array.array,
/// arrays of numpy. No other object has a form outside of its interpreter.
///
/// As long as a value has a buffer of an interpreter, that interpreter can't be destroyed.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param name    The name: UTF-8.
/// @param out     Where the value goes; clear it with subpy_value_clear(). It is None if the call fails. The
///                value that was there before is not cleared.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a name that is not
///         in `__main__` (evaluate the names of builtins instead);
///         #SUBPY_ERR_NOT_SHAREABLE for an object that has no form outside of its interpreter, an int past 64
///         bits, a str with lone surrogates, and a value that is nested more than #SUBPY_MAX_DEPTH deep or
///         contains itself. The message says where it is in the value: `result["a"][3]`;
///         #SUBPY_ERR_NO_MEMORY;
///         and as subpy_run_string_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: subpy's own.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_with(
    id: subpy_id,
    options: *const subpy_call_options,
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
                let options = without_keywords(id, options, true)?;
                Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.get_into(name, &options, result)
                })
            })
        })
    }
}

/// Evaluates an expression in an interpreter's `__main__`: subpy_eval_with() with the defaults.
///
/// @param id         The interpreter.
/// @param expression The expression: UTF-8, ends in a NUL. The library does not keep it.
/// @param out        Where its value goes; clear it with subpy_value_clear(). It is None if the call fails. The
///                   value that was there before is not cleared. NULL: the value is thrown away.
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
                *result = Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.eval_with(expression, options)
                })?;
                Ok(())
            })
        })
    }
}

/// Evaluates an expression in an interpreter's `__main__`. The compiled code is kept, as that of
/// subpy_run_string_with() is.
///
/// @param id         The interpreter.
/// @param options    NULL for the defaults.
/// @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
/// @param length     The length of the expression, in bytes.
/// @param out        Where its value goes; clear it with subpy_value_clear(). It is None if the call fails. The
///                   value that was there before is not cleared. NULL: the value is thrown away.
/// @param error      NULL, or where the error goes.
/// @return As subpy_run_string_with() for the evaluation, and as subpy_get_with() for the value.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: Python's `eval()`.
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
                let options = without_keywords(id, options, !out.is_null())?;
                let expression = array(expression, length, "expression")?;
                *result = Interpreter::at(Id::new(id), |interpreter| {
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
/// @param args     The arguments. The library does not keep them. May be NULL if `nargs` is 0.
/// @param nargs    The number of arguments.
/// @param out      Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The
///                 value that was there before is not cleared. NULL: the result is thrown away.
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
                Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.call_into(callable, &mut args, options, result)
                })
            })
        })
    }
}

/// Calls a function, or another object that can be called.
///
/// `name` is looked up in `__main__`, at each call. `package.module:qualified.name` is looked up in the module,
/// which is imported if it is not imported yet. `__main__:thing.method` stands for a dotted name in `__main__`. An
/// `async def` function returns a coroutine: it is run to its end, as `asyncio.run()` does, and its result is the
/// result. It runs in an event loop of its own: the one that the script has set (`asyncio.set_event_loop()`) stays.
///
/// @param id       The interpreter.
/// @param options  NULL for the defaults. subpy_call_options::keywords is taken as `args` are.
/// @param callable `name`, or `package.module:qualified.name`: UTF-8.
/// @param args     The arguments. The library does not keep them. May be NULL if `nargs` is 0.
/// @param nargs    The number of arguments.
/// @param out      Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The
///                 value that was there before is not cleared. NULL: the result is thrown away.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, what can't be the name of a callable, an object
///         that can't be called, or a wrong value (see subpy_set_with());
///         #SUBPY_ERR_NOT_FOUND for an id that was never given out or is destroyed, and for a module or a name
///         that does not exist;
///         and as subpy_run_string_with() for the call, and as subpy_get_with() for the result.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: `Interpreter.call()` of PEP 734.
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
                let read = read(options);
                let keywords = read.as_ref().map_or(std::ptr::null(), |o| o.keywords);
                let mut args = lending(args, nargs, keywords)?;
                let options = call_options(id, &read?, !out.is_null())?;
                let callable = bytes(callable, "callable")?;
                Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.call_into(callable, &mut args, &options, result)
                })
            })
        })
    }
}

/// Runs a program with names of the host's: subpy_run_string_unrestricted_with() with the defaults.
///
/// @param id     The interpreter.
/// @param code   The program: UTF-8, ends in a NUL. The library does not keep it.
/// @param ns     A dict of names, which are added to `__main__` first. NULL: none.
/// @param ns_out Where the names go that are in `__main__` then; clear it with subpy_value_clear(). It is None if
///               the call fails. The value that was there before is not cleared. NULL: the names are thrown away.
/// @param error  NULL, or where the error goes.
/// @return As subpy_run_string_unrestricted_with().
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
                *result = Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.run_unrestricted(code, names, options)
                })?;
                Ok(())
            })
        })
    }
}

/// Runs a program in an interpreter's `__main__`, after adding names of the host's, and hands back the names that
/// are there then.
///
/// Names that start with `__` stay as they are in `__main__`, and don't come back. A name does not come back
/// either if its value, or something in it, has no form outside of the interpreter: modules and functions, for
/// example.
///
/// @param id      The interpreter.
/// @param options NULL for the defaults.
/// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
/// @param length  The length of the program, in bytes.
/// @param ns      A dict of names, which are added to `__main__` first. NULL: none.
/// @param ns_out  Where the names go that are in `__main__` then; clear it with subpy_value_clear(). It is None
///                if the call fails. The value that was there before is not cleared. NULL: the names are thrown
///                away.
/// @param error   NULL, or where the error goes.
/// @return As subpy_run_string_with() for the run, and as subpy_set_with() for `ns`.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: `_interpreters.run_string_unrestricted()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_run_string_unrestricted_with(
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
                let options = without_keywords(id, options, !ns_out.is_null())?;
                let code = array(code, length, "code")?;
                *result = Interpreter::at(Id::new(id), |interpreter| {
                    interpreter.run_unrestricted(code, names, &options)
                })?;
                Ok(())
            })
        })
    }
}
