//! From Python objects to values: measured first, then copied into one allocation.
//!
//! Measuring may run Python code (an object's `__buffer__`), which may change what is measured. So it
//! holds on to each container that it is in, and filling, which runs none, checks its bounds.

use std::ffi::c_char;
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi as ffi;

use super::{Conversion, Outcome, Trouble, What, quoted, too_deep};
use crate::python::object::{Object, clear_exception, type_name_of};
use crate::values::local::Local;
use crate::values::pin::{Pin, Pins};
use crate::values::tree::{Block, OwnedValue};
use crate::values::value::{MAX_DEPTH, RawData, RawValue, kind};

type PyObject = *mut ffi::PyObject;

/// What an object is, as far as values go. Subclasses are what they are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    None,
    Bool,
    Int,
    Float,
    Str,
    Bytes,
    Tuple,
    List,
    Dict,
    Other,
}

/// # Safety
/// Attached; `object` lives. So it is for all functions of this module.
#[inline(always)]
unsafe fn sort(object: PyObject) -> Sort {
    // SAFETY: the caller's promise; the types are Python's own.
    unsafe {
        let exactly = ffi::Py_TYPE(object);
        if exactly == &raw mut ffi::PyFloat_Type {
            Sort::Float
        } else if exactly == &raw mut ffi::PyLong_Type {
            Sort::Int
        } else if exactly == &raw mut ffi::PyUnicode_Type {
            Sort::Str
        } else if object == ffi::Py_None() {
            Sort::None
        } else {
            sort_by_flags(object)
        }
    }
}

#[inline(never)]
unsafe fn sort_by_flags(object: PyObject) -> Sort {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::PyBool_Check(object) != 0 {
            Sort::Bool
        } else if ffi::PyDict_Check(object) != 0 {
            Sort::Dict
        } else if ffi::PyList_Check(object) != 0 {
            Sort::List
        } else if ffi::PyTuple_Check(object) != 0 {
            Sort::Tuple
        } else if ffi::PyBytes_Check(object) != 0 {
            Sort::Bytes
        } else if ffi::PyLong_Check(object) != 0 {
            Sort::Int
        } else if ffi::PyUnicode_Check(object) != 0 {
            Sort::Str
        } else if ffi::PyFloat_Check(object) != 0 {
            Sort::Float
        } else {
            Sort::Other
        }
    }
}

/// An int of up to 64 bits.
#[inline(always)]
unsafe fn integer(object: PyObject) -> Option<RawValue> {
    let mut overflow = 0;
    // SAFETY: the caller's promise: an int.
    let integer = unsafe { ffi::PyLong_AsLongLongAndOverflow(object, &mut overflow) };
    (overflow == 0).then(|| RawValue::new(kind::INT, RawData { integer }))
}

#[inline(always)]
unsafe fn real(object: PyObject) -> RawValue {
    // SAFETY: the caller's promise: a float.
    let real = unsafe { ffi::PyFloat_AS_DOUBLE(object) };
    RawValue::new(kind::FLOAT, RawData { real })
}

/// The UTF-8 that the str itself keeps, which ends in a NUL.
#[inline(always)]
unsafe fn utf8(object: PyObject) -> Option<(*const c_char, usize)> {
    let mut length = 0;
    // SAFETY: the caller's promise: a str.
    let data = unsafe { ffi::PyUnicode_AsUTF8AndSize(object, &mut length) };
    (!data.is_null()).then_some((data, length as usize))
}

/// The value of an object that needs no memory of its own.
#[inline(always)]
pub(crate) unsafe fn plain(object: PyObject) -> Option<RawValue> {
    // SAFETY: the caller's promise.
    unsafe { plain_of(object, sort(object)) }
}

#[inline(always)]
unsafe fn plain_of(object: PyObject, sort: Sort) -> Option<RawValue> {
    // SAFETY: the caller's promise, and `sort` is the object's.
    unsafe {
        match sort {
            Sort::Float => Some(real(object)),
            Sort::Int => integer(object),
            Sort::None => Some(RawValue::NONE),
            Sort::Bool => {
                let boolean = object == ffi::Py_True();
                Some(RawValue::new(kind::BOOL, RawData { boolean }))
            }
            _ => None,
        }
    }
}

