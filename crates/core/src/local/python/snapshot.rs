//! From a Python exception to an [`Error`]: a snapshot, with the traceback as Python prints it and with what is in it as data.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3_ffi as ffi;

use crate::data::error::{Error, Exception, Link, MOST_NOTES, MOST_RELATED, Related, Status};
use crate::data::tree::OwnedValue;
use crate::local::attach::Attached;
use crate::local::python::embedded_code::EmbeddedCode;
#[cfg(Py_3_11)]
use crate::local::python::exception::EXCEPTION_GROUP;
use crate::local::python::exception::{KEYBOARD_INTERRUPT, OS_ERROR, SYNTAX_ERROR, SYSTEM_EXIT};
use crate::local::python::exception::{class_of, full_name, raised, text_of};
use crate::local::python::object::{Object, clear_exception};
use crate::local::python::source_lines::Files;
use crate::local::python::traceback;
use crate::local::python::traceback::{frames_of, place_of_syntax_error};

/// The Python side: prints an exception's tracebacks, and reads their lines.
static DESCRIBE: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    c"
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

def line(name, number, module_globals):
    import linecache
    return linecache.getline(name, number, module_globals)
",
);

/// An interpreter's own copies of the functions above, made when they are first needed.
pub(crate) struct Describer {
    describe: Object,
    line: Object,
}

impl Describer {
    fn new(py: Attached<'_>) -> Option<Self> {
        let code = DESCRIBE.run(py)?;
        Some(Self {
            describe: EmbeddedCode::function(py, &code, c"describe")?,
            line: EmbeddedCode::function(py, &code, c"line")?,
        })
    }
}

/// Those that come with an exception are read so long, and so much text of them and of all frames, in bytes.
const LONGEST: Duration = Duration::from_secs(1);
const MOST_TEXT: usize = 64 << 20;

/// The exception that is set, as an error; it is not set any more. `source` knows the text of what was
/// run under a file name. `told`: the run was told to end, which makes this status and this message of the exception that
/// comes of it. `read` reads a tuple as plain data.
pub(crate) fn take(
    py: Attached<'_>,
    describer: &mut Option<Describer>,
    told: Option<(Status, &CStr)>,
    source: impl Fn(&str) -> Option<String>,
    read: impl Fn(&Object) -> Option<OwnedValue>,
) -> Error {
    let Some(exception) = raised(py) else {
        let message = "Python reported an error without an exception, which is a defect of Python";
        return Error::new(Status::Internal, message);
    };
    if describer.is_none() {
        *describer = Describer::new(py);
        clear_exception(py);
    }
    let mut files = Files::new(&source);
    leave_ours_out(py, &exception, &mut files);
    let traceback = printed(py, describer.as_ref(), &exception, &files);
    let mut reading = Reading {
        py,
        files,
        line_of: describer.as_ref().map(|functions| &functions.line),
        read: &read,
        room: MOST_TEXT,
    };
    let (mut message, mut status, mut details) = reading.one(&exception);
    if let Some((why, told)) = told.filter(|_| comes_from_interrupt(py, &exception)) {
        (message, status) = (told.to_string_lossy().into_owned(), why);
        details.exit_code = 0;
    }
    details.traceback = traceback.unwrap_or_else(|| traceback::text_of(&details, &message));
    details.related = reading.related(&exception);
    drop(exception);
    clear_exception(py);
    Error::raised(status, message, details)
}

/// The frames of code of ours go, from all that a traceback shows.
fn leave_ours_out(py: Attached<'_>, exception: &Object, files: &mut Files<'_>) {
    let mut seen = HashMap::new();
    let mut todo = vec![exception.clone()];
    while let Some(next) = todo.pop() {
        if seen.contains_key(&next.as_ptr()) {
            continue;
        }
        traceback::leave_ours_out(py, &next, files);
        todo.extend(links(py, &next).into_iter().map(|(_, other)| other));
        seen.insert(next.as_ptr(), next);
    }
}

/// The exceptions that a traceback shows with this one.
fn links(py: Attached<'_>, exception: &Object) -> Vec<(Link, Object)> {
    let mut links = Vec::new();
    // SAFETY: attached; an exception; new references.
    let (cause, context) = unsafe {
        let cause = Object::owned(py, ffi::PyException_GetCause(exception.as_ptr()));
        (
            cause,
            Object::owned(py, ffi::PyException_GetContext(exception.as_ptr())),
        )
    };
    let is_shown = |py, exception: &Object| {
        let suppressed = exception.attribute(py, c"__suppress_context__");
        suppressed.and_then(|it| it.truth(py)) != Some(true)
    };
    match (cause, context) {
        (Some(cause), _) => links.push((Link::Cause, cause)),
        (None, Some(context)) if is_shown(py, exception) => links.push((Link::Context, context)),
        _ => {}
    }
    #[cfg(Py_3_11)]
    if EXCEPTION_GROUP.has(py, exception)
        && let Some(members) = exception.attribute(py, c"exceptions")
        // SAFETY: attached; a live object.
        && unsafe { ffi::PyTuple_Check(members.as_ptr()) } != 0
    {
        let members = (0..members.count(py)).filter_map(|i| members.at(py, i));
        // SAFETY: as above.
        let members =
            members.filter(|it| unsafe { ffi::PyExceptionInstance_Check(it.as_ptr()) } != 0);
        links.extend(members.map(|member| (Link::Member, member)));
    }
    clear_exception(py);
    links
}

