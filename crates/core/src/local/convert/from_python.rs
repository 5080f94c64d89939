//! From Python objects to values: measured first, then copied into one allocation.
//!
//! Measuring may run Python code (an object's `__buffer__`), which may change what is measured. So it
//! holds on to each container that it is in, and filling, which runs none, checks its bounds.

mod common;
mod copy;
mod hints;
mod library;
mod measure;
mod py_type;
mod simpler;

use std::rc::Rc;

use pyo3_ffi as ffi;

use self::common::each_pair;
use self::measure::Reader;
use self::py_type::{PyObject, utf8};
pub(crate) use self::py_type::{borrowed, plain};
use crate::data::conversion::{Conversion, Objects};
use crate::data::tree::{Block, OwnedValue};
use crate::data::value::{RawValue, kind};
use crate::local::attach::Attached;
use crate::local::convert::handle;
use crate::local::convert::queue;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::owner::Owner;
use crate::local::python::object::{Object, clear_exception};

/// The value of an object: a tree of its own.
#[inline]
pub(crate) fn read(
    py: Attached<'_>,
    whole: &Object,
    conversion: Conversion,
    owner: &Rc<Owner>,
) -> Converted<OwnedValue> {
    if conversion.objects == Objects::Itself {
        return handle::hold(py, whole, owner).map(OwnedValue::of_object);
    }
    let object = whole.as_ptr();
    // SAFETY: attached to the interpreter of `owner`; a live object; what has no block owns nothing.
    unsafe {
        if let Some(value) = plain(py, object).filter(|_| !conversion.exact || is_exact(py, object))
        {
            return Ok(OwnedValue::from_raw(value));
        }
        if let Some(queue) = queue::of(py, object, owner) {
            return Ok(OwnedValue::of_queue(queue.clone().into()));
        }
        let mut reader = Reader::new(conversion, owner);
        if let Err(error) = reader.measure(py, object) {
            if conversion.objects == Objects::Others && error.is_not_shareable() {
                return handle::hold(py, whole, owner).map(OwnedValue::of_object);
            }
            return Err(error);
        }
        if let Some(handle) = reader.handle_of(object) {
            return Ok(OwnedValue::of_object(handle));
        }
        let mut copier = reader.copier()?;
        let root = copier.copy(py, object)?;
        Ok(copier.into_tree(root))
    }
}

unsafe fn is_exact(py: Attached<'_>, object: PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { py_type::is_exact(object, py_type::type_of(py, object)) }
}

/// Whether an object has a value.
pub(crate) fn has_value(
    py: Attached<'_>,
    object: &Object,
    conversion: Conversion,
    owner: &Rc<Owner>,
) -> bool {
    // SAFETY: as above.
    let measured = unsafe { Reader::new(conversion, owner).measure(py, object.as_ptr()) };
    clear_exception(py);
    measured.is_ok()
}

/// The values of a tuple's items, as a tuple: of what can't be copied, and of queues, their `repr()`.
pub(crate) fn read_or_describe(
    py: Attached<'_>,
    tuple: &Object,
    owner: &Rc<Owner>,
) -> Option<OwnedValue> {
    let value = |i| {
        let item = tuple.at(py, i)?;
        if let Ok(value) = read(py, &item, Conversion::COPY, owner)
            && value.queues().is_empty()
        {
            return Some(item);
        }
        clear_exception(py);
        // SAFETY: attached; a live object; a new reference.
        let text = unsafe { Object::owned(py, ffi::PyObject_Repr(item.as_ptr())) };
        text.or_else(|| {
            clear_exception(py);
            Object::text(py, &format!("<{} repr() failed>", item.type_name(py)))
        })
    };
    let count = usize::try_from(tuple.count(py)).ok()?;
    let items: Vec<Object> = (0..count as isize).map(value).collect::<Option<_>>()?;
    let copy = Object::tuple(py, &items.iter().collect::<Vec<_>>())?;
    read(py, &copy, Conversion::COPY, owner).ok()
}

/// The values of several objects that [`borrowed`] has not, written to `places`, and what holds them.
/// An error comes with the number of its object.
pub(crate) unsafe fn read_several(
    py: Attached<'_>,
    objects: &[(usize, PyObject)],
    places: &mut [RawValue],
    conversion: Conversion,
    owner: &Rc<Owner>,
) -> Result<Block, (usize, ConversionError)> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut reader = Reader::new(conversion, owner);
        for (i, object) in objects {
            reader.measure(py, *object).map_err(|e| (*i, e))?;
        }
        let mut copier = reader.copier().map_err(|e| (0, e))?;
        for (i, object) in objects {
            places[*i] = copier.copy(py, *object).map_err(|e| (*i, e))?;
        }
        Ok(copier.into_block())
    }
}

/// A namespace as a dict value: without the names that start with `__`, and without what has no form
/// outside of the interpreter.
pub(crate) fn read_namespace(
    py: Attached<'_>,
    namespace: &Object,
    conversion: Conversion,
    owner: &Rc<Owner>,
) -> Converted<OwnedValue> {
    let namespace = namespace.as_ptr();
    // SAFETY: attached to the interpreter of `owner`; a dict.
    unsafe {
        let mut names = Vec::new();
        each_pair(py, namespace, |name, object| {
            let is_ours = ffi::PyUnicode_Check(name) == 0
                || utf8(name).is_some_and(|(data, n)| {
                    std::slice::from_raw_parts(data.cast::<u8>(), n).starts_with(b"__")
                });
            if !is_ours {
                names.extend(Object::borrowed(py, name).zip(Object::borrowed(py, object)));
            }
            Ok(())
        })?;
        clear_exception(py);
        let mut reader = Reader::new(conversion, owner);
        let mut shareable = Vec::with_capacity(names.len());
        for pair in &names {
            let read = reader.read.as_ref().map_or(0, |read| read.objects.len());
            let before = (reader.nodes, reader.text, reader.pins.len(), read);
            let measured = reader
                .measure(py, pair.0.as_ptr())
                .and_then(|()| reader.measure(py, pair.1.as_ptr()));
            match measured {
                Ok(()) => shareable.push(pair),
                Err(e) if e.is_not_shareable() => {
                    (reader.nodes, reader.text) = (before.0, before.1);
                    reader.pins.truncate(before.2);
                    if let Some(read) = &mut reader.read {
                        read.objects.truncate(before.3);
                    }
                }
                Err(e) => return Err(e),
            }
        }
        if shareable.is_empty() {
            return Ok(OwnedValue::from_raw(EMPTY_DICT));
        }
        reader.nodes += 2 * shareable.len();
        let mut copier = reader.copier()?;
        let pairs = copier.take_nodes(2 * shareable.len())?;
        for (i, (name, object)) in shareable.iter().enumerate() {
            pairs.add(2 * i).write(copier.copy(py, name.as_ptr())?);
            pairs
                .add(2 * i + 1)
                .write(copier.copy(py, object.as_ptr())?);
        }
        let root = RawValue::of_items(kind::DICT, pairs, shareable.len());
        Ok(copier.into_tree(root))
    }
}

pub(crate) const EMPTY_DICT: RawValue = RawValue::of_items(kind::DICT, std::ptr::null(), 0);
