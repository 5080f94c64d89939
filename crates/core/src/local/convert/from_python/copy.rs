//! The second pass: what was measured is copied. No Python code runs meanwhile.

use std::ffi::c_char;
use std::rc::Rc;

use pyo3_ffi as ffi;

use super::common::{Becomes, Read, changed, each_item, each_pair, hexadecimal, wtf8};
use super::py_type::{PyObject, PyType, plain_of, real, type_of, utf8};
use crate::data::conversion::Conversion;
use crate::data::object_handle::ObjectHandle;
use crate::data::pins::Pins;
use crate::data::queue::Queue;
use crate::data::tree::{Block, Lent, OwnedValue};
use crate::data::value::{RawData, RawValue, kind};
use crate::local::attach::Attached;
use crate::local::convert::queue;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::owner::Owner;
use crate::local::python::object::clear_exception;

/// Copies what was measured.
pub(super) struct Copier<'a> {
    conversion: Conversion,
    next_node: *mut RawValue,
    nodes_left: usize,
    next_text: *mut u8,
    text_left: usize,
    pins_used: usize,
    pins: Pins,
    queues: Vec<Queue>,
    handles: Vec<ObjectHandle>,
    read: Option<Box<Read>>,
    owner: &'a Rc<Owner>,
    block: Block,
}

impl<'a> Copier<'a> {
    /// `room`: how many nodes and how many bytes of text the block has room for.
    #[inline]
    pub(super) fn new(
        conversion: Conversion,
        block: Block,
        room: (usize, usize),
        pins: Pins,
        queues: Vec<Queue>,
        read: Option<Box<Read>>,
        owner: &'a Rc<Owner>,
    ) -> Self {
        Self {
            conversion,
            next_node: block.nodes,
            nodes_left: room.0,
            next_text: block.text,
            text_left: room.1,
            pins_used: 0,
            pins,
            queues,
            handles: Vec::new(),
            read,
            owner,
            block,
        }
    }

