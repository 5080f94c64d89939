//! Objects that stay in Python, of which the host has handles.

use std::ffi::c_char;

use subpy_core::value::RawValue;
use subpy_core::{Arguments, Error, Id, Interpreter, ObjectHandle, RunOptions};

use crate::arguments::{array, bytes, out, read, required};
use crate::boundary::{enter, or_else};
use crate::data::{call_options, conversion, default_for, lending, one, subpy_call_options, write};
use crate::errors::{subpy_error, subpy_status};
use crate::interpreters::subpy_id;
use crate::running::{run_options, subpy_run_options};

/// A handle of a Python object: a reference to it. 0 is none. A handle that was released, or whose interpreter is destroyed, is
/// stale: calls with it are #SUBPY_ERR_NOT_FOUND, and nothing else happens.
///
/// A handle does not keep its interpreter from being destroyed. Its object lives until the last reference is released with
/// subpy_object_release().
pub type subpy_object = u64;

/// Does something with a handle that somebody else keeps.
fn with<T>(object: subpy_object, work: impl FnOnce(&ObjectHandle) -> T) -> T {
    let handle = std::mem::ManuallyDrop::new(ObjectHandle::from_raw(object));
    work(&handle)
}

/// Writes the handle that `work` gives to a place, where there is 0 if it fails.
///
/// # Safety
/// `place` is NULL or may be written to.
unsafe fn give(
    place: *mut subpy_object,
    work: impl FnOnce() -> Result<ObjectHandle, Error>,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let place = unsafe { out(place, "object") }?;
    *place = 0;
    *place = work()?.into_raw();
    Ok(())
}

/// A handle of the object that a name has in an interpreter's `__main__`: subpy_get_object_with() with the defaults.
///
/// @param id     The interpreter.
/// @param name   The name: UTF-8.
/// @param object Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
/// @param error  NULL, or where the error goes.
/// @return As subpy_get_object_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_object(
    id: subpy_id,
    name: *const c_char,
    object: *mut subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            give(object, || {
                let name = bytes(name, "name")?;
                Interpreter::find(Id::new(id))?.get_object(name, &RunOptions::default())
            })
        })
    }
}

/// A handle of the object that a name has.
///
/// @param id      The interpreter.
/// @param options The namespace and the limits, as for subpy_run_string_with(). NULL for the defaults.
/// @param name    The name: UTF-8.
/// @param object  Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
/// @param error   NULL, or where the error goes.
/// @return As subpy_get_with(); but each object has a handle, so that none is #SUBPY_ERR_NOT_SHAREABLE.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's references.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_get_object_with(
    id: subpy_id,
    options: *const subpy_run_options,
    name: *const c_char,
    object: *mut subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            give(object, || {
                let (name, options) = (bytes(name, "name")?, run_options(id, options)?);
                Interpreter::find(Id::new(id))?.get_object(name, &options)
            })
        })
    }
}

/// A handle of the object that an expression gives: subpy_eval_object_with() with the defaults.
///
/// @param id         The interpreter.
/// @param expression The expression: UTF-8, ends in a NUL. The library does not keep it.
/// @param object     Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
/// @param error      NULL, or where the error goes.
/// @return As subpy_eval_object_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_eval_object(
    id: subpy_id,
    expression: *const c_char,
    object: *mut subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            give(object, || {
                let expression = bytes(expression, "expression")?;
                Interpreter::find(Id::new(id))?.eval_object(expression, &RunOptions::default())
            })
        })
    }
}

/// A handle of the object that an expression gives.
///
/// @param id         The interpreter.
/// @param options    The namespace and the limits, as for subpy_run_string_with(). NULL for the defaults.
/// @param expression The expression: UTF-8, without NUL characters. The library does not keep it.
/// @param length     The length of the expression, in bytes.
/// @param object     Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
/// @param error      NULL, or where the error goes.
/// @return As subpy_run_string_with() for the evaluation.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: Python's `eval()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_eval_object_with(
    id: subpy_id,
    options: *const subpy_run_options,
    expression: *const c_char,
    length: usize,
    object: *mut subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            give(object, || {
                let expression = array(expression, length, "expression")?;
                let options = run_options(id, options)?;
                Interpreter::find(Id::new(id))?.eval_object(expression, &options)
            })
        })
    }
}

