//! From a Python exception to an [`Error`]: a snapshot with the traceback as Python prints it.

use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::data::error::{Error, Exception, Status};
use crate::data::tree::OwnedValue;
use crate::local::attach::Attached;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::object::{Object, clear_exception};
use std::ffi::{CStr, c_int};

/// The Python side: finds the file names in an exception's tracebacks, and prints them.
static DESCRIBE: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    c"
def filenames(exception):
    names, seen, todo = set(), set(), [exception]
    while todo:
        e = todo.pop()
        if e is None or id(e) in seen:
            continue
        seen.add(id(e))
        todo += e.__cause__, e.__context__, *getattr(e, 'exceptions', ())
        step = e.__traceback__
        while step is not None:
            names.add(step.tb_frame.f_code.co_filename)
            step = step.tb_next
    return '\\0'.join(names)

LONG = 2000

def describe(exception, *sources):
    import sys
    # A script's filter may raise (3.15).
    imports_filter = getattr(sys, 'get_lazy_imports_filter', lambda: None)()
    if imports_filter is None:
        return text_of(exception, dict(zip(sources[::2], sources[1::2])))
    sys.set_lazy_imports_filter(None)
    try:
        return text_of(exception, dict(zip(sources[::2], sources[1::2])))
    finally:
        sys.set_lazy_imports_filter(imports_filter)

def text_of(exception, sources):
    import io, linecache, traceback
    before = {name: dict.get(linecache.cache, name) for name in sources}
    for name, text in sources.items():
        linecache.cache[name] = len(text), None, io.StringIO(text, None).readlines(), name
    try:
        tb = exception.__traceback__
        while tb is not None and tb.tb_frame.f_code.co_filename == '<subpy>':
            tb = tb.tb_next  # of subpy's own
        lines = traceback.format_exception(type(exception), exception, tb, limit=-LONG)
        left_out = -LONG
        while tb is not None:
            left_out += 1
            tb = tb.tb_next
        if left_out > 0:
            lines.insert(0, f'(the first {left_out} frames of the last traceback are left out)\\n')
        return ''.join(lines)
    finally:
        for name, entry in before.items():
            if entry is None:
                linecache.cache.pop(name, None)
            else:
                linecache.cache[name] = entry
",
);

/// An interpreter's own copies of the functions above, made when they are first needed.
pub(crate) struct Describer {
    filenames: Object,
    describe: Object,
}

impl Describer {
    fn new(py: Attached<'_>) -> Option<Self> {
        let code = DESCRIBE.run(py)?;
        Some(Self {
            filenames: EmbeddedCode::function(py, &code, c"filenames")?,
            describe: EmbeddedCode::function(py, &code, c"describe")?,
        })
    }
}

/// The exception that is set, as an error; it is not set any more. `source` knows the text of what was
/// run under a file name. `told`: the run was told to end, which makes this status and this message of the exception that
/// comes of it. `read` reads a tuple as plain data.
pub(crate) fn take(
    py: Attached<'_>,
    describer: &mut Option<Describer>,
    told: Option<(Status, &CStr)>,
    source: impl Fn(&str) -> Option<String>,
    read: impl FnOnce(&Object) -> Option<OwnedValue>,
) -> Error {
    let Some(exception) = raised(py) else {
        let message = "Python reported an error without an exception, which is a defect of Python";
        return Error::new(Status::Internal, message);
    };
    let traceback = traceback(py, describer, &exception, source);
    let class = class_of(py, &exception);
    let args = arguments_of(py, &exception).and_then(|args| read(&args));
    clear_exception(py);
    let message = text_of(py, &exception).unwrap_or_else(|| "<exception str() failed>".into());
    let interrupted = told.filter(|_| comes_from_interrupt(py, &exception));
    let (status, exit_code) = match interrupted {
        Some((status, _)) => (status, 0),
        None if SYSTEM_EXIT.has(py, &exception) => (Status::Exit, exit_code(py, &exception)),
        None => (Status::Exception, 0),
    };
    drop(exception);
    clear_exception(py);
    Error::raised(
        status,
        interrupted.map_or(message, |(_, told)| told.to_string_lossy().into_owned()),
        Exception {
            traceback: traceback.unwrap_or_else(|| {
                "Traceback (most recent call last):\n  <traceback module failed>\n".into()
            }),
            type_name: full_name(&class),
            class,
            args: Arc::new(args.unwrap_or(OwnedValue::EMPTY_TUPLE)),
            exit_code,
        },
    )
}

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
pub(crate) const BUFFER_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_BufferError);
pub(crate) const KEYBOARD_INTERRUPT: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_KeyboardInterrupt);
pub(crate) const MEMORY_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_MemoryError);
pub(crate) const MODULE_NOT_FOUND: ExceptionClass =
    ExceptionClass(&raw const ffi::PyExc_ModuleNotFoundError);