    pub(super) unsafe fn copy(
        &mut self,
        py: Attached<'_>,
        object: PyObject,
    ) -> Converted<RawValue> {
        // SAFETY: the caller's promise; what is of a type has what that type has; room is taken before
        // it is written to.
        unsafe {
            let py_type = type_of(py, object);
            if let Some(value) = plain_of(object, py_type) {
                return Ok(value);
            }
            match py_type {
                PyType::Int => {
                    if let Some(kept) = self.read_before(py, object) {
                        return kept;
                    }
                    let text = hexadecimal(py, object)?;
                    let (data, length) = utf8(text.as_ptr()).ok_or_else(ConversionError::raised)?;
                    self.text(kind::BIG_INT, data, length)
                }
                PyType::Str => match utf8(object) {
                    Some((data, length)) => self.text(kind::STR, data, length),
                    None => {
                        clear_exception(py);
                        if let Some(kept) = self.read_before(py, object) {
                            return kept;
                        }
                        let bytes = wtf8(py, object)?;
                        self.bytes(kind::WTF8, bytes.as_ptr())
                    }
                },
                PyType::Bytes if !self.conversion.pin_bytes => self.bytes(kind::BYTES, object),
                PyType::List => {
                    let length = ffi::PyList_GET_SIZE(object);
                    let items = self.take_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyList_GET_ITEM(object, i);
                        let value = if ffi::PyFloat_CheckExact(item) != 0 {
                            real(item)
                        } else {
                            self.copy(py, item)?
                        };
                        items.add(i as usize).write(value);
                    }
                    Ok(RawValue::of_items(kind::LIST, items, length as usize))
                }
                PyType::Tuple => {
                    let length = ffi::PyTuple_GET_SIZE(object);
                    let items = self.take_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyTuple_GET_ITEM(object, i);
                        items.add(i as usize).write(self.copy(py, item)?);
                    }
                    Ok(RawValue::of_items(kind::TUPLE, items, length as usize))
                }
                PyType::Dict => {
                    let length = ffi::PyDict_Size(object) as usize;
                    let pairs = self.take_nodes(2 * length)?;
                    let mut i = 0;
                    each_pair(py, object, |key, value| {
                        if i == length {
                            return Err(changed());
                        }
                        pairs.add(2 * i).write(self.copy(py, key)?);
                        pairs.add(2 * i + 1).write(self.copy(py, value)?);
                        i += 1;
                        Ok(())
                    })?;
                    if i < length {
                        return Err(changed());
                    }
                    Ok(RawValue::of_items(kind::DICT, pairs, length))
                }
                PyType::Set | PyType::FrozenSet => self.set(py, object, py_type),
                _ => self.other(py, object),
            }
        }
    }

    #[inline(never)]
    unsafe fn set(
        &mut self,
        py: Attached<'_>,
        set: PyObject,
        py_type: PyType,
    ) -> Converted<RawValue> {
        // SAFETY: the caller's promise: a set; room is taken before it is written to.
        unsafe {
            let length = ffi::PySet_Size(set) as usize;
            let items = self.take_nodes(length)?;
            let mut i = 0;
            each_item(py, set, |item| {
                if i == length {
                    return Err(changed());
                }
                items.add(i).write(self.copy(py, item.as_ptr())?);
                i += 1;
                Ok(())
            })?;
            if i < length {
                return Err(changed());
            }
            let kind = match py_type {
                PyType::Set => kind::SET,
                _ => kind::FROZENSET,
            };
            Ok(RawValue::of_items(kind, items, length))
        }
    }

    #[inline(never)]
    unsafe fn other(&mut self, py: Attached<'_>, object: PyObject) -> Converted<RawValue> {
        if let Some(value) = self.read_before(py, object) {
            return value;
        }
        // SAFETY: the caller's promise.
        match unsafe { queue::of(py, object, self.owner) } {
            Some(queue) => self.queue(queue),
            None => self.buffer(),
        }
    }

    /// What an object becomes, if that was found out when it was measured.
    fn read_before(&mut self, py: Attached<'_>, object: PyObject) -> Option<Converted<RawValue>> {
        // They all stay until the copy is done: what goes may run code of the script's.
        let read = self.read.as_mut()?;
        let next = read.objects.get(read.copied)?;
        if next.object.as_ptr() != object {
            return None;
        }
        read.copied += 1;
        Some(match &next.becomes {
            Becomes::Value(value) => Ok(*value),
            Becomes::Decimal(text) => match text.ascii(py) {
                None => Err(changed()),
                Some(text) => {
                    let (data, length) = (text.as_ptr().cast(), text.len());
                    // SAFETY: it is as long as it says, and is kept.
                    unsafe { self.text(kind::DECIMAL, data, length) }
                }
            },
            Becomes::Handle(handle) => {
                let object = handle.raw();
                self.handles.push(handle.clone());
                Ok(RawValue::new(kind::OBJECT, RawData { object }))
            }
            Becomes::Simpler(simpler) => {
                let simpler = simpler.as_ptr();
                // SAFETY: it is kept.
                unsafe { self.copy(py, simpler) }
            }
        })
    }

    fn buffer(&mut self) -> Converted<RawValue> {
        let pin = self.pins.get(self.pins_used).ok_or_else(changed)?;
        // SAFETY: the block has room for as many as there are pins.
        let place = unsafe { self.block.buffers.add(self.pins_used) };
        // SAFETY: as above.
        unsafe { place.write(pin.info()) };
        self.pins_used += 1;
        Ok(RawValue::new(kind::BUFFER, RawData { buffer: place }))
    }

    fn queue(&self, queue: &Queue) -> Converted<RawValue> {
        let queue = queue.as_raw().cast_mut();
        let is_kept = self
            .queues
            .iter()
            .any(|kept| std::ptr::eq(kept.as_raw(), queue));
        let value = RawValue::new(kind::QUEUE, RawData { queue });
        is_kept.then_some(value).ok_or_else(changed)
    }

    unsafe fn bytes(&mut self, kind: u32, bytes: PyObject) -> Converted<RawValue> {
        // SAFETY: the caller's promise: bytes.
        unsafe {
            let length = ffi::Py_SIZE(bytes) as usize;
            self.text(kind, ffi::PyBytes_AS_STRING(bytes), length)
        }
    }

    /// Copies text, and its NUL.
    #[inline]
    unsafe fn text(
        &mut self,
        kind: u32,
        data: *const c_char,
        length: usize,
    ) -> Converted<RawValue> {
        if length >= self.text_left {
            return Err(changed());
        }
        let place = self.next_text;
        // SAFETY: the caller's promise, and there is room.
        unsafe {
            place.copy_from_nonoverlapping(data.cast(), length);
            place.add(length).write(0);
            self.next_text = place.add(length + 1);
        }
        self.text_left -= length + 1;
        Ok(RawValue::of_text(kind, place.cast(), length))
    }

    #[inline]
    pub(super) fn take_nodes(&mut self, count: usize) -> Converted<*mut RawValue> {
        if count > self.nodes_left {
            return Err(changed());
        }
        let place = self.next_node;
        // SAFETY: there are so many left.
        self.next_node = unsafe { place.add(count) };
        self.nodes_left -= count;
        Ok(place)
    }

    #[inline]
    pub(super) fn into_block(self) -> Block {
        let mut block = self.block;
        let queues = self.queues.into_iter().map(Into::into).collect();
        // They go with the block.
        let handles: Vec<Lent> = self
            .handles
            .into_iter()
            .map(|handle| Box::new(handle) as Lent)
            .collect();
        block.keep(self.pins, queues, handles);
        block
    }

    #[inline]
    pub(super) fn into_tree(self, root: RawValue) -> OwnedValue {
        let root = self.into_block().into_owned(root);
        // SAFETY: just made, and handed to nobody else.
        unsafe { OwnedValue::from_raw(root) }
    }
}
