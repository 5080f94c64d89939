//! Defect: `_sre` keeps `re._compile_template` and does not show it to the garbage collector. What that function has
//! cached leads back to `_sre`, so an interpreter that has ended keeps all of that: 750 KiB after one `re.sub` with a
//! group in the replacement, or one `time.strptime`.
//!
//! Has it: 3.12.1. 3.13.0 does not.
//!
//! Cure: the cache is emptied before the interpreter ends.

/// To be called while the interpreter is attached, before it is ended.
#[cfg(all(Py_3_12, not(Py_3_13)))]
pub(crate) fn forget() {
    use crate::python::object::{clear_exception, imported};

    let forget = || {
        let function = imported(c"re")?.attribute(c"_compile_template")?;
        function.attribute(c"cache_clear")?.call(&[])
    };
    drop(forget());
    clear_exception();
}

/// Nothing to do in this version.
#[cfg(not(all(Py_3_12, not(Py_3_13))))]
pub(crate) fn forget() {}
