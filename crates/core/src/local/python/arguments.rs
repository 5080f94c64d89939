//! Functions in Rust that Python calls, and their arguments: by position or by name.

use std::ffi::CStr;
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::exception;
use crate::local::python::object::Object;

/// Defines a function of `METH_FASTCALL | METH_KEYWORDS`: `function!(name(parameters; required, positional), of, |py,
/// this, taken| work)`. `of` makes `this` of what it is bound to; `taken` are the arguments, each NULL if it is left out; so many are
/// required, and so many may be given by position. The result of `work` is what Python gets; `None`: an exception is set.
macro_rules! function {
    ($function:ident($($parameter:literal),*; $required:literal, $positional:literal), $of:path, |$py:ident, $this:ident, $taken:pat_param| $work:expr) => {
        unsafe extern "C" fn $function(
            this: *mut ffi::PyObject,
            arguments: *const *mut ffi::PyObject,
            count: ffi::Py_ssize_t,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            let current = $crate::local::attach::Current::get();
            let $py = current.attached();
            let work = || {
                // SAFETY: called by Python, attached, bound to what its method table says; all of it lives meanwhile.
                let ($this, $taken) = unsafe {
                    let name = stringify!($function);
                    let parameters = [$($parameter),*];
                    let taken = $crate::local::python::arguments::take(
                        $py, name, parameters, ($required, $positional), arguments, count, names,
                    )?;
                    ($of($py, this), taken)
                };
                $work
            };
            work().map_or(std::ptr::null_mut(), $crate::local::python::object::Object::into_ptr)
        }
    };
}
pub(crate) use function;

/// What a function of `METH_FASTCALL | METH_KEYWORDS` is called with, each NULL if it is left out: so many are
/// required, and so many may be given by position. `None`: an exception is set.
///
/// # Safety
/// As Python calls such a function.
#[inline(always)]
pub(crate) unsafe fn take<const N: usize>(
    py: Attached<'_>,
    function: &str,
    parameters: [&CStr; N],
    (required, positional): (usize, usize),
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<[*mut ffi::PyObject; N]> {
    let count = count as usize;
    let mut taken = [null_mut(); N];
    if count <= positional {
        for (i, place) in taken.iter_mut().enumerate().take(count) {
            // SAFETY: so many arguments.
            *place = unsafe { *arguments.add(i) };
        }
        if names.is_null() && count >= required {
            return Some(taken);
        }
    }
    if count > positional {
        return wrong(
            py,
            &format!(
                "{function}() takes at most {positional} arguments by position ({count} given)"
            ),
        );
    }
    // SAFETY: the caller's promise.
    unsafe {
        take_named(
            py,
            function,
            parameters,
            required,
            arguments.add(count),
            names,
            taken,
        )
    }
}

#[cold]
unsafe fn take_named<const N: usize>(
    py: Attached<'_>,
    function: &str,
    parameters: [&CStr; N],
    required: usize,
    values: *const *mut ffi::PyObject,
    names: *mut ffi::PyObject,
    mut taken: [*mut ffi::PyObject; N],
) -> Option<[*mut ffi::PyObject; N]> {
    // SAFETY: the caller's promise: a tuple of strs, or NULL, and as many values.
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
                let name = Object::borrowed(py, name)?.to_text(py)?;
                return wrong(py, &format!("{function}() has no parameter '{name}'"));
            };
            if !taken[place].is_null() {
                let name = parameters[place].to_string_lossy();
                return wrong(py, &format!("{function}() got '{name}' twice"));
            }
            taken[place] = *values.add(i as usize);
        }
    }
    if let Some(missing) = taken
        .iter()
        .take(required)
        .position(|place| place.is_null())
    {
        let name = parameters[missing].to_string_lossy();
        return wrong(py, &format!("{function}() needs '{name}'"));
    }
    Some(taken)
}

/// Raises TypeError.
fn wrong<T>(py: Attached<'_>, message: &str) -> Option<T> {
    // SAFETY: attached; a class of Python's own.
    unsafe { exception::set(py, ffi::PyExc_TypeError, message) };
    None
}