/// Reads exceptions as data.
struct Reading<'a> {
    py: Attached<'a>,
    files: Files<'a>,
    line_of: Option<&'a Object>,
    read: &'a dyn Fn(&Object) -> Option<OwnedValue>,
    /// How much text there may be yet.
    room: usize,
}

impl Reading<'_> {
    /// An exception without those that come with it, and without its traceback.
    fn one(&mut self, exception: &Object) -> (String, Status, Exception) {
        let py = self.py;
        let (mut frames, frames_left_out) =
            frames_of(py, exception, &self.files, self.line_of, &mut self.room);
        if SYNTAX_ERROR.has(py, exception) {
            frames.extend(place_of_syntax_error(
                py,
                exception,
                &self.files,
                self.line_of,
            ));
        }
        let class = class_of(py, exception);
        let args = arguments_of(py, exception).and_then(|args| (self.read)(&args));
        clear_exception(py);
        let message = text_of(py, exception).unwrap_or_else(|| "<exception str() failed>".into());
        let notes = notes_of(py, exception);
        let (status, exit_code) = match SYSTEM_EXIT.has(py, exception) {
            true => (Status::Exit, exit_code(py, exception)),
            false => (Status::Exception, 0),
        };
        let details = Exception {
            type_name: full_name(&class),
            class,
            args: Arc::new(args.unwrap_or(OwnedValue::EMPTY_TUPLE)),
            traceback: String::new(),
            exit_code,
            frames,
            frames_left_out,
            notes,
            related: Vec::new(),
        };
        (message, status, details)
    }

    /// Those that come with an exception: the nearest first, each as often as it is reached, save from itself.
    fn related(&mut self, exception: &Object) -> Vec<Related> {
        let mut related: Vec<Related> = Vec::new();
        // Each with the number of the one that it comes with.
        let mut reached = vec![(exception.clone(), 0)];
        let end = Instant::now() + LONGEST;
        let mut of = 0;
        while of < reached.len() {
            let this = reached[of].0.clone();
            for (link, other) in links(self.py, &this) {
                if is_within(&reached, of, &other) {
                    continue;
                }
                if related.len() == MOST_RELATED || self.room == 0 || Instant::now() > end {
                    return related;
                }
                let (message, status, details) = self.one(&other);
                let notes = details.notes.iter().map(String::len);
                let size = message.len() + details.args.size() + notes.sum::<usize>();
                self.room = self.room.saturating_sub(size);
                let error = Error::raised(status, message, details);
                related.push(Related { link, of, error });
                reached.push((other, of));
            }
            of += 1;
        }
        related
    }
}

/// Whether an exception is the one with this number, or one that that comes with.
fn is_within(reached: &[(Object, usize)], mut number: usize, exception: &Object) -> bool {
    loop {
        let (this, of) = &reached[number];
        if this.as_ptr() == exception.as_ptr() {
            return true;
        }
        if number == 0 {
            return false;
        }
        number = *of;
    }
}

/// What `add_note()` was given, as a traceback shows it: 3.11 and later.
fn notes_of(py: Attached<'_>, exception: &Object) -> Vec<String> {
    let notes = exception.attribute(py, c"__notes__");
    clear_exception(py);
    let Some(notes) = notes else {
        return Vec::new();
    };
    // SAFETY: attached; a live object.
    if unsafe { ffi::PyList_Check(notes.as_ptr()) } == 0 {
        // SAFETY: as above; a new reference.
        let text = unsafe { Object::owned(py, ffi::PyObject_Repr(notes.as_ptr())) };
        let text = text.and_then(|text| text.to_text(py));
        clear_exception(py);
        return vec![text.unwrap_or_else(|| "<__notes__ repr() failed>".into())];
    }
    let note = |note: Object| text_of(py, &note).unwrap_or_else(|| "<note str() failed>".into());
    let texts = notes.items(py).take(MOST_NOTES).map(note).collect();
    clear_exception(py);
    texts
}

/// As Python prints it, with those that come with it. `None`: its module can't.
fn printed(
    py: Attached<'_>,
    describer: Option<&Describer>,
    exception: &Object,
    files: &Files<'_>,
) -> Option<String> {
    let text = describer.and_then(|functions| {
        let mut arguments = vec![exception.clone()];
        for (name, text) in files.sources() {
            arguments.extend([Object::text(py, name)?, Object::text(py, text)?]);
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

/// What an exception was made with. An OSError does not keep its file name there.
fn arguments_of(py: Attached<'_>, exception: &Object) -> Option<Object> {
    if !OS_ERROR.has(py, exception) {
        return exception.attribute(py, c"args");
    }
    let reduce = OS_ERROR.object(py)?.attribute(py, c"__reduce__")?;
    reduce.call(py, &[exception])?.at(py, 1)
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
