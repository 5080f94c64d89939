//! The first pass: how much room a tree needs, and whether all of it can be shared.
//!
//! What is always in line here: without it reading a str takes 51 instructions more.

use std::rc::Rc;

use pyo3_ffi as ffi;

use super::common::{Becomes, Read, ReadBefore, changed, each_item, each_pair, hexadecimal, wtf8};
use super::copy::Copier;
use super::hints::{Flags, hint, not_convertible};
use super::library;
use super::py_type::{PyObject, PyType, integer, is_exact, plain, type_of, utf8};
use super::simpler;
use crate::data::conversion::{Buffers, Conversion, Objects};
use crate::data::object_handle::ObjectHandle;
use crate::data::pins::Pins;
use crate::data::queue::Queue;
use crate::data::tree::Block;
use crate::data::value::{MAX_DEPTH, kind};
use crate::local::attach::Attached;
use crate::local::buffers::pin::Pin;
use crate::local::convert::handle;
use crate::local::convert::queue;
use crate::local::objects::conversion_error::{
    Cause, ConversionError, Converted, quoted, too_deep,
};
use crate::local::objects::owner::Owner;
use crate::local::python::exception;
use crate::local::python::exception::{BUFFER_ERROR, UNICODE_ENCODE, VALUE_ERROR};
use crate::local::python::object::{Object, clear_exception};

