//! Tracebacks: the frames that they have, as data, and without those of code of ours.

use std::collections::{HashSet, VecDeque};
use std::ffi::{CStr, c_int};
use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::data::error::{Exception, Frame, MOST_FRAMES};
use crate::local::attach::Attached;
use crate::local::python::embedded_code;
use crate::local::python::object::{Object, clear_exception};
use crate::local::python::source_lines::Files;

#[cfg(Py_3_11)]
unsafe extern "C" {
    fn PyCode_Addr2Location(
        code: *mut ffi::PyObject,
        offset: c_int,
        line: *mut c_int,
        column: *mut c_int,
        end_line: *mut c_int,
        end_column: *mut c_int,
    ) -> c_int;
}

/// The name of a function and the text of a line are cut behind so many bytes.
const LONGEST: usize = 4096;

/// One entry of a traceback; the next one leads to where the exception was raised.
#[derive(Clone)]
struct Entry(Object);

impl Entry {
    /// The outermost one of an exception.
    fn first(py: Attached<'_>, exception: &Object) -> Option<Self> {
        // SAFETY: attached; an exception; a new reference, and what it is to: to 3.11 it may be None.
        unsafe {
            Object::owned(py, ffi::PyException_GetTraceback(exception.as_ptr()))
                .filter(|first| ffi::PyTraceBack_Check(first.as_ptr()) != 0)
                .map(Self)
        }
    }

    fn as_ptr(&self) -> *mut ffi::PyTracebackObject {
        self.0.as_ptr().cast()
    }

    fn next(&self, py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; a live traceback, whose class has no subclasses.
        unsafe { Object::borrowed(py, (*self.as_ptr()).tb_next.cast()) }.map(Self)
    }

    /// Takes the next one out of the traceback.
    fn skip_next(&self, py: Attached<'_>) {
        let Some(next) = self.next(py) else { return };
        let after = next.next(py);
        // SAFETY: as above, and only the thread that is attached touches it. The reference to `after` is handed over; that to
        // `next` was the traceback's, and there is another one. What gets shorter becomes no circle.
        unsafe {
            (*self.as_ptr()).tb_next = after.map_or(null_mut(), |after| after.0.into_ptr()).cast();
            ffi::Py_DECREF(next.0.as_ptr());
        }
    }

    fn code(&self, py: Attached<'_>) -> Option<Object> {
        // SAFETY: as above; a new reference.
        unsafe { Object::owned(py, ffi::PyFrame_GetCode((*self.as_ptr()).tb_frame).cast()) }
    }

    fn globals(&self, py: Attached<'_>) -> Option<Object> {
        // SAFETY: as above.
        let frame = unsafe { Object::borrowed(py, (*self.as_ptr()).tb_frame.cast()) }?;
        frame.attribute(py, c"f_globals")
    }

    /// Its line, its column in bytes from 0 on, and those of the expression's end. What is not known is no more than 0,
    /// and a column less than 0.
    fn place(&self, py: Attached<'_>, _code: &Object) -> [c_int; 4] {
        let mut place = [-1; 4];
        #[cfg(Py_3_11)]
        // SAFETY: as above; a code object, and an instruction of it; places for what is found.
        unsafe {
            let [line, column, end_line, end_column] = &mut place;
            let (code, offset) = (_code.as_ptr(), (*self.as_ptr()).tb_lasti);
            if offset >= 0 {
                PyCode_Addr2Location(code, offset, line, column, end_line, end_column);
            }
        }
        if place[0] <= 0 {
            place[0] = number(py, &self.0, c"tb_lineno");
        }
        clear_exception(py);
        place
    }
}

/// Takes the frames of code of ours out of an exception's traceback. `files` gets the names of the files of the others.
pub(super) fn leave_ours_out(py: Attached<'_>, exception: &Object, files: &mut Files<'_>) {
    let mut known = HashSet::new();
    let mut is_ours = |entry: &Entry| {
        let Some(code) = entry.code(py) else {
            return false;
        };
        if known.contains(&code.as_ptr()) {
            return false;
        }
        let name = code.attribute(py, c"co_filename");
        let name = name.and_then(|name| name.to_text(py)).unwrap_or_default();
        if embedded_code::may_be_ours(&name)
            && entry
                .globals(py)
                .is_some_and(|of| embedded_code::are_ours(py, &of))
        {
            return true;
        }
        files.add(name);
        // It lives as long as the traceback, which has its frame.
        known.insert(code.as_ptr());
        false
    };
    let first = Entry::first(py, exception);
    let mut outermost = first.clone();
    while let Some(entry) = outermost.take_if(|entry| is_ours(entry)) {
        outermost = entry.next(py);
    }
    let is_first = |entry: &Entry| first.as_ref().map(Entry::as_ptr) == Some(entry.as_ptr());
    if first.is_some() && !outermost.as_ref().is_some_and(is_first) {
        // SAFETY: attached; an exception, and a traceback or None.
        unsafe {
            let traceback = outermost
                .as_ref()
                .map_or(ffi::Py_None(), |it| it.0.as_ptr());
            ffi::PyException_SetTraceback(exception.as_ptr(), traceback);
        }
    }
    let mut last = outermost;
    while let Some(entry) = last {
        while entry.next(py).is_some_and(|next| is_ours(&next)) {
            entry.skip_next(py);
        }
        last = entry.next(py);
    }
    clear_exception(py);
}