/// Compiles a program, for subpy_object_run(), which runs it in `__main__`. The limits are for compiling it.
///
/// @param id      The interpreter.
/// @param options What tracebacks call it, and the limits, as for subpy_run_string_with(). NULL for the defaults.
/// @param code    The program: UTF-8, without NUL characters. The library does not keep it.
/// @param length  The length of the program, in bytes.
/// @param object  Where the handle goes, which subpy_object_release() gives back. It is 0 if the call fails.
/// @param error   NULL, or where the error goes.
/// @return As subpy_run_string_with(): #SUBPY_ERR_EXCEPTION if it can't be compiled.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: Python's `compile()`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_compile(
    id: subpy_id,
    options: *const subpy_run_options,
    code: *const c_char,
    length: usize,
    object: *mut subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            give(object, || {
                let (code, options) = (array(code, length, "code")?, run_options(id, options)?);
                Interpreter::find(Id::new(id))?.compile(code, &options)
            })
        })
    }
}

/// Calls an object with positional arguments: subpy_object_call_with() with the defaults.
///
/// @param object The object.
/// @param args   The arguments. The library does not keep them. May be NULL if `nargs` is 0.
/// @param nargs  The number of arguments.
/// @param out    Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The value that was
///               there before is not cleared. NULL: the result is thrown away.
/// @param error  NULL, or where the error goes.
/// @return As subpy_object_call_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_call(
    object: subpy_object,
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
                ObjectHandle::call_into(object, &mut args, default_for(out), result)
            })
        })
    }
}

/// Calls an object. A coroutine is run to its end, as by subpy_call_with().
///
/// @param object  The object.
/// @param options NULL for the defaults. subpy_call_options::keywords is taken as `args` are.
/// @param args    The arguments. The library does not keep them. May be NULL if `nargs` is 0.
/// @param nargs   The number of arguments.
/// @param out     Where the result goes; clear it with subpy_value_clear(). It is None if the call fails. The value that was
///                there before is not cleared. NULL: the result is thrown away.
/// @param error   NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         #SUBPY_ERR_INVALID_ARGUMENT also for an object that can't be called, and for an argument that is an object of another
///         interpreter;
///         and as subpy_call_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_Call`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_call_with(
    object: subpy_object,
    options: *const subpy_call_options,
    args: *const RawValue,
    nargs: usize,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let options = read(options)?;
                let mut args = lending(args, nargs, options.keywords)?;
                let id = with(object, ObjectHandle::interpreter)?.get();
                let options = call_options(id, &options, !out.is_null())?;
                ObjectHandle::call_into(object, &mut args, &options, result)
            })
        })
    }
}

/// Calls a method of an object. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
///
/// @param object The object.
/// @param name   The method: UTF-8.
/// @param args   The arguments. The library does not keep them. May be NULL if `nargs` is 0.
/// @param nargs  The number of arguments.
/// @param out    Where the result goes; clear it with subpy_value_clear(). It is None if the call fails.
/// @param error  NULL, or where the error goes.
/// @return As subpy_object_call_with(); #SUBPY_ERR_EXCEPTION if there is no such method.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_CallMethod`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_call_method(
    object: subpy_object,
    name: *const c_char,
    args: *const RawValue,
    nargs: usize,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let args = lending(args, nargs, std::ptr::null())?;
                let name = required(name, "name")?;
                *result = with(object, |object| object.call_method(name, args))?;
                Ok(())
            })
        })
    }
}

/// Reads an attribute of an object. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
///
/// @param object    The object.
/// @param attribute The attribute's name: UTF-8.
/// @param out       Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
/// @param error     NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         #SUBPY_ERR_EXCEPTION if there is no such attribute;
///         and as subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_GetAttr`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_get(
    object: subpy_object,
    attribute: *const c_char,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let attribute = required(attribute, "attribute")?;
                *result = with(object, |object| object.attribute(attribute))?;
                Ok(())
            })
        })
    }
}

/// Sets an attribute of an object.
///
/// @param object    The object.
/// @param attribute The attribute's name: UTF-8.
/// @param value     The value. The library copies it, save the memory of its buffers, and does not keep it.
/// @param error     NULL, or where the error goes.
/// @return As subpy_object_get(), and as subpy_set_with() for the value.
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_SetAttr`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_set(
    object: subpy_object,
    attribute: *const c_char,
    value: *const RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            let value = Arguments::from(one(value, "value")?);
            let attribute = required(attribute, "attribute")?;
            with(object, |object| object.set_attribute(attribute, value))
        })
    }
}

/// Reads what an object has at a key or an index. What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
///
/// @param object The object.
/// @param key    The key or the index.
/// @param out    Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         #SUBPY_ERR_EXCEPTION if there is nothing: a KeyError, an IndexError;
///         and as subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_GetItem`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_item(
    object: subpy_object,
    key: *const RawValue,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let key = Arguments::from(one(key, "key")?);
                *result = with(object, |object| object.item(key))?;
                Ok(())
            })
        })
    }
}

