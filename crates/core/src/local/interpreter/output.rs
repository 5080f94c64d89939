//! `sys.stdout` and `sys.stderr` of an interpreter: a `TextIOWrapper`, as everywhere in Python, over a
//! stream object of ours, which keeps what is written until a line is full and hands it on.
//!
//! A stream is touched only while the interpreter's GIL is held, but handing on happens without it: a
//! host's callback may wait for whatever it likes. `delivering` keeps the order meanwhile: what other
//! Python threads write waits in `pending` for the one that delivers.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::{addr_of_mut, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3_ffi as ffi;

use crate::data::config::Output;
use crate::data::id::Id;
use crate::local::attach::{Attached, Current};
use crate::local::cures::write_signals;
use crate::local::enter;
use crate::local::objects::instance::slot;
use crate::local::python::exception::{self, VALUE_ERROR, set_os_error};
use crate::local::python::method::{Method, NO_GETTER, Table, attribute, getter, method};
use crate::local::python::object::{Object, import, set_in_sys};
use crate::util::thread::this_thread;

/// What is kept of a line that is not full yet.
const PENDING: usize = 8 * 1024;

const NOBODY: u64 = 0;

/// Which of the two.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    Stdout,
    Stderr,
}

/// How much an interpreter has written, and how much it may have. Touched by threads that are attached to it.
pub(crate) struct OutputMeter {
    written: AtomicU64,
    end: AtomicU64,
    is_used: OutputIsUsed,
}

