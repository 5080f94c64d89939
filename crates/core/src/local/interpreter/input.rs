//! `sys.stdin` of an interpreter whose host gives its scripts what they read.
//!
//! The host's function is called without the GIL: it may wait for whatever it likes. It is taken out meanwhile, so that no
//! other thread of the script's calls it.

use std::cell::Cell;
use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::data::config::Input;
use crate::data::id::Id;
use crate::local::attach::Attached;
use crate::local::enter;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception::RUNTIME_ERROR;
use crate::local::python::method::{Method, method};

const INPUT: &CStr = c"subpy.input";

/// So much is asked for at once, at most, in bytes.
const MOST: usize = 64 << 10;

/// Where it is while nobody reads.
struct Place {
    interpreter: Id,
    input: Cell<Option<Input>>,
}

static STDIN: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    c"
def install(read):
    import sys
    from _io import BufferedReader, TextIOWrapper, _RawIOBase

    class Stdin(_RawIOBase):
        name = '<stdin>'
        mode = 'rb'

        def readable(self):
            return True

        def readinto(self, buffer):
            if self.closed:
                raise ValueError('I/O operation on closed file.')
            piece = read(len(buffer))
            buffer[:len(piece)] = piece
            return len(piece)

    text = TextIOWrapper(BufferedReader(Stdin()), 'utf-8')
    text.mode = 'r'
    sys.stdin = sys.__stdin__ = text
",
);

static READ: Method = Method::new(c"read", read, ffi::METH_O);

/// The attached interpreter reads what this gives. `None`: an exception is set.
pub(super) fn install(py: Attached<'_>, interpreter: Id, input: Input) -> Option<()> {
    let place = Place {
        interpreter,
        input: Cell::new(Some(input)),
    };
    let place = capsule(py, INPUT, place)?;
    let install = EmbeddedCode::function(py, &STDIN.run(py)?, c"install")?;
    install.call(py, &[&READ.bind(py, Some(&place))?]).map(drop)
}

// `read(n)`: up to so many bytes.
method!(read, |py, Some(this), Some(count)| {
    let place: &Place = value_of(py, this, INPUT);
    let Some(mut input) = place.input.take() else {
        return RUNTIME_ERROR.raise(py, "stdin is being read already");
    };
    let room = usize::try_from(count.number(py)).unwrap_or(0).min(MOST);
    let mut bytes = vec![0; room];
    let length = enter::without_gil(place.interpreter, || input(&mut bytes));
    place.input.set(Some(input));
    let piece = &bytes[..length.min(room)];
    // SAFETY: attached; so many bytes, which are copied; a new reference.
    unsafe {
        let data = piece.as_ptr().cast();
        Object::owned(
            py,
            ffi::PyBytes_FromStringAndSize(data, piece.len() as isize),
        )
    }
});