/// Finds out how much room a tree needs.
pub(super) struct Reader<'a> {
    conversion: Conversion,
    owner: &'a Rc<Owner>,
    pub(super) nodes: usize,
    pub(super) text: usize,
    /// Of the buffers, in the order in which they come.
    pub(super) pins: Pins,
    queues: Vec<Queue>,
    pub(super) read: Option<Box<Read>>,
    /// The containers that we are in.
    above: Vec<PyObject>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(conversion: Conversion, owner: &'a Rc<Owner>) -> Self {
        Self {
            conversion,
            owner,
            nodes: 0,
            text: 0,
            pins: Pins::default(),
            queues: Vec::new(),
            read: None,
            above: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) unsafe fn measure(&mut self, py: Attached<'_>, object: PyObject) -> Converted<()> {
        // SAFETY: the caller's promise.
        unsafe { self.measure_as(py, object, self.type_of(py, object)) }
    }

    /// # Safety
    /// It is of this type.
    #[inline(always)]
    unsafe fn measure_as(
        &mut self,
        py: Attached<'_>,
        object: PyObject,
        py_type: PyType,
    ) -> Converted<()> {
        // SAFETY: the caller's promise; what is of a type has what that type has.
        unsafe {
            match py_type {
                PyType::None | PyType::Bool | PyType::Float | PyType::Complex => Ok(()),
                PyType::Int => match integer(object) {
                    Some(_) => Ok(()),
                    None => self.measure_big_int(py, object),
                },
                PyType::Str => match utf8(object) {
                    Some((_, length)) => self.add_text(length),
                    None => self.measure_wtf8(py, object),
                },
                _ => self.measure_deep(py, object, py_type),
            }
        }
    }

    /// # Safety
    /// It is of this type.
    #[inline(never)]
    unsafe fn measure_deep(
        &mut self,
        py: Attached<'_>,
        object: PyObject,
        py_type: PyType,
    ) -> Converted<()> {
        // SAFETY: the caller's promise; what is of a type has what that type has.
        unsafe {
            match py_type {
                PyType::Bytes if !self.conversion.pin_bytes => {
                    self.add_text(ffi::Py_SIZE(object) as usize)
                }
                PyType::Bytes => self.pin(py, object),
                PyType::List => self.inside(py, object, |reader| {
                    reader.add_nodes(ffi::PyList_GET_SIZE(object) as usize)?;
                    let mut i = 0;
                    while i < ffi::PyList_GET_SIZE(object) {
                        let item = ffi::PyList_GET_ITEM(object, i);
                        if reader.type_of(py, item) != PyType::Float {
                            reader
                                .measure(py, item)
                                .map_err(|e| e.at_index(i as usize))?;
                        }
                        i += 1;
                    }
                    Ok(())
                }),
                PyType::Tuple => self.inside(py, object, |reader| {
                    let length = ffi::PyTuple_GET_SIZE(object);
                    reader.add_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyTuple_GET_ITEM(object, i);
                        reader
                            .measure(py, item)
                            .map_err(|e| e.at_index(i as usize))?;
                    }
                    Ok(())
                }),
                PyType::Dict => self.inside(py, object, |reader| {
                    reader.add_nodes(2 * ffi::PyDict_Size(object) as usize)?;
                    each_pair(py, object, |key, value| {
                        let (of_key, of_value) =
                            (reader.type_of(py, key), reader.type_of(py, value));
                        if of_key.may_run_code() || of_value.may_run_code() {
                            return reader.measure_pair(py, (key, of_key), (value, of_value));
                        }
                        reader
                            .measure_as(py, key, of_key)
                            .map_err(|e| e.at_key(key_text(py, key)))?;
                        reader
                            .measure_as(py, value, of_value)
                            .map_err(|e| e.at_key(key_text(py, key)))
                    })
                }),
                PyType::Set | PyType::FrozenSet => self.inside(py, object, |reader| {
                    let length = ffi::PySet_Size(object) as usize;
                    reader.add_nodes(length)?;
                    each_item(py, object, |item| {
                        reader
                            .measure(py, item.as_ptr())
                            .map_err(|e| e.at_key("an item".into()))
                    })
                }),
                _ => self.measure_other(py, object),
            }
        }
    }

    /// A pair of a dict, from which Python code may take it meanwhile.
    #[inline(never)]
    unsafe fn measure_pair(
        &mut self,
        py: Attached<'_>,
        key: (PyObject, PyType),
        value: (PyObject, PyType),
    ) -> Converted<()> {
        // SAFETY: the caller's promise.
        unsafe {
            let _kept = (Object::borrowed(py, key.0), Object::borrowed(py, value.0));
            let at_key = |e: ConversionError| e.at_key(key_text(py, key.0));
            self.measure_as(py, key.0, key.1).map_err(at_key)?;
            self.measure_as(py, value.0, value.1).map_err(at_key)
        }
    }

    #[inline(never)]
    unsafe fn measure_other(&mut self, py: Attached<'_>, object: PyObject) -> Converted<()> {
        // SAFETY: the caller's promise.
        unsafe {
            // The code that runs from here on may let go of it.
            let kept = library::kept(py, object)?;
            if self.conversion.convert
                && let Some(scalar) = simpler::of_numpy_scalar(py, &kept)?
            {
                return self.measure_simpler(py, kept, scalar);
            }
            if self.may_pin(object) {
                return self.pin(py, object);
            }
            if let Some(queue) = queue::of(py, object, self.owner) {
                self.queues.push(queue.clone());
                return Ok(());
            }
            if let Some(becomes) = library::read(py, &kept, self.conversion.exact, self.owner)? {
                if let Becomes::Decimal(text) = &becomes {
                    self.add_text(text.ascii(py).ok_or_else(changed)?.len())?;
                }
                let object = kept;
                self.read().objects.push(ReadBefore { object, becomes });
                return Ok(());
            }
            if self.conversion.convert
                && let Some(simpler) = simpler::of(py, &kept)?
            {
                return self.measure_simpler(py, kept, simpler);
            }
            let is_for_host = !self.conversion.exact;
            let may_convert = is_for_host && !self.conversion.convert;
            self.keep(py, object, || {
                let flags = Flags {
                    convert: may_convert && simpler::is_there(py, &kept),
                    keep: is_for_host,
                };
                not_convertible(py, object, flags)
            })
        }
    }

    /// Has an object that is no plain data stay in Python, if it may; else it is not shareable.
    #[cold]
    unsafe fn keep(
        &mut self,
        py: Attached<'_>,
        object: PyObject,
        why_not: impl FnOnce() -> String,
    ) -> Converted<()> {
        if self.conversion.objects != Objects::Others {
            return Err(ConversionError::not_shareable(why_not()));
        }
        // SAFETY: the caller's promise.
        let object = unsafe { Object::borrowed(py, object) }.ok_or_else(ConversionError::raised)?;
        let becomes = Becomes::Handle(handle::hold(py, &object, self.owner)?);
        self.read().objects.push(ReadBefore { object, becomes });
        Ok(())
    }

    unsafe fn measure_simpler(
        &mut self,
        py: Attached<'_>,
        object: Object,
        simpler: Object,
    ) -> Converted<()> {
        let depth = self.above.len();
        let (of, stands_for_it) = (object.as_ptr(), simpler.as_ptr());
        let read = self.read();
        if depth + read.simplified.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        if read.simplified.contains(&of) {
            return Err(contains_itself());
        }
        let becomes = Becomes::Simpler(simpler);
        read.objects.push(ReadBefore { object, becomes });
        read.simplified.push(of);
        // SAFETY: it is kept in `read`.
        let measured = unsafe { self.measure(py, stands_for_it) };
        self.read().simplified.pop();
        measured
    }

    /// The handle of what was measured, if that itself stays in Python.
    pub(super) fn handle_of(&self, object: PyObject) -> Option<ObjectHandle> {
        match &*self.read.as_ref()?.objects {
            [
                ReadBefore {
                    object: only,
                    becomes: Becomes::Handle(handle),
                },
            ] if only.as_ptr() == object => Some(handle.clone()),
            _ => None,
        }
    }

    fn read(&mut self) -> &mut Read {
        self.read.get_or_insert_default()
    }

    /// What an object is to become.
    #[inline(always)]
    unsafe fn type_of(&self, py: Attached<'_>, object: PyObject) -> PyType {
        // SAFETY: the caller's promise.
        match unsafe { type_of(py, object) } {
            // SAFETY: as above.
            of if self.conversion.exact && !unsafe { is_exact(object, of) } => PyType::Other,
            of => of,
        }
    }

    unsafe fn may_pin(&self, object: PyObject) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match self.conversion.buffers {
                Buffers::All => ffi::PyObject_CheckBuffer(object) != 0,
                Buffers::Views => ffi::PyMemoryView_Check(object) != 0,
                Buffers::None => false,
            }
        }
    }

    /// Measures a container, which is kept meanwhile.
    unsafe fn inside(
        &mut self,
        py: Attached<'_>,
        container: PyObject,
        measure: impl FnOnce(&mut Self) -> Converted<()>,
    ) -> Converted<()> {
        if self.above.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        if self.above.contains(&container) {
            return Err(contains_itself());
        }
        self.above.push(container);
        // SAFETY: the caller's promise.
        let _kept = unsafe { Object::borrowed(py, container) };
        let outcome = measure(self);
        self.above.pop();
        outcome
    }

    #[cold]
    unsafe fn measure_big_int(&mut self, py: Attached<'_>, object: PyObject) -> Converted<()> {
        // SAFETY: the caller's promise.
        unsafe {
            if !self.conversion.lossless_text {
                return self.keep(py, object, || {
                    "is an int past 64 bits: ask for SUBPY_LOSSLESS_TEXT to get it as text".into()
                });
            }
            let text = hexadecimal(py, object)?;
            self.add_text(ffi::PyUnicode_GetLength(text.as_ptr()) as usize)
        }
    }

    #[cold]
    unsafe fn measure_wtf8(&mut self, py: Attached<'_>, object: PyObject) -> Converted<()> {
        // SAFETY: the caller's promise; an exception is set.
        unsafe {
            if !UNICODE_ENCODE.is_set(py) {
                return Err(ConversionError::raised());
            }
            clear_exception(py);
            if !self.conversion.lossless_text {
                return self.keep(py, object, || {
                    "is a str with lone surrogates: ask for SUBPY_LOSSLESS_TEXT to get it".into()
                });
            }
            self.add_text(ffi::Py_SIZE(wtf8(py, object)?.as_ptr()) as usize)
        }
    }

    #[inline(never)]
    unsafe fn pin(&mut self, py: Attached<'_>, object: PyObject) -> Converted<()> {
        // SAFETY: the caller's promise.
        unsafe {
            let kept = Object::borrowed(py, object);
            if let Some(pin) = Pin::new(py, object, self.conversion, self.owner) {
                if pin.has_objects() {
                    let of = kept.map(|kept| kept.type_name(py)).unwrap_or_default();
                    return self.keep(py, object, || {
                        let hint = hint(object);
                        format!("is of type {of}, whose items are Python objects: {hint}")
                    });
                }
                if pin.may_be_scalar()
                    && let Some(kept) = &kept
                    && simpler::is_numpy_scalar(py, kept)
                {
                    let flags = Flags {
                        convert: true,
                        keep: false,
                    };
                    return self.keep(py, object, || not_convertible(py, object, flags));
                }
                self.pins.push(pin);
                return Ok(());
            }
            let Some(why) = refusal(py) else {
                return Err(ConversionError::raised());
            };
            let conversion = self.conversion;
            let owner = self.owner;
            self.keep(py, object, || {
                let strided = Conversion {
                    strided: true,
                    ..conversion
                };
                if !conversion.strided && Pin::new(py, object, strided, owner).is_some() {
                    return format!(
                        "is of type {}, whose items are not in C's order without gaps: ask for SUBPY_STRIDED to get \
                         it, or copy it first",
                        kept.map(|kept| kept.type_name(py)).unwrap_or_default()
                    );
                }
                clear_exception(py);
                let hint = hint(object);
                format!("can't be shared as a buffer ({why}): {hint}")
            })
        }
    }

    #[inline(always)]
    fn add_text(&mut self, length: usize) -> Converted<()> {
        // Each text ends in a NUL.
        self.text = self.text.checked_add(length + 1).ok_or_else(no_memory)?;
        Ok(())
    }

    #[inline(always)]
    fn add_nodes(&mut self, count: usize) -> Converted<()> {
        self.nodes = self.nodes.checked_add(count).ok_or_else(no_memory)?;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn copier(self) -> Converted<Copier<'a>> {
        let block = Block::new(self.nodes, self.pins.len(), self.text).ok_or_else(no_memory)?;
        let room = (self.nodes, self.text);
        Ok(Copier::new(
            self.conversion,
            block,
            room,
            self.pins,
            self.queues,
            self.read,
            self.owner,
        ))
    }
}