/// The frames of an exception, and how many are left out between the two halves of them. `room` is how much text there may
/// be, in bytes.
pub(super) fn frames_of(
    py: Attached<'_>,
    exception: &Object,
    files: &Files<'_>,
    line_of: Option<&Object>,
    room: &mut usize,
) -> (Vec<Frame>, usize) {
    let (mut outer, mut inner) = (Vec::new(), VecDeque::new());
    let mut left_out = 0;
    let mut next = Entry::first(py, exception);
    while let Some(entry) = next {
        next = entry.next(py);
        if outer.len() < MOST_FRAMES / 2 {
            outer.push(entry);
            continue;
        }
        inner.push_back(entry);
        if inner.len() > MOST_FRAMES / 2 {
            inner.pop_front();
            left_out += 1;
        }
    }
    let mut frames = Vec::with_capacity(outer.len() + inner.len());
    for entry in outer.iter().chain(&inner) {
        if *room == 0 {
            left_out += 1;
            continue;
        }
        let frame = frame_of(py, entry, files, line_of);
        *room = room.saturating_sub(frame.file.len() + frame.function.len() + frame.source.len());
        frames.push(frame);
    }
    (frames, left_out)
}

fn frame_of(py: Attached<'_>, entry: &Entry, files: &Files<'_>, line_of: Option<&Object>) -> Frame {
    let Some(code) = entry.code(py) else {
        return Frame::default();
    };
    let file = text(py, &code, c"co_filename").unwrap_or_default();
    let line_at = |number| files.line(py, &file, number, line_of, || entry.globals(py));
    let [line, column, end_line, end_column] = entry.place(py, &code);
    let source = line_at(line);
    let end_column = match end_line {
        ..=0 => 0,
        _ if end_line == line => character(&source, end_column),
        _ => character(&line_at(end_line), end_column),
    };
    Frame {
        function: cut(text(py, &code, c"co_name").unwrap_or_default()),
        line: positive(line),
        column: character(&source, column),
        end_line: positive(end_line),
        end_column,
        source: cut(source),
        file,
    }
}

/// The place of a SyntaxError, which it says itself.
pub(super) fn place_of_syntax_error(
    py: Attached<'_>,
    error: &Object,
    files: &Files<'_>,
    line_of: Option<&Object>,
) -> Option<Frame> {
    let [line, column, end_line, end_column] =
        [c"lineno", c"offset", c"end_lineno", c"end_offset"].map(|name| number(py, error, name));
    if line <= 0 {
        return None;
    }
    let file = text(py, error, c"filename").unwrap_or_else(|| "<string>".into());
    let source = text(py, error, c"text")
        .unwrap_or_else(|| files.line(py, &file, line, line_of, || Object::dict(py)));
    Some(Frame {
        file,
        function: String::new(),
        line: positive(line),
        column: positive(column),
        end_line: positive(end_line),
        end_column: if end_line > 0 {
            positive(end_column)
        } else {
            0
        },
        source: cut(source.trim_end_matches(['\n', '\r']).to_owned()),
    })
}

/// An exception without those that come with it, as Python would print it.
pub(super) fn text_of(exception: &Exception, message: &str) -> String {
    let mut text = String::new();
    if !exception.frames.is_empty() {
        text.push_str("Traceback (most recent call last):\n");
    }
    let half = MOST_FRAMES / 2;
    for (i, frame) in exception.frames.iter().enumerate() {
        if i == half && exception.frames_left_out > 0 {
            text += &format!("  ({} frames are left out)\n", exception.frames_left_out);
        }
        text += &format!("  File \"{}\", line {}", frame.file, frame.line);
        if !frame.function.is_empty() {
            text += &format!(", in {}", frame.function);
        }
        text.push('\n');
        let source = frame.source.trim();
        if !source.is_empty() {
            text += &format!("    {source}\n");
        }
    }
    text += &exception.type_name;
    if !message.is_empty() {
        text += &format!(": {message}");
    }
    text.push('\n');
    for note in &exception.notes {
        text += &format!("{note}\n");
    }
    text
}

/// The character that starts at this byte of a line: the first one is 1. 0: it is not known.
fn character(line: &str, byte: c_int) -> u32 {
    let before = usize::try_from(byte).ok().and_then(|byte| line.get(..byte));
    match before {
        Some(before) if !line.is_empty() => before.chars().count() as u32 + 1,
        _ => 0,
    }
}

fn positive(number: c_int) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    text
}

fn text(py: Attached<'_>, of: &Object, name: &CStr) -> Option<String> {
    let text = of.attribute(py, name).and_then(|text| text.to_text(py));
    clear_exception(py);
    text
}

/// An attribute that is an int; 0: it is none, or a large one.
fn number(py: Attached<'_>, of: &Object, name: &CStr) -> c_int {
    let number = of.attribute(py, name).filter(|number| number.is_int(py));
    let number = number.map_or(0, |number| number.number(py));
    clear_exception(py);
    c_int::try_from(number).unwrap_or(0)
}
