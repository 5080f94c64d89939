//! Functions in Rust that Python calls, and their arguments: by position or by name.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::exception::TYPE_ERROR;
use crate::local::python::object::Object;

/// Defines a function of `METH_FASTCALL | METH_KEYWORDS`: `function!(name(parameters; required, positional), of, |py,
/// this, taken| work)`. `of` makes `this` of what it is bound to; `taken` are the arguments, each `None` if it is left out, `Some` if it is
/// required; so many are, and so many may be given by position. The result of `work` is what Python gets; `None`: an exception is set.
macro_rules! function {
    ($function:ident($($parameter:literal),*; $required:literal, $positional:literal), $of:path, |$py:ident, $this:ident, $taken:pat_param| $work:expr) => {
        unsafe extern "C" fn $function(
            this: *mut ffi::PyObject,
            arguments: *const *mut ffi::PyObject,
            count: ffi::Py_ssize_t,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            $crate::local::python::method::answer(|$py| {
                // SAFETY: called by Python, attached, bound to what its method table says; all of it lives meanwhile.
                let ($this, taken) = unsafe {
                    let name = stringify!($function);
                    let parameters = [$($parameter),*];
                    let taken = $crate::local::python::arguments::take(
                        $py, name, parameters, ($required, $positional), arguments, count, names,
                    )?;
                    ($of($py, $crate::local::python::object::Object::lent($py, &this)?), taken)
                };
                match taken {
                    $taken => $work,
                    #[allow(unreachable_patterns)]
                    _ => None,
                }
            })
        }
    };
}
pub(crate) use function;

/// What a function of `METH_FASTCALL | METH_KEYWORDS` is called with, each `None` if it is left out: so many are
/// required, and so many may be given by position. `None`: an exception is set.
///
/// # Safety
/// As Python calls such a function.
#[inline]
pub(crate) unsafe fn take<'a, const N: usize>(
    py: Attached<'_>,
    function: &str,
    parameters: [&CStr; N],
    (required, positional): (usize, usize),
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<[Option<&'a Object>; N]> {
    let count = count as usize;
    let mut taken = [None; N];
    if count <= positional {
        for (i, place) in taken.iter_mut().enumerate().take(count) {
            // SAFETY: so many arguments.
            *place = unsafe { Object::lent(py, &*arguments.add(i)) };
        }
        if names.is_null() && count >= required {
            return Some(taken);
        }
    }
    if count > positional {
        return TYPE_ERROR.raise(
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
unsafe fn take_named<'a, const N: usize>(
    py: Attached<'_>,
    function: &str,
    parameters: [&CStr; N],
    required: usize,
    values: *const *mut ffi::PyObject,
    names: *mut ffi::PyObject,
    mut taken: [Option<&'a Object>; N],
) -> Option<[Option<&'a Object>; N]> {
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
                return TYPE_ERROR.raise(py, &format!("{function}() has no parameter '{name}'"));
            };
            if taken[place].is_some() {
                let name = parameters[place].to_string_lossy();
                return TYPE_ERROR.raise(py, &format!("{function}() got '{name}' twice"));
            }
            taken[place] = Object::lent(py, &*values.add(i as usize));
        }
    }
    if let Some(missing) = taken
        .iter()
        .take(required)
        .position(|place| place.is_none())
    {
        let name = parameters[missing].to_string_lossy();
        return TYPE_ERROR.raise(py, &format!("{function}() needs '{name}'"));
    }
    Some(taken)
}