pub(crate) const OS_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_OSError);
pub(crate) const RUNTIME_ERROR: ExceptionClass = ExceptionClass(&raw const ffi::PyExc_RuntimeError);
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

fn traceback(
    py: Attached<'_>,
    describer: &mut Option<Describer>,
    exception: &Object,
    source: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    if describer.is_none() {
        *describer = Describer::new(py);
    }
    let text = describer.as_ref().and_then(|functions| {
        let names = functions.filenames.call(py, &[exception])?.to_text(py)?;
        let mut arguments = vec![exception.clone()];
        for name in names.split('\0') {
            if let Some(text) = source(name) {
                arguments.extend([Object::text(py, name)?, Object::text(py, &text)?]);
            }
        }
        let arguments: Vec<&Object> = arguments.iter().collect();
        functions.describe.call(py, &arguments)?.to_text(py)
    });
    clear_exception(py);
    text
}

/// Whether an exception is a KeyboardInterrupt, or was raised while one was handled.
fn comes_from_interrupt(py: Attached<'_>, exception: &Object) -> bool {
    /// As deep as a chain is followed.
    const DEEP: usize = 100;
    let mut next = Some(exception.clone());
    for _ in 0..DEEP {
        let Some(this) = next else { return false };
        if KEYBOARD_INTERRUPT.has(py, &this) {
            return true;
        }
        // SAFETY: attached; an exception; a new reference.
        next = unsafe { Object::owned(py, ffi::PyException_GetContext(this.as_ptr())) };
    }
    false
}

/// The module of an exception's type, and its name there.
fn class_of(py: Attached<'_>, exception: &Object) -> (String, String) {
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

/// What an exception was made with. An OSError does not keep its file name there.
fn arguments_of(py: Attached<'_>, exception: &Object) -> Option<Object> {
    if !OS_ERROR.has(py, exception) {
        return exception.attribute(py, c"args");
    }
    let reduce = OS_ERROR.object(py)?.attribute(py, c"__reduce__")?;
    reduce.call(py, &[exception])?.at(py, 1)
}

/// As a traceback names it.
fn full_name((module, name): &(String, String)) -> String {
    match &**module {
        "" | "builtins" | "__main__" => name.clone(),
        module => format!("{module}.{name}"),
    }
}

fn text_of(py: Attached<'_>, object: &Object) -> Option<String> {
    // SAFETY: a live object; the result is new.
    let text = unsafe { Object::owned(py, ffi::PyObject_Str(object.as_ptr())) };
    let text = text.and_then(|t| t.to_text(py));
    clear_exception(py);
    text
}

/// What a shell would see of a SystemExit: the low byte of an int, 0 for None, 1 for anything else.
fn exit_code(py: Attached<'_>, exception: &Object) -> i32 {
    let code = exception.attribute(py, c"code");
    let code = match &code {
        Some(code) if code.is_none(py) => 0,
        // As CPython's: what doesn't fit is -1.
        Some(code) if code.is_int(py) => (code.number(py) & 0xff) as i32,
        _ => 1,
    };
    clear_exception(py);
    code
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
