//! Defect: the decoder of `\N{...}` escapes keeps a pointer to the database of `unicodedata` in a C static,
//! from the interpreter that decodes one first. When that one has ended, the next escape, in whatever
//! interpreter, reads freed memory.
//!
//! Has it: 3.11 and before; later versions keep it for each interpreter.
//!
//! Cure: the main interpreter decodes one at start.

use crate::local::attach::Attached;

/// To be called when Python is started or joined, while the main interpreter is attached.
#[cfg(Py_3_12)]
pub(crate) fn load(_: Attached<'_>) {}

/// To be called when Python is started or joined, while the main interpreter is attached.
#[cfg(not(Py_3_12))]
pub(crate) fn load(py: Attached<'_>) {
    use pyo3_ffi as ffi;

    use crate::local::python::object::{Object, clear_exception};

    let escape = c"\\N{SPACE}";
    // SAFETY: attached; the text has that length; the result is new.
    unsafe {
        let length = escape.to_bytes().len() as ffi::Py_ssize_t;
        let strict = std::ptr::null();
        drop(Object::owned(
            py,
            ffi::PyUnicode_DecodeUnicodeEscape(escape.as_ptr(), length, strict),
        ));
    }
    clear_exception(py); // there may be no unicodedata: then there is no database to keep
}