/// Why a type refuses to share its memory, if the exception that is set says so; it is not set any more. numpy raises
/// ValueError where others raise BufferError. What Python code raises is the script's.
#[cold]
unsafe fn refusal(py: Attached<'_>) -> Option<String> {
    let raised = exception::raised(py)?;
    // SAFETY: attached; a live exception; a new reference.
    let traceback = unsafe { Object::owned(py, ffi::PyException_GetTraceback(raised.as_ptr())) };
    if !BUFFER_ERROR.has(py, &raised) && (traceback.is_some() || !VALUE_ERROR.has(py, &raised)) {
        exception::restore(py, raised);
        return None;
    }
    Some(exception::line_of(py, &raised))
}

/// A key as a step of a path.
#[cold]
unsafe fn key_text(py: Attached<'_>, key: PyObject) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(object) = Object::lent(py, &key) else {
            return String::new();
        };
        match object.to_text(py) {
            Some(text) => quoted(&text),
            None => match plain(py, key) {
                Some(value) if value.kind == kind::INT => value.r#as.integer.to_string(),
                _ => format!("a key of type {}", object.type_name(py)),
            },
        }
    }
}

#[cold]
fn contains_itself() -> ConversionError {
    ConversionError::not_shareable("is a container that contains itself")
}

#[cold]
fn no_memory() -> ConversionError {
    ConversionError::new(Cause::NoMemory)
}
