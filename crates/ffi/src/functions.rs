//! Functions of the host's that scripts call.

use std::ffi::{CStr, c_char, c_void};

use subpy_core::value::{RawValue, ReleaseFn};
use subpy_core::{
    Error, FunctionOptions, Handler, HostCall, Id, Interpreter, Release, Value, growable,
};

use crate::arguments::{flag, invalid, optional, read, required};
use crate::boundary::{enter, or_else};
use crate::data::conversion;
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::{EVERYWHERE, subpy_id};

/// One call of a host function. subpy_host_return() or subpy_host_raise() answers it. It is valid until the function
/// returns, in the thread that the function was called in.
pub struct subpy_host_call {
    _private: [u8; 0],
}

/// A function of the host's, which a script calls.
///
/// @param user  What subpy_define_function() got.
/// @param call  The call, to answer it. The last answer counts. Without one the answer is None.
/// @param args  The positional arguments. The library owns them, and they are valid until the function returns.
///              Not NULL where `nargs` is not 0.
/// @param nargs The number of arguments.
///
/// The library calls it in the thread that runs the script, or in a Python thread of the script. The
/// interpreter's GIL is held, unless subpy_function_options::release_gil is set. With that it may be called in
/// several threads at once. A function that holds the GIL should not wait: what it waits for may need the
/// interpreter, or another one that shares the GIL. It may call subpy, also for its own interpreter, but not to destroy
/// that: see subpy_run_string_with(). In a Python thread of the script its own interpreter is #SUBPY_ERR_BUSY while
/// it runs, unless the call waits for its turn. With #SUBPY_BACKEND_LOCAL, and without `release_gil`, the thread state of its
/// interpreter is attached: the function may use CPython's own API for that interpreter, from `Python.h`, and libraries over it,
/// such as pybind11. It leaves no exception set, and no other thread state attached. Where the thread's stack is small, or a
/// fiber's, it is called on another one: see "Stacks" above. It must not
/// leave by an exception or by longjmp().
pub type subpy_host_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        call: *mut subpy_host_call,
        args: *const RawValue,
        nargs: usize,
    ),
>;

/// How a function is defined. Start from #SUBPY_FUNCTION_OPTIONS_INIT. The library copies the strings.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subpy_function_options {
    /// `sizeof(subpy_function_options)`.
    pub struct_size: usize,
    /// The function's `__doc__`, which `help()` shows. NULL (the default): none.
    pub doc: *const c_char,
    /// The function's parameters, as Python writes them: "(level, text, *, end='\\n')". `help()` and
    /// `inspect.signature()` show them. They are not checked: the function gets what the script passes. NULL
    /// (the default): "(*args, **kwargs)".
    pub signature: *const c_char,
    /// 1: the GIL is released while the function works, so other Python threads of the interpreter run
    /// meanwhile. 0 (the default): it is held.
    pub release_gil: u32,
    /// How arguments become values: #SUBPY_LOSSLESS_TEXT, #SUBPY_PIN_BYTES, #SUBPY_STRIDED, #SUBPY_CONVERT, #SUBPY_KEEP_OBJECTS, or
    /// several of them. 0 (the default): none. An argument that can't become a value is a TypeError in the script, and
    /// the function is not called then.
    pub flags: u32,
}

growable!(subpy_function_options, "subpy_function_options", 32, {
    doc: std::ptr::null(),
    signature: std::ptr::null(),
    release_gil: 0,
    flags: 0,
});

/// # Safety
/// `options` is NULL or a valid struct, whose strings live as long as `'a`.
unsafe fn function_options<'a>(
    options: *const subpy_function_options,
) -> Result<FunctionOptions<'a>, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let options = read(options)?;
        Ok(FunctionOptions {
            doc: optional(options.doc, "doc")?,
            signature: optional(options.signature, "signature")?,
            release_gil: flag(options.release_gil, "release_gil")?,
            conversion: conversion(options.flags)?,
        })
    }
}

/// Defines a function of the host's in a module of an interpreter: subpy_define_function_with() with the defaults.
///
/// @param id     The interpreter, or #SUBPY_EVERYWHERE.
/// @param module The module: UTF-8, "host" or "app.host".
/// @param name   The function's name in it: UTF-8.
/// @param fn     The function.
/// @param user   Handed to it. The library does not touch it.
/// @param drop   Called once with `user`, whatever becomes of this call. NULL: nothing is called.
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

/// Defines a function of the host's in a module of an interpreter. The module is imported, or made if there is none
/// of that name. Scripts import it as any other module. A function of that name that is there already is replaced.
///
/// With #SUBPY_EVERYWHERE, each interpreter that is created from now on gets the function when it is created, until
/// the last subpy_finalize(). If a module that is imported for it raises an exception, the creation fails with that.
///
/// The library calls `drop` once, without a GIL, when the function can't be called any more:
///  - when Python has let go of it, because it was replaced and no script holds it, in the thread that let go;
///  - when its interpreter is destroyed, in the thread that destroys it;
///  - for a function that is defined everywhere: when one of the two holds for each interpreter, and the definition
///    was replaced or subpy is finalized;
///  - if this call fails, before it returns.
///
/// `drop` may call subpy. The interpreter that is being destroyed is #SUBPY_ERR_BUSY for it.
///
/// @param id      The interpreter, or #SUBPY_EVERYWHERE.
/// @param options NULL for the defaults.
/// @param module  The module: UTF-8, "host" or "app.host".
/// @param name    The function's name in it: UTF-8.
/// @param fn      The function.
/// @param user    Handed to it. The library does not touch it.
/// @param drop    Called once with `user`, whatever becomes of this call. NULL: nothing is called.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_OK;
///         #SUBPY_ERR_INVALID_ARGUMENT for NULL, wrong options, or what can't be a name;
///         #SUBPY_ERR_EXCEPTION if the module exists, and raised an exception when it was imported;
///         and as subpy_run_string_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: subpy's own.
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
            Interpreter::find(Id::new(id))?.define(module, name, &options, handler)
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

/// Answers a call with a value. The library copies it, save the memory of its buffers. A value that is wrong becomes
/// a ValueError or a TypeError in the script, which says where it is wrong.
///
/// @param call  The call. NULL: nothing happens.
/// @param value The value. NULL stands for None.
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
/// @param call    The call. NULL: nothing happens.
/// @param type    The type of the exception: "builtins.ValueError", "package.module.Oops" or, in short,
///                "ValueError". The module is imported. For a type that does not exist, or that is not made of a
///                message alone, the script gets a RuntimeError that says so. NULL stands for "RuntimeError". UTF-8.
///                The library copies it.
/// @param message The argument of the exception. NULL stands for "". UTF-8. The library copies it.
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
/// @return A dict, of length 0 if there are none. The call owns it. NULL for NULL.
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
/// @return The interpreter's id; -1 for NULL.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_interpreter(call: *mut subpy_host_call) -> subpy_id {
    // SAFETY: the caller keeps the header's contract.
    unsafe { call_of(call) }.map_or(-1, |call| call.interpreter().get())
}

/// The namespace that makes a call: that of the innermost function of the calling thread which is in a namespace or in
/// `__main__`. If there is none, that of the run.
///
/// @param call The call.
/// @return The name: UTF-8. The call owns it. NULL for `__main__`, and for NULL.
///
/// Threads: the one that the host function was called in.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_host_namespace(call: *mut subpy_host_call) -> *const c_char {
    // SAFETY: the caller keeps the header's contract.
    let namespace = unsafe { call_of(call) }.and_then(|call| call.namespace());
    namespace.map_or(std::ptr::null(), CStr::as_ptr)
}
