//! Python's exceptions: set, taken, asked for what they are.

use std::ffi::{CStr, c_int};

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception};

/// The exception that is set, normalized, with its traceback attached.
pub(crate) fn raised(py: Attached<'_>) -> Option<Object> {
    #[cfg(Py_3_12)]
    // SAFETY: attached; the result is ours.
    unsafe {
        Object::owned(py, ffi::PyErr_GetRaisedException())
    }
    #[cfg(not(Py_3_12))]
    // SAFETY: attached; the three references are ours.
    unsafe {
        let (mut kind, mut value, mut traceback) = (
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
        ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
        ffi::PyErr_NormalizeException(&mut kind, &mut value, &mut traceback);
        let _kind = Object::owned(py, kind);
        let value = Object::owned(py, value);
        if let (Some(traceback), Some(value)) = (Object::owned(py, traceback), &value) {
            ffi::PyException_SetTraceback(value.as_ptr(), traceback.as_ptr());
        }
        value
    }
}

/// Does `work`, which sets no exception, while the one that is set is none. Then it is set again.
pub(crate) fn set_aside(_: Attached<'_>, work: impl FnOnce()) {
    let [mut kind, mut value, mut traceback] = [std::ptr::null_mut(); 3];
    // SAFETY: attached; the references are ours, and are handed over again.
    #[allow(deprecated)]
    unsafe {
        ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
        work();
        ffi::PyErr_Restore(kind, value, traceback);
    }
}

/// Sets an exception of this class.
pub(crate) fn set(py: Attached<'_>, class: &Object, message: &str) {
    if let Some(message) = Object::text(py, message) {
        // SAFETY: attached; live objects. What is no class of exceptions is refused.
        unsafe { ffi::PyErr_SetObject(class.as_ptr(), message.as_ptr()) };
    }
}

/// Sets OSError for a number of the system's.
pub(crate) fn set_os_error<T>(_: Attached<'_>, errno: c_int) -> Option<T> {
    // SAFETY: attached; errno is this thread's.
    unsafe {
        *libc::__errno_location() = errno;
        ffi::PyErr_SetFromErrno(ffi::PyExc_OSError);
    }
    None
}

pub(crate) fn is_set(_: Attached<'_>) -> bool {
    // SAFETY: attached.
    unsafe { !ffi::PyErr_Occurred().is_null() }
}

/// One of Python's own classes of exceptions.
#[derive(Clone, Copy)]
pub(crate) struct ExceptionClass(*const *mut ffi::PyObject);

pub(crate) const ARITHMETIC_ERROR: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_ArithmeticError);
pub(crate) const ATTRIBUTE_ERROR: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_AttributeError);
#[cfg(Py_3_11)]
pub(super) const EXCEPTION_GROUP: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_BaseExceptionGroup);
pub(crate) const BUFFER_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_BufferError);
pub(crate) const KEYBOARD_INTERRUPT: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_KeyboardInterrupt);
pub(crate) const MEMORY_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_MemoryError);
pub(crate) const MODULE_NOT_FOUND: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_ModuleNotFoundError);
pub(crate) const OS_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_OSError);
pub(crate) const RUNTIME_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_RuntimeError);
pub(super) const SYNTAX_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_SyntaxError);
pub(crate) const SYSTEM_EXIT: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_SystemExit);
pub(crate) const TYPE_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_TypeError);
pub(crate) const UNICODE_DECODE: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_UnicodeDecodeError);
pub(crate) const UNICODE_ENCODE: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_UnicodeEncodeError);
pub(crate) const VALUE_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_ValueError);

impl ExceptionClass {
    pub(crate) fn object(self, py: Attached<'_>) -> Option<Object> {
        // SAFETY: attached; it lives as long as Python.
        unsafe { Object::borrowed(py, *self.0) }
    }

    /// Sets an exception of this class.
    pub(crate) fn raise<T>(self, py: Attached<'_>, message: &str) -> Option<T> {
        set(py, &self.object(py)?, message);
        None
    }

    /// Whether the exception that is set is one.
    pub(crate) fn is_set(self, _: Attached<'_>) -> bool {
        // SAFETY: attached; a class that lives as long as Python.
        unsafe { ffi::PyErr_ExceptionMatches(*self.0) != 0 }
    }

    /// Whether this exception is one.
    pub(crate) fn has(self, _: Attached<'_>, exception: &Object) -> bool {
        // SAFETY: as above; a live object.
        unsafe { ffi::PyErr_GivenExceptionMatches(exception.as_ptr(), *self.0) != 0 }
    }
}

/// Sets an exception again that [`raised`] has taken.
pub(crate) fn restore(_py: Attached<'_>, exception: Object) {
    #[cfg(Py_3_12)]
    // SAFETY: attached; the reference is handed over.
    unsafe {
        ffi::PyErr_SetRaisedException(exception.into_ptr());
    }
    #[cfg(not(Py_3_12))]
    // SAFETY: attached; the references are handed over.
    unsafe {
        let kind = exception.class(_py);
        let traceback = ffi::PyException_GetTraceback(exception.as_ptr());
        let kind = kind.map_or(std::ptr::null_mut(), Object::into_ptr);
        ffi::PyErr_Restore(kind, exception.into_ptr(), traceback);
    }
}

/// The module of an exception's type, and its name there.
pub(super) fn class_of(py: Attached<'_>, exception: &Object) -> (String, String) {
    let kind = exception.class(py);
    let part = |name: &CStr| {
        let part = kind.as_ref().and_then(|kind| kind.attribute(py, name));
        let text = part.and_then(|part| part.to_text(py));
        clear_exception(py); // a class may raise at each
        text
    };
    let (module, name) = (part(c"__module__"), part(c"__qualname__"));
    let name = name.unwrap_or_else(|| "<unknown>".into());
    (module.unwrap_or_default(), name)
}

/// As a traceback names it.
pub(super) fn full_name((module, name): &(String, String)) -> String {
    match &**module {
        "" | "builtins" | "__main__" => name.clone(),
        module => format!("{module}.{name}"),
    }
}

pub(super) fn text_of(py: Attached<'_>, object: &Object) -> Option<String> {
    // SAFETY: a live object; the result is new.
    let text = unsafe { Object::owned(py, ffi::PyObject_Str(object.as_ptr())) };
    let text = text.and_then(|t| t.to_text(py));
    clear_exception(py);
    text
}

/// The exception that is set, in one line, for an error of ours that it has caused.
pub(crate) fn one_line(py: Attached<'_>) -> String {
    raised(py).map_or("no exception".into(), |exception| line_of(py, &exception))
}

/// An exception in one line.
pub(crate) fn line_of(py: Attached<'_>, exception: &Object) -> String {
    let name = full_name(&class_of(py, exception));
    match text_of(py, exception) {
        Some(text) if !text.is_empty() => format!("{name}: {text}"),
        _ => name,
    }
}