/// The next item of an iterator. (Of a list it is `__iter__` that gives one: subpy_object_call_method().) What is no plain data comes back as a #SUBPY_OBJECT, which is released with the value.
///
/// @param iterator The iterator.
/// @param out      Where the item goes; clear it with subpy_value_clear(). It is None if there is no more, and if the call fails.
/// @param done     Where true goes if there is no more, else false.
/// @param error    NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         #SUBPY_ERR_INVALID_ARGUMENT also for an object that is no iterator;
///         and as subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyIter_Next`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_next(
    iterator: subpy_object,
    out: *mut RawValue,
    done: *mut bool,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let done = crate::arguments::out(done, "done")?;
                *done = false;
                match with(iterator, ObjectHandle::next)? {
                    Some(item) => *result = item,
                    None => *done = true,
                }
                Ok(())
            })
        })
    }
}

/// The value of an object, as plain data.
///
/// @param object The object.
/// @param flags  As subpy_call_options::flags.
/// @param out    Where the value goes; clear it with subpy_value_clear(). It is None if the call fails.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         and as subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: subpy's own.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_value(
    object: subpy_object,
    flags: u32,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                let conversion = conversion(flags)?;
                *result = with(object, |object| object.value(conversion))?;
                Ok(())
            })
        })
    }
}

/// The `str()` of an object.
///
/// @param object The object.
/// @param out    Where it goes, a #SUBPY_STR; clear it with subpy_value_clear(). It is None if the call fails.
/// @param error  NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         and as subpy_get_with().
///
/// Threads: any. A GIL that the calling thread holds is released meanwhile.
///
/// Source: CPython's `PyObject_Str`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_text(
    object: subpy_object,
    out: *mut RawValue,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe {
        enter(error, || {
            write(out, |result| {
                *result = with(object, ObjectHandle::text_value)?;
                Ok(())
            })
        })
    }
}

/// Runs a program of subpy_compile() in its interpreter's `__main__`.
///
/// @param code  The code.
/// @param error NULL, or where the error goes.
/// @return #SUBPY_ERR_NOT_FOUND for a stale handle;
///         #SUBPY_ERR_INVALID_ARGUMENT for an object that is no code;
///         and as subpy_run_string_with().
///
/// Threads: as for subpy_run_string_with().
///
/// Source: CPython's `PyEval_EvalCode`.
///
/// # Safety
/// As the parameters say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subpy_object_run(
    code: subpy_object,
    error: *mut *mut subpy_error,
) -> subpy_status {
    // SAFETY: the caller keeps the header's contract for all of them.
    unsafe { enter(error, || with(code, ObjectHandle::run)) }
}

/// One more reference to an object. It never waits.
///
/// @param object The object. One that is stale or 0 stays what it is.
/// @return `object`.
///
/// Threads: any, at any time, with or without a GIL.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_object_retain(object: subpy_object) -> subpy_object {
    or_else((), || {
        let _ = ObjectHandle::retained(object).map(ObjectHandle::into_raw);
    });
    object
}

/// Gives a reference back. With the last one the handle is stale, and the object goes when its interpreter does something next;
/// where more than 1,000 wait for that and nothing runs, a thread of the library lets them go. It never waits.
///
/// What scripts have written for the end of objects (`__del__`) runs then. The limits of the call that comes next are not for that:
/// it has a second of its own, and is told to end then. A call that comes while the thread of the library is at it waits for
/// that; but where it has called the host, and that has not returned for two seconds, the interpreter is #SUBPY_ERR_BUSY.
///
/// @param object The object. One that is stale or 0 stays what it is.
///
/// Threads: any, at any time, with or without a GIL; also after subpy_finalize().
#[unsafe(no_mangle)]
pub extern "C" fn subpy_object_release(object: subpy_object) {
    or_else((), || drop(ObjectHandle::from_raw(object)));
}

/// The interpreter of an object.
///
/// @param object The object.
/// @return Its id; -1 for a stale handle.
///
/// Threads: any, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_object_interpreter(object: subpy_object) -> subpy_id {
    or_else(-1, || {
        with(object, ObjectHandle::interpreter).map_or(-1, Id::get)
    })
}
