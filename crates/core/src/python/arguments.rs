//! Arguments of a function in Rust that Python calls: by position or by name.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::python::object::Object;

/// What a function of `METH_FASTCALL | METH_KEYWORDS` is called with, each NULL if it is left out. `None`: an exception
/// is set.
///
/// # Safety
/// As Python calls such a function.
#[inline(always)]
pub(crate) unsafe fn take<const N: usize>(
    function: &str,
    parameters: [&CStr; N],
    required: usize,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<[*mut ffi::PyObject; N]> {
    let count = count as usize;
    let mut taken = [null_mut(); N];
    if count <= N {
        for (i, place) in taken.iter_mut().enumerate().take(count) {
            // SAFETY: so many arguments.
            *place = unsafe { *arguments.add(i) };
        }
        if names.is_null() && count >= required {
            return Some(taken);
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        take_named(
            function, parameters, required, arguments, count, names, taken,
        )
    }
}

#[cold]
unsafe fn take_named<const N: usize>(
    function: &str,
    parameters: [&CStr; N],
    required: usize,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
    mut taken: [*mut ffi::PyObject; N],
) -> Option<[*mut ffi::PyObject; N]> {
    if count > N {
        return wrong(&format!(
            "{function}() takes at most {N} arguments ({count} given)"
        ));
    }
    // SAFETY: the caller's promise: a tuple of strs, or NULL, and as many arguments more.
    unsafe {
        let named = match names.is_null() {
            true => 0,
            false => ffi::PyTuple_GET_SIZE(names),
        };
        for i in 0..named {
            let name = ffi::PyTuple_GET_ITEM(names, i);
            let is_it = |parameter: &&CStr| {
                ffi::PyUnicode_CompareWithASCIIString(name, parameter.as_ptr()) == 0
            };
            let Some(place) = parameters.iter().position(is_it) else {
                let name = Object::borrowed(name)?.to_text()?;
                return wrong(&format!("{function}() has no parameter '{name}'"));
            };
            if !taken[place].is_null() {
                let name = parameters[place].to_string_lossy();
                return wrong(&format!("{function}() got '{name}' twice"));
            }
            taken[place] = *arguments.add(count + i as usize);
        }
    }
    if let Some(missing) = taken
        .iter()
        .take(required)
        .position(|place| place.is_null())
    {
        let name = parameters[missing].to_string_lossy();
        return wrong(&format!("{function}() needs '{name}'"));
    }
    Some(taken)
}

/// Raises TypeError.
fn wrong<T>(message: &str) -> Option<T> {
    let message = Object::text(message)?;
    // SAFETY: attached; a type and its argument.
    unsafe { ffi::PyErr_SetObject(ffi::PyExc_TypeError, message.as_ptr()) };
    None
}