/// The value of an object as long as the object lives and, if it is no constant, does not change:
/// without a copy, so not for containers.
#[inline(always)]
pub(crate) unsafe fn borrowed(object: PyObject, conversion: Conversion) -> Option<RawValue> {
    // SAFETY: the caller's promise.
    unsafe {
        match sort(object) {
            Sort::Str => match utf8(object) {
                Some((data, length)) => Some(RawValue::of_text(kind::STR, data, length)),
                None => {
                    clear_exception();
                    None
                }
            },
            Sort::Bytes if !conversion.pin_bytes => {
                let length = ffi::Py_SIZE(object) as usize;
                let data = ffi::PyBytes_AS_STRING(object);
                Some(RawValue::of_text(kind::BYTES, data, length))
            }
            sort => plain_of(object, sort),
        }
    }
}

/// The value of an object: a tree of its own.
#[inline]
pub(crate) unsafe fn read(
    object: PyObject,
    conversion: Conversion,
    local: &Rc<Local>,
) -> Outcome<OwnedValue> {
    // SAFETY: the caller's promise; what has no block owns nothing.
    unsafe {
        if let Some(value) = plain(object) {
            return Ok(OwnedValue::from_raw(value));
        }
        let mut reader = Reader::new(conversion, local);
        reader.measure(object)?;
        let mut filler = reader.filler()?;
        let root = filler.fill(object)?;
        Ok(filler.into_tree(root))
    }
}

/// The values of several objects that [`borrowed`] has not, written to `places`, and what holds them.
/// An error comes with the number of its object.
pub(crate) unsafe fn read_several(
    objects: &[(usize, PyObject)],
    places: &mut [RawValue],
    conversion: Conversion,
    local: &Rc<Local>,
) -> Result<Block, (usize, Trouble)> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut reader = Reader::new(conversion, local);
        for (i, object) in objects {
            reader.measure(*object).map_err(|e| (*i, e))?;
        }
        let mut filler = reader.filler().map_err(|e| (0, e))?;
        for (i, object) in objects {
            places[*i] = filler.fill(*object).map_err(|e| (*i, e))?;
        }
        Ok(filler.into_block())
    }
}

/// A namespace as a dict value: without the names that start with `__`, and without what has no form
/// outside of the interpreter.
pub(crate) unsafe fn read_namespace(
    namespace: PyObject,
    conversion: Conversion,
    local: &Rc<Local>,
) -> Outcome<OwnedValue> {
    // SAFETY: the caller's promise: a dict.
    unsafe {
        let mut names = Vec::new();
        each_pair(namespace, |name, object| {
            let is_ours = ffi::PyUnicode_Check(name) == 0
                || utf8(name).is_some_and(|(data, n)| {
                    std::slice::from_raw_parts(data.cast::<u8>(), n).starts_with(b"__")
                });
            if !is_ours {
                names.extend(Object::borrowed(name).zip(Object::borrowed(object)));
            }
            Ok(())
        })?;
        clear_exception();
        let mut reader = Reader::new(conversion, local);
        let mut shareable = Vec::with_capacity(names.len());
        for pair in &names {
            let before = (reader.nodes, reader.text, reader.pins.len());
            let measured = reader
                .measure(pair.0.as_ptr())
                .and_then(|()| reader.measure(pair.1.as_ptr()));
            match measured {
                Ok(()) => shareable.push(pair),
                Err(e) if e.is_not_shareable() => {
                    (reader.nodes, reader.text) = (before.0, before.1);
                    reader.pins.truncate(before.2);
                }
                Err(e) => return Err(e),
            }
        }
        if shareable.is_empty() {
            return Ok(OwnedValue::from_raw(EMPTY_DICT));
        }
        reader.nodes += 2 * shareable.len();
        let mut filler = reader.filler()?;
        let pairs = filler.take_nodes(2 * shareable.len())?;
        for (i, (name, object)) in shareable.iter().enumerate() {
            pairs.add(2 * i).write(filler.fill(name.as_ptr())?);
            pairs.add(2 * i + 1).write(filler.fill(object.as_ptr())?);
        }
        let root = RawValue::of_items(kind::DICT, pairs, shareable.len());
        Ok(filler.into_tree(root))
    }
}