/// What is done when a run is about to write more than it may: an exception is set.
pub(crate) type OutputIsUsed = fn(Attached<'_>, Id);

impl OutputMeter {
    pub(crate) fn new(is_used: OutputIsUsed) -> Arc<Self> {
        Arc::new(Self {
            written: AtomicU64::new(0),
            end: AtomicU64::new(u64::MAX),
            is_used,
        })
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// How much it may have written.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    pub(crate) fn set_end(&self, end: u64) {
        self.end.store(end, Ordering::Relaxed);
    }

    /// So many bytes more are written, if they may be.
    fn add(&self, bytes: usize) -> bool {
        let written = self.written().saturating_add(bytes as u64);
        self.written.store(written, Ordering::Relaxed);
        written <= self.end()
    }
}

struct Stream {
    interpreter: Id,
    meter: Arc<OutputMeter>,
    name: Name,
    /// `None`: the process's own stream.
    sink: Option<Output>,
    /// The sink takes bytes that are not UTF-8.
    takes_bytes: bool,
    pending: Vec<u8>,
    /// The thread that hands on what was pending, or [`NOBODY`].
    delivering: u64,
    closed: bool,
}

/// An interpreter's hold on one of its streams, to flush it when a run ends.
pub(crate) struct Handle {
    /// Keeps `stream` alive.
    _object: Object,
    stream: *mut Stream,
}

impl Handle {
    /// What is written goes there from now on. To be called while nothing is pending.
    fn redirect(&self, _: Attached<'_>, sink: Output, takes_bytes: bool) {
        // SAFETY: attached, and `_object` keeps the stream; nobody delivers.
        unsafe {
            (*self.stream).sink = Some(sink);
            (*self.stream).takes_bytes = takes_bytes;
        }
    }

    /// Hands on what is pending, and waits until a Python thread that is at it has done so. `None`: it can't be
    /// written, and is lost; an exception is set.
    #[inline]
    pub(crate) fn flush(&self, py: Attached<'_>) -> Option<()> {
        // SAFETY: attached, and `_object` keeps the stream.
        if unsafe { !(*self.stream).pending.is_empty() } || self.is_delivering() {
            return self.flush_pending(py);
        }
        Some(())
    }

    #[cold]
    fn flush_pending(&self, py: Attached<'_>) -> Option<()> {
        // SAFETY: as above.
        unsafe {
            while self.is_delivering() {
                if (*self.stream).delivering == this_thread() {
                    return Some(()); // further out: it goes on with what waits
                }
                enter::without_gil((*self.stream).interpreter, std::thread::yield_now);
            }
            if let Err(error) = deliver(py, self.stream) {
                return raise(py, &error);
            }
        }
        Some(())
    }

    #[inline]
    fn is_delivering(&self) -> bool {
        // SAFETY: attached, and `_object` keeps the stream.
        unsafe { (*self.stream).delivering != NOBODY }
    }
}

/// Puts a stream in the place of `sys.stdout` or `sys.stderr` of the attached interpreter. If it is the
/// process's, which has none now, that is None, as in each Python process: then what the host opens there later gets
/// nothing of a script's. `None`: an exception is set.
pub(crate) fn install(
    py: Attached<'_>,
    interpreter: Id,
    name: Name,
    sink: Option<Output>,
    takes_bytes: bool,
    meter: &Arc<OutputMeter>,
) -> Option<Option<Handle>> {
    if sink.is_none() && !name.is_open() {
        name.put(py, &Object::none(py)?)?;
        return Some(None);
    }
    let stream = Box::into_raw(Box::new(Stream {
        interpreter,
        meter: meter.clone(),
        name,
        takes_bytes: takes_bytes || sink.is_none(),
        sink,
        pending: Vec::new(),
        delivering: NOBODY,
        closed: false,
    }));
    // SAFETY: attached; the object takes the stream over, and frees it with itself.
    unsafe {
        let Some(object) = new_object(py, stream) else {
            drop(Box::from_raw(stream));
            return None;
        };
        // Not of `io`, which a script may never import: with what it imports, 1 ms where `site` is off.
        let text = import(py, c"_io")?.attribute(py, c"TextIOWrapper")?.call(
            py,
            &[
                &object,
                &Object::text(py, "utf-8")?,
                &Object::text(py, "backslashreplace")?,
                &Object::text(py, "\n")?,
                &Object::bool(py, false)?,
                &Object::bool(py, true)?, // write_through: nothing waits in the wrapper
            ],
        )?;
        let mode = Object::text(py, "w")?;
        text.set(py, c"mode", &mode);
        name.put(py, &text)?;
        Some(Some(Handle {
            _object: object,
            stream,
        }))
    }
}

/// As [`install`], in the place of what it has installed for the process's stream, which may be another one by now.
pub(crate) fn replace(
    py: Attached<'_>,
    interpreter: Id,
    name: Name,
    installed: &mut Option<Handle>,
    sink: Option<Output>,
    takes_bytes: bool,
    meter: &Arc<OutputMeter>,
) -> Option<()> {
    match (sink, installed.as_ref()) {
        (Some(sink), Some(installed)) => installed.redirect(py, sink, takes_bytes),
        (sink @ Some(_), None) => {
            *installed = install(py, interpreter, name, sink, takes_bytes, meter)?;
        }
        (None, Some(_)) if !name.is_open() => {
            *installed = None;
            name.put(py, &Object::none(py)?)?;
        }
        _ => {}
    }
    Some(())
}

impl Name {
    /// Makes it the attached interpreter's. `None`: an exception is set.
    fn put(self, py: Attached<'_>, text: &Object) -> Option<()> {
        let places = match self {
            Name::Stdout => [c"stdout", c"__stdout__"],
            Name::Stderr => [c"stderr", c"__stderr__"],
        };
        let mut places = places.into_iter();
        places.try_for_each(|place| set_in_sys(py, place, text))
    }

    /// Whether the process has a descriptor of it that can be written to.
    fn is_open(self) -> bool {
        // SAFETY: it asks, whatever the descriptor is.
        let flags = unsafe { libc::fcntl(self.descriptor(), libc::F_GETFL) };
        flags != -1 && flags & libc::O_ACCMODE != libc::O_RDONLY
    }

    fn descriptor(self) -> c_int {
        match self {
            Name::Stdout => libc::STDOUT_FILENO,
            Name::Stderr => libc::STDERR_FILENO,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Name::Stdout => "<stdout>",
            Name::Stderr => "<stderr>",
        }
    }
}

/// Hands on what is pending; a character that is not whole yet stays.
///
/// # Safety
/// Attached to the interpreter of `stream`, which lives until this returns. The fields are reached one
/// by one: while the GIL is released, other threads use `pending`, and `sink` is ours.
unsafe fn deliver(_: Attached<'_>, stream: *mut Stream) -> io::Result<()> {
    // SAFETY: the caller's promise.
    unsafe {
        if (*stream).delivering != NOBODY {
            return Ok(());
        }
        let mut result = Ok(());
        (*stream).delivering = this_thread();
        let sink = &mut *addr_of_mut!((*stream).sink);
        loop {
            let pending = &mut *addr_of_mut!((*stream).pending);
            let is_text = !(*stream).takes_bytes;
            let is_last = (*stream).closed;
            let ready = match is_text && !is_last {
                true => whole_characters(pending),
                false => pending.len(),
            };
            if ready == 0 {
                break;
            }
            let rest = pending.split_off(ready);
            let bytes = std::mem::replace(pending, rest);
            result = enter::without_gil((*stream).interpreter, || match sink {
                // The last character may not be whole.
                Some(write) if is_text && is_last => {
                    write(String::from_utf8_lossy(&bytes).as_bytes());
                    Ok(())
                }
                Some(write) => {
                    write(&bytes);
                    Ok(())
                }
                None => write_signals::held_back(|| write_all((*stream).name.descriptor(), &bytes)),
            });
            if result.is_err() {
                break;
            }
        }
        (*stream).delivering = NOBODY;
        result
    }
}

/// How many bytes at the start of `bytes` end where a character ends.
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let needed = match bytes[at] {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            0b1000_0000..=0b1011_1111 => continue,
            _ => break,
        };
        return if needed > back { at } else { bytes.len() };
    }
    bytes.len()
}

