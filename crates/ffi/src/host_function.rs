//! Functions of the host's that scripts call.

use std::ffi::{CStr, c_char, c_void};

use subpy_core::value::{RawValue, ReleaseFn};
use subpy_core::{Error, FunctionOptions, Handler, HostCall, Interpreter, Release, Value};

use crate::arguments::{flag, invalid, optional};
use crate::boundary::{enter, or_else};
use crate::config;
use crate::error::subpy_error;
use crate::id::subpy_id;
use crate::status::subpy_status;
use crate::value::conversion;

/// A call of a host function: to be answered by subpy_host_return() or subpy_host_raise(). It is valid
/// until the function returns, in the thread that it was called in.
pub struct subpy_host_call {
    _private: [u8; 0],
}

/// A function of the host's, called by a script.
///
/// @param user  What subpy_define_function() got.
/// @param call  The call: to answer it. The last answer counts; without one, it is None.
/// @param args  The positional arguments; they belong to the library and are valid until the function
///              returns. Not NULL where `nargs` is not 0.
/// @param nargs How many there are.
///
/// Called in the thread that runs the script, or a Python thread of it, with the interpreter's GIL,
/// unless subpy_function_options::release_gil is set; it may be called in several threads at once then.
/// It should not wait while it has the GIL: what it waits for may need the interpreter, or another one
/// that shares the GIL. It may call subpy for other interpreters; its own is #SUBPY_ERR_BUSY. It must not leave by an exception or
/// longjmp.
pub type subpy_host_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        call: *mut subpy_host_call,
        args: *const RawValue,
        nargs: usize,
    ),
>;

/// `SUBPY_EVERYWHERE`.
const EVERYWHERE: subpy_id = subpy_id::MIN;

/// How a function is defined. Fill it with #SUBPY_FUNCTION_OPTIONS_INIT, then change what you need. The
/// strings are copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_function_options {
    /// `sizeof(subpy_function_options)`.
    pub struct_size: usize,
    /// Its `__doc__`, which `help()` shows. NULL: none.
    pub doc: *const c_char,
    /// Its parameters, as Python writes them: "(level, text, *, end='\\n')". `help()` and
    /// `inspect.signature()` show them; the function is called with whatever the script passes. NULL:
    /// "(*args, **kwargs)".
    pub signature: *const c_char,
    /// 1: the GIL is released while the function works, so other Python threads of the interpreter run
    /// meanwhile. 0 (the default): it is held.
    pub release_gil: u8,
    /// How arguments become values: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several
    /// of them; 0 (the default): none. An argument that can't become a value is a TypeError in the
    /// script; the function is not called then.
    pub flags: u32,
}

const FUNCTION_DEFAULT: subpy_function_options = subpy_function_options {
    struct_size: size_of::<subpy_function_options>(),
    doc: std::ptr::null(),
    signature: std::ptr::null(),
    release_gil: 0,
    flags: 0,
};

/// # Safety
/// `options` is NULL or a valid struct, whose strings live as long as `'a`.
unsafe fn function_options<'a>(
    options: *const subpy_function_options,
) -> Result<FunctionOptions<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let options = config::read(options, FUNCTION_DEFAULT, "function options")?;
        Ok(FunctionOptions {
            doc: optional(options.doc, "doc")?,
            signature: optional(options.signature, "signature")?,
            release_gil: flag(options.release_gil, "release_gil")?,
            conversion: conversion(options.flags)?,
        })
    }
}

/// # Safety
/// `text` is NULL or ends in a NUL, and lives as long as `'a`.
unsafe fn required<'a>(text: *const c_char, name: &str) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise.
    unsafe { optional(text, name) }?
        .ok_or_else(|| invalid(format!("{name} is NULL; pass a string")))
}