pub(crate) const EMPTY_DICT: RawValue = RawValue::of_items(kind::DICT, std::ptr::null(), 0);

/// Calls `visit` with each key and value of a dict.
unsafe fn each_pair(
    dict: PyObject,
    mut visit: impl FnMut(PyObject, PyObject) -> Outcome<()>,
) -> Outcome<()> {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the caller's promise: a dict.
    while unsafe { ffi::PyDict_Next(dict, &mut position, &mut key, &mut value) } != 0 {
        visit(key, value)?;
    }
    Ok(())
}

/// A key as a step of a path.
#[cold]
unsafe fn key_text(key: PyObject) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        match Object::borrowed(key).and_then(|key| key.to_text()) {
            Some(text) => quoted(&text),
            None => match plain(key) {
                Some(value) if value.kind == kind::INT => value.r#as.integer.to_string(),
                _ => format!("a key of type {}", type_name_of(key)),
            },
        }
    }
}

/// A str of ASCII that stands for an int.
unsafe fn hexadecimal(object: PyObject) -> Outcome<Object> {
    // SAFETY: the caller's promise: an int; the result is new.
    unsafe { Object::owned(ffi::PyNumber_ToBase(object, 16)) }.ok_or_else(Trouble::raised)
}

/// The generalized UTF-8 of a str with lone surrogates.
unsafe fn wtf8(object: PyObject) -> Outcome<Object> {
    // SAFETY: the caller's promise: a str; the result is new.
    let bytes = unsafe {
        ffi::PyUnicode_AsEncodedString(object, c"utf-8".as_ptr(), c"surrogatepass".as_ptr())
    };
    // SAFETY: new, or NULL.
    unsafe { Object::owned(bytes) }.ok_or_else(Trouble::raised)
}

/// Finds out how much room a tree needs.
struct Reader<'a> {
    conversion: Conversion,
    local: &'a Rc<Local>,
    nodes: usize,
    text: usize,
    /// Of the buffers, in the order in which they come.
    pins: Vec<Arc<Pin>>,
    /// The containers that we are in.
    above: Vec<PyObject>,
}

impl<'a> Reader<'a> {
    fn new(conversion: Conversion, local: &'a Rc<Local>) -> Self {
        Self {
            conversion,
            local,
            nodes: 0,
            text: 0,
            pins: Vec::new(),
            above: Vec::new(),
        }
    }