/// Whether it is UTF-8, save for a last character that is not whole yet.
fn is_text(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    }
}

fn write_all(descriptor: c_int, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: the bytes live.
        let n = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
        if n >= 0 {
            bytes = &bytes[n as usize..];
            continue;
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::Interrupted => {}
            io::ErrorKind::WouldBlock => {
                let mut poll = libc::pollfd {
                    fd: descriptor,
                    events: libc::POLLOUT,
                    revents: 0,
                };
                // SAFETY: one entry.
                unsafe { libc::poll(&mut poll, 1, -1) };
            }
            _ => return Err(error),
        }
    }
    Ok(())
}

// The Python type. ------------------------------------------------------------------------------

#[repr(C)]
struct StreamObject {
    base: ffi::PyObject,
    stream: *mut Stream,
}

/// The stream of an object of our type.
///
/// # Safety
/// `object` is one.
unsafe fn stream_of(_: Attached<'_>, object: &Object) -> *mut Stream {
    // SAFETY: the caller's promise.
    unsafe { (*object.as_ptr().cast::<StreamObject>()).stream }
}

/// # Safety
/// The object takes `stream` over if there is one.
unsafe fn new_object(py: Attached<'_>, stream: *mut Stream) -> Option<Object> {
    // SAFETY: the spec is read during the call; its tables are static. A new object of the type has
    // room for a `StreamObject`.
    unsafe {
        let mut slots = [
            slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
            slot(ffi::Py_tp_methods, METHODS.of_type()),
            slot(ffi::Py_tp_getset, GETTERS.of_type()),
            slot(0, null_mut()),
        ];
        let mut spec = ffi::PyType_Spec {
            name: c"subpy.Stream".as_ptr(),
            basicsize: size_of::<StreamObject>() as c_int,
            itemsize: 0,
            flags: ffi::Py_TPFLAGS_DEFAULT as _,
            slots: slots.as_mut_ptr(),
        };
        let kind = Object::owned(py, ffi::PyType_FromSpec(&mut spec))?;
        let kind = kind.as_ptr().cast::<ffi::PyTypeObject>();
        let object = Object::owned(py, ffi::PyType_GenericAlloc(kind, 0))?;
        (*object.as_ptr().cast::<StreamObject>()).stream = stream;
        Some(object)
    }
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    let current = Current::get();
    let py = current.attached();
    // SAFETY: called once, by Python, attached. An object holds a reference to its heap type.
    unsafe {
        let stream = (*object.cast::<StreamObject>()).stream;
        if !stream.is_null() {
            (*stream).closed = true;
            let _ = deliver(py, stream);
            drop(Box::from_raw(stream));
        }
        let kind = ffi::Py_TYPE(object);
        ffi::PyObject_Free(object.cast());
        ffi::Py_DECREF(kind.cast());
    }
}

/// Raises OSError for a write that failed.
fn raise<T>(py: Attached<'_>, error: &io::Error) -> Option<T> {
    set_os_error(py, error.raw_os_error().unwrap_or(libc::EIO))
}

/// The stream of `object`, unless it is closed: then ValueError is raised.
///
/// # Safety
/// `object` is one of our type.
unsafe fn open_stream(py: Attached<'_>, object: &Object) -> Option<*mut Stream> {
    // SAFETY: the caller's promise.
    unsafe {
        let stream = stream_of(py, object);
        if (*stream).closed {
            return VALUE_ERROR.raise(py, "I/O operation on closed file.");
        }
        Some(stream)
    }
}