/// Defines a function of the host's in a module: subpy_define_function_with() with the defaults.
///
/// @param id     The interpreter, or #SUBPY_EVERYWHERE.
/// @param module The module: UTF-8, "host" or "app.host".
/// @param name   The function's name in it: UTF-8.
/// @param fn     The function.
/// @param user   Handed to it; not touched by subpy.
/// @param drop   Called once with `user`, whatever becomes of this call. NULL: nothing is.
/// @param error  NULL, or where the error goes.
/// @return As subpy_define_function_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_define_function(
    id: subpy_id,
    module: *const c_char,
    name: *const c_char,
    r#fn: subpy_host_fn,
    user: *mut c_void,
    drop: ReleaseFn,
    error: *mut *mut subpy_error,
) -> subpy_status {
    let options = std::ptr::null();
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe { subpy_define_function_with(id, options, module, name, r#fn, user, drop, error) }
}

/// Defines a function of the host's in a module of an interpreter. The module is imported, or made if
/// there is none of that name; scripts then import it as any other. A function that is there already is
/// replaced.
///
/// With #SUBPY_EVERYWHERE, every interpreter that is created from now on gets the function when it is
/// created, until the last subpy_finalize(). (If a module that is imported for it raises an exception,
/// creating fails with that.)
///
/// `drop` is called once, without a GIL, as soon as the function can't be called any more: when Python
/// has let go of it (it was replaced, and no script holds it), in the thread that did; when its
/// interpreter is destroyed, in the thread that does that; for one that is defined everywhere, when that
/// holds for each interpreter, and the definition was replaced or subpy is finalized; and if this call
/// fails, before it returns. It may call subpy; the interpreter that is being destroyed is
/// #SUBPY_ERR_BUSY.
///
/// @param id      The interpreter, or #SUBPY_EVERYWHERE.
/// @param options NULL for the defaults.
/// @param module  The module: UTF-8, "host" or "app.host".
/// @param name    The function's name in it: UTF-8.
/// @param fn      The function.
/// @param user    Handed to it; not touched by subpy.
/// @param drop    Called once with `user`, whatever becomes of this call. NULL: nothing is.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
///         #SUBPY_ERR_EXCEPTION if the module is there, and raised an exception when it was imported;
///         and as subpy_run().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_define_function_with(
    id: subpy_id,
    options: *const subpy_function_options,
    module: *const c_char,
    name: *const c_char,
    r#fn: subpy_host_fn,
    user: *mut c_void,
    drop: ReleaseFn,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            // From here on, whatever happens, `drop` is called once: with this.
            let user = Release::new(user, drop);
            let function = r#fn.ok_or_else(|| invalid("fn is NULL; pass a function"))?;
            let handler: Handler = Box::new(move |call, arguments| {
                let call = std::ptr::from_mut(call).cast();
                let data = arguments.as_ptr().cast();
                function(user.user(), call, data, arguments.len());
            });
            let module = required(module, "module")?;
            let name = required(name, "name")?;
            let options = function_options(options)?;
            if id == EVERYWHERE {
                return Interpreter::define_everywhere(module, name, &options, handler);
            }
            Interpreter::find(id)?.define(module, name, &options, handler)
        })
    }
}

/// What a host call's pointer stands for.
///
/// # Safety
/// `call` is NULL or one that a host function got and has not returned from.
unsafe fn call_of<'a>(call: *mut subpy_host_call) -> Option<&'a mut HostCall<'a>> {
    // SAFETY: the caller's promise.
    unsafe { call.cast::<HostCall<'a>>().as_mut() }
}

/// Answers a call with a value, which is copied, but for its buffers. One that is wrong is a ValueError
/// or TypeError in the script, which says where.
///
/// @param call  The call; NULL: nothing happens.
/// @param value The value; NULL stands for None.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_return(call: *mut subpy_host_call, value: *const RawValue) {
    // SAFETY: the caller keeps the header's contract for both.
    unsafe {
        if let Some(call) = call_of(call) {
            let value = Value::from_raw(value.as_ref().unwrap_or(&RawValue::NONE));
            if !call.answer_plain(value) {
                or_else((), || call.answer(value));
            }
        }
    }
}

/// Answers a call with an exception.
///
/// @param call    The call; NULL: nothing happens.
/// @param type    Its type: "builtins.ValueError", "package.module.Oops" or, in short, "ValueError".
///                The module is imported. A type that there is not is a RuntimeError that says so; NULL
///                stands for "RuntimeError". UTF-8; copied.
/// @param message Its argument; NULL stands for "". UTF-8; copied.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_raise(
    call: *mut subpy_host_call,
    r#type: *const c_char,
    message: *const c_char,
) {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        let text = |text: *const c_char, otherwise: &'static CStr| {
            let text = if text.is_null() {
                otherwise
            } else {
                CStr::from_ptr(text)
            };
            text.to_string_lossy()
        };
        if let Some(call) = call_of(call) {
            or_else((), || {
                call.raise(&text(r#type, c"RuntimeError"), &text(message, c""))
            });
        }
    }
}

/// The keyword arguments of a call.
///
/// @param call The call.
/// @return A dict, of length 0 if there are none; it belongs to the call. NULL for NULL.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_keywords(call: *mut subpy_host_call) -> *const RawValue {
    // SAFETY: the caller keeps the header's contract.
    match unsafe { call_of(call) } {
        Some(call) => call.keywords().as_raw(),
        None => std::ptr::null(),
    }
}

/// The interpreter that makes a call.
///
/// @param call The call.
/// @return Its id; -1 for NULL.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_interpreter(call: *mut subpy_host_call) -> subpy_id {
    // SAFETY: the caller keeps the header's contract.
    unsafe { call_of(call) }.map_or(-1, |call| call.interpreter())
}