    unsafe fn measure(&mut self, object: PyObject) -> Outcome<()> {
        // SAFETY: the caller's promise; what is of a sort has what that sort has.
        unsafe {
            match sort(object) {
                Sort::None | Sort::Bool | Sort::Float => Ok(()),
                Sort::Int => match integer(object) {
                    Some(_) => Ok(()),
                    None => self.measure_big_int(object),
                },
                Sort::Str => match utf8(object) {
                    Some((_, length)) => self.add_text(length),
                    None => self.measure_wtf8(object),
                },
                Sort::Bytes if !self.conversion.pin_bytes => {
                    self.add_text(ffi::Py_SIZE(object) as usize)
                }
                Sort::Bytes => self.pin(object),
                Sort::List => self.inside(object, |reader| {
                    reader.add_nodes(ffi::PyList_GET_SIZE(object) as usize)?;
                    let mut i = 0;
                    while i < ffi::PyList_GET_SIZE(object) {
                        let item = ffi::PyList_GET_ITEM(object, i);
                        if sort(item) != Sort::Float {
                            reader.measure(item).map_err(|e| e.at_index(i as usize))?;
                        }
                        i += 1;
                    }
                    Ok(())
                }),
                Sort::Tuple => self.inside(object, |reader| {
                    let length = ffi::PyTuple_GET_SIZE(object);
                    reader.add_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyTuple_GET_ITEM(object, i);
                        reader.measure(item).map_err(|e| e.at_index(i as usize))?;
                    }
                    Ok(())
                }),
                Sort::Dict => self.inside(object, |reader| {
                    reader.add_nodes(2 * ffi::PyDict_Size(object) as usize)?;
                    each_pair(object, |key, value| {
                        reader.measure(key).map_err(|e| e.at_key(key_text(key)))?;
                        reader.measure(value).map_err(|e| e.at_key(key_text(key)))
                    })
                }),
                Sort::Other if ffi::PyObject_CheckBuffer(object) != 0 => self.pin(object),
                Sort::Other => {
                    let what = type_name_of(object);
                    Err(Trouble::not_shareable(format!(
                        "is of type {what}, which has no form outside of its interpreter"
                    )))
                }
            }
        }
    }

    /// Measures a container, which is kept meanwhile.
    unsafe fn inside(
        &mut self,
        container: PyObject,
        measure: impl FnOnce(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        if self.above.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        if self.above.contains(&container) {
            return Err(Trouble::not_shareable(
                "is a container that contains itself",
            ));
        }
        self.above.push(container);
        // SAFETY: the caller's promise.
        let _kept = unsafe { Object::borrowed(container) };
        let outcome = measure(self);
        self.above.pop();
        outcome
    }

    #[cold]
    unsafe fn measure_big_int(&mut self, object: PyObject) -> Outcome<()> {
        if !self.conversion.lossless_text {
            return Err(Trouble::not_shareable(
                "is an int past 64 bits: ask for SUBPY_LOSSLESS_TEXT to get it as text",
            ));
        }
        // SAFETY: the caller's promise.
        unsafe {
            let text = hexadecimal(object)?;
            self.add_text(ffi::PyUnicode_GetLength(text.as_ptr()) as usize)
        }
    }

    #[cold]
    unsafe fn measure_wtf8(&mut self, object: PyObject) -> Outcome<()> {
        // SAFETY: the caller's promise; an exception is set.
        unsafe {
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_UnicodeEncodeError) == 0 {
                return Err(Trouble::raised());
            }
            clear_exception();
            if !self.conversion.lossless_text {
                return Err(Trouble::not_shareable(
                    "is a str with lone surrogates: ask for SUBPY_LOSSLESS_TEXT to get it",
                ));
            }
            self.add_text(ffi::Py_SIZE(wtf8(object)?.as_ptr()) as usize)
        }
    }

    #[inline(never)]
    unsafe fn pin(&mut self, object: PyObject) -> Outcome<()> {
        // SAFETY: the caller's promise.
        unsafe {
            let _kept = Object::borrowed(object);
            if let Some(pin) = Pin::new(object, self.conversion, self.local) {
                self.pins.push(pin);
                return Ok(());
            }
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_BufferError) == 0 {
                return Err(Trouble::raised());
            }
            let why = crate::python::exception::one_line();
            Err(Trouble::not_shareable(format!(
                "can't be shared as a buffer: {why}"
            )))
        }
    }

    #[inline(always)]
    fn add_text(&mut self, length: usize) -> Outcome<()> {
        // Each text ends in a NUL.
        self.text = self.text.checked_add(length + 1).ok_or_else(no_memory)?;
        Ok(())
    }

    #[inline(always)]
    fn add_nodes(&mut self, count: usize) -> Outcome<()> {
        self.nodes = self.nodes.checked_add(count).ok_or_else(no_memory)?;
        Ok(())
    }

    fn filler(self) -> Outcome<Filler> {
        let block = Block::new(self.nodes, self.pins.len(), self.text).ok_or_else(no_memory)?;
        Ok(Filler {
            nodes_left: self.nodes,
            text_left: self.text,
            pins: self.pins,
            pins_used: 0,
            conversion: self.conversion,
            next_node: block.nodes,
            next_text: block.text,
            block,
        })
    }
}

#[cold]
fn no_memory() -> Trouble {
    Trouble::new(What::NoMemory)
}

/// Something that measuring has seen is different now.
#[cold]
fn changed() -> Trouble {
    Trouble::not_shareable("changed while it was read")
}

/// Copies what was measured.
struct Filler {
    conversion: Conversion,
    next_node: *mut RawValue,
    nodes_left: usize,
    next_text: *mut u8,
    text_left: usize,
    pins_used: usize,
    pins: Vec<Arc<Pin>>,
    block: Block,
}

