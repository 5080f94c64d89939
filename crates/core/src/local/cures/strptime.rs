//! Defect: `datetime.strptime` keeps the module `_strptime` of the interpreter that called it first in a C static: the
//! others run the code of that one, with its caches, also when it is gone. (gh-71587)
//!
//! Has it: 3.12 and before, among interpreters that have one C module `_datetime`: those with one GIL.
//!
//! Cure: what it keeps is a module of ours, the main interpreter's, whose one function calls that of the interpreter
//! which is attached.

#[cfg(not(Py_3_14))]
use crate::local::attach::Attached;
#[cfg(not(Py_3_13))]
use crate::local::python::method::method;

/// Nothing to do in this version.
#[cfg(all(Py_3_13, not(Py_3_14)))]
pub(crate) fn cure(_: Attached<'_>) {}

/// Has `datetime.strptime` keep our module. To be called while the main interpreter is attached, which has `_datetime`
/// and in which nobody has called that.
#[cfg(not(Py_3_13))]
pub(crate) fn cure(py: Attached<'_>) -> Option<()> {
    use pyo3_ffi as ffi;

    use crate::local::python::embedded_code::EmbeddedCode;
    use crate::local::python::method::Method;

    static KEEP: EmbeddedCode = EmbeddedCode::new(
        c"<subpy>",
        c"
def keep(strptime):
    import sys
    from _datetime import datetime
    name = '_strptime'
    ours = type(sys)(name)
    ours._strptime_datetime = lambda *arguments: None
    before = sys.modules.get(name)
    sys.modules[name] = ours
    try:
        datetime.strptime('', '')
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        ours._strptime_datetime = strptime
",
    );
    static STRPTIME: Method = Method::new(c"_strptime_datetime", strptime, ffi::METH_VARARGS);
    let keep = EmbeddedCode::function(py, &KEEP.run(py)?, c"keep")?;
    keep.call(py, &[&STRPTIME.bind(py, None)?]).map(drop)
}

// Calls the `_strptime._strptime_datetime` of the attached interpreter.
#[cfg(not(Py_3_13))]
method!(strptime, |py, _, Some(arguments)| {
    crate::local::python::object::import(py, c"_strptime")?
        .attribute(py, c"_strptime_datetime")?
        .call_with(py, arguments)
});