method!(write, |py, Some(this), Some(data)| {
    // SAFETY: called with an object of our type; the buffer is released before the GIL can be.
    unsafe {
        let stream = open_stream(py, this)?;
        let mut view: ffi::Py_buffer = std::mem::zeroed();
        if ffi::PyObject_GetBuffer(data.as_ptr(), &mut view, ffi::PyBUF_SIMPLE) != 0 {
            return None;
        }
        let bytes: &[u8] = match view.len {
            0 => &[],
            length => std::slice::from_raw_parts(view.buf.cast(), length as usize),
        };
        let meter = &*addr_of_mut!((*stream).meter);
        if !meter.add(bytes.len()) {
            ffi::PyBuffer_Release(&mut view);
            (meter.is_used)(py, (*stream).interpreter);
            return None;
        }
        let pending = &mut *addr_of_mut!((*stream).pending);
        let before = pending.len();
        let checked = whole_characters(pending);
        pending.extend_from_slice(bytes);
        if !(*stream).takes_bytes && !is_text(&pending[checked..]) {
            pending.truncate(before);
            ffi::PyBuffer_Release(&mut view);
            let message = "not UTF-8, and the host takes text of this stream: with \
                subpy_interpreter_config::output_bytes it takes any bytes";
            return VALUE_ERROR.raise(py, message);
        }
        let full = bytes.contains(&b'\n') || pending.len() >= PENDING;
        ffi::PyBuffer_Release(&mut view);
        match if full { deliver(py, stream) } else { Ok(()) } {
            Ok(()) => Object::int(py, view.len as i64),
            Err(e) => raise(py, &e),
        }
    }
});

method!(flush, |py, Some(this), _| {
    // SAFETY: called with an object of our type. So for those below.
    match unsafe { deliver(py, open_stream(py, this)?) } {
        Ok(()) => Object::none(py),
        Err(e) => raise(py, &e),
    }
});

method!(close, |py, Some(this), _| {
    // SAFETY: see above.
    let delivered = unsafe {
        let stream = stream_of(py, this);
        (*stream).closed = true;
        deliver(py, stream)
    };
    match delivered {
        Ok(()) => Object::none(py),
        Err(e) => raise(py, &e),
    }
});

/// The descriptor that an object of our type writes to. `None`: the host captures it.
///
/// # Safety
/// `object` is one.
unsafe fn descriptor_of(py: Attached<'_>, object: &Object) -> Option<c_int> {
    // SAFETY: the caller's promise.
    unsafe {
        let stream = stream_of(py, object);
        (*stream)
            .sink
            .is_none()
            .then(|| (*stream).name.descriptor())
    }
}

method!(fileno, |py, Some(this), _| {
    // SAFETY: see above.
    if let Some(descriptor) = unsafe { descriptor_of(py, this) } {
        return Object::int(py, descriptor.into());
    }
    let kind = import(py, c"io")?.attribute(py, c"UnsupportedOperation")?;
    let message = "the host captures this stream: it has no file descriptor";
    exception::set(py, &kind, message);
    None
});

method!(isatty, |py, Some(this), _| {
    // SAFETY: see above; it asks, whatever the descriptor is.
    let is = unsafe { descriptor_of(py, this).is_some_and(|own| libc::isatty(own) == 1) };
    Object::bool(py, is)
});

method!(yes, |py, _, _| Object::bool(py, true));

method!(no, |py, _, _| Object::bool(py, false));

attribute!(get_closed, closed_of, |py, is_closed| {
    Object::bool(py, is_closed)
});

attribute!(get_name, name_of, |py, name| Object::text(py, name.text()));

/// # Safety
/// `object` is one of our type.
unsafe fn closed_of(py: Attached<'_>, object: &Object) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*stream_of(py, object)).closed }
}

/// # Safety
/// `object` is one of our type.
unsafe fn name_of(py: Attached<'_>, object: &Object) -> Name {
    // SAFETY: the caller's promise.
    unsafe { (*stream_of(py, object)).name }
}

static METHODS: Table<[Method; 9]> = Table([
    Method::new(c"write", write, ffi::METH_O),
    Method::new(c"flush", flush, ffi::METH_NOARGS),
    Method::new(c"close", close, ffi::METH_NOARGS),
    Method::new(c"fileno", fileno, ffi::METH_NOARGS),
    Method::new(c"isatty", isatty, ffi::METH_NOARGS),
    Method::new(c"writable", yes, ffi::METH_NOARGS),
    Method::new(c"readable", no, ffi::METH_NOARGS),
    Method::new(c"seekable", no, ffi::METH_NOARGS),
    Method::END,
]);

static GETTERS: Table<[ffi::PyGetSetDef; 3]> = Table([
    getter(c"closed", get_closed, None),
    getter(c"name", get_name, None),
    NO_GETTER,
]);

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn a_character_is_never_split() {
        let text = "aé€😀".as_bytes();
        let ends = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10];
        for (length, end) in ends.into_iter().enumerate() {
            assert_eq!(whole_characters(&text[..length]), end, "of {length} bytes");
        }
        assert_eq!(whole_characters(b"\xff"), 1, "not UTF-8: not waited for");
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4);
    }
}