impl Filler {
    unsafe fn fill(&mut self, object: PyObject) -> Outcome<RawValue> {
        // SAFETY: the caller's promise; what is of a sort has what that sort has; room is taken before
        // it is written to.
        unsafe {
            let sort = sort(object);
            if let Some(value) = plain_of(object, sort) {
                return Ok(value);
            }
            match sort {
                Sort::Int => {
                    let text = hexadecimal(object)?;
                    let (data, length) = utf8(text.as_ptr()).ok_or_else(Trouble::raised)?;
                    self.text(kind::BIG_INT, data, length)
                }
                Sort::Str => match utf8(object) {
                    Some((data, length)) => self.text(kind::STR, data, length),
                    None => {
                        clear_exception();
                        let bytes = wtf8(object)?;
                        self.bytes(kind::WTF8, bytes.as_ptr())
                    }
                },
                Sort::Bytes if !self.conversion.pin_bytes => self.bytes(kind::BYTES, object),
                Sort::List => {
                    let length = ffi::PyList_GET_SIZE(object);
                    let items = self.take_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyList_GET_ITEM(object, i);
                        let value = if ffi::PyFloat_CheckExact(item) != 0 {
                            real(item)
                        } else {
                            self.fill(item)?
                        };
                        items.add(i as usize).write(value);
                    }
                    Ok(RawValue::of_items(kind::LIST, items, length as usize))
                }
                Sort::Tuple => {
                    let length = ffi::PyTuple_GET_SIZE(object);
                    let items = self.take_nodes(length as usize)?;
                    for i in 0..length {
                        let item = ffi::PyTuple_GET_ITEM(object, i);
                        items.add(i as usize).write(self.fill(item)?);
                    }
                    Ok(RawValue::of_items(kind::TUPLE, items, length as usize))
                }
                Sort::Dict => {
                    let length = ffi::PyDict_Size(object) as usize;
                    let pairs = self.take_nodes(2 * length)?;
                    let mut i = 0;
                    each_pair(object, |key, value| {
                        if i == length {
                            return Err(changed());
                        }
                        pairs.add(2 * i).write(self.fill(key)?);
                        pairs.add(2 * i + 1).write(self.fill(value)?);
                        i += 1;
                        Ok(())
                    })?;
                    if i < length {
                        return Err(changed());
                    }
                    Ok(RawValue::of_items(kind::DICT, pairs, length))
                }
                _ => self.buffer(),
            }
        }
    }

    fn buffer(&mut self) -> Outcome<RawValue> {
        let pin = self.pins.get(self.pins_used).ok_or_else(changed)?;
        // SAFETY: the block has room for as many as there are pins.
        let place = unsafe { self.block.buffers.add(self.pins_used) };
        // SAFETY: as above.
        unsafe { place.write(pin.info()) };
        self.pins_used += 1;
        Ok(RawValue::new(kind::BUFFER, RawData { buffer: place }))
    }

    unsafe fn bytes(&mut self, kind: u32, bytes: PyObject) -> Outcome<RawValue> {
        // SAFETY: the caller's promise: bytes.
        unsafe {
            let length = ffi::Py_SIZE(bytes) as usize;
            self.text(kind, ffi::PyBytes_AS_STRING(bytes), length)
        }
    }

    /// Copies text, and its NUL.
    #[inline(always)]
    unsafe fn text(&mut self, kind: u32, data: *const c_char, length: usize) -> Outcome<RawValue> {
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

    #[inline(always)]
    fn take_nodes(&mut self, count: usize) -> Outcome<*mut RawValue> {
        if count > self.nodes_left {
            return Err(changed());
        }
        let place = self.next_node;
        // SAFETY: there are so many left.
        self.next_node = unsafe { place.add(count) };
        self.nodes_left -= count;
        Ok(place)
    }

    fn into_block(self) -> Block {
        let mut block = self.block;
        block.keep(Pins(self.pins));
        block
    }

    fn into_tree(self, root: RawValue) -> OwnedValue {
        let root = self.into_block().into_owned(root);
        // SAFETY: just made, and handed to nobody else.
        unsafe { OwnedValue::from_raw(root) }
    }
}
