//! How deep scripts may let calls be nested: `sys.setrecursionlimit()` can't pass that.

use std::ffi::c_int;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::exception::VALUE_ERROR;
use crate::local::python::method::{Method, method};
use crate::local::python::object::{Object, clear_exception, in_sys, set_in_sys};

/// Limits it in the attached interpreter; 0: it is not limited. `None`: an exception is set.
pub(super) fn limit(py: Attached<'_>, limit: u32) -> Option<()> {
    static SET: Method = Method::new(c"setrecursionlimit", set, ffi::METH_O).with_doc(
        c"setrecursionlimit($module, limit, /)\n--\n\n\
        Set the maximum depth of the Python interpreter stack, within the limit of this interpreter.",
    );
    if limit == 0 {
        return Some(());
    }
    // SAFETY: attached.
    unsafe {
        let most = c_int::try_from(limit).unwrap_or(c_int::MAX);
        if ffi::Py_GetRecursionLimit() > most {
            ffi::Py_SetRecursionLimit(most);
        }
    }
    let replaced = in_sys(py, c"setrecursionlimit")?;
    let own = Object::tuple(py, &[&replaced, &Object::int(py, limit.into())?])?;
    set_in_sys(py, c"setrecursionlimit", &SET.bind(py, Some(&own))?)
}

method!(set, |py, Some(own), Some(wish)| {
    let most = own.at(py, 1)?.number(py);
    let wished = if wish.is_int(py) { wish.number(py) } else { 0 };
    clear_exception(py); // CPython's own says what is wrong with it
    if wished > most {
        let message = format!("the recursion limit can be {most} at most here (recursion_limit)");
        return VALUE_ERROR.raise(py, &message);
    }
    own.at(py, 0)?.call(py, &[wish])
});
