//! From values to Python objects.
//!
//! What is always in line here: without it a host function takes 10 instructions more.

use std::ffi::{CString, c_char};
use std::rc::Rc;

use pyo3_ffi as ffi;
use subpy_wire::value::is_decimal;

use crate::data::value::{MAX_DEPTH, RawItems, RawText, RawValue, Value, kind};
use crate::local::attach::Attached;
use crate::local::buffers::host_memory;
use crate::local::convert::{handle, library, queue};
use crate::local::objects::conversion_error::{ConversionError, Converted, quoted, too_deep};
use crate::local::objects::owner::Owner;
use crate::local::objects::release::Release;
use crate::local::python::exception::{TYPE_ERROR, UNICODE_DECODE, VALUE_ERROR, one_line};
use crate::local::python::object::Object;

/// Makes the object that a value stands for. If that fails, what the value lends is in the error.
#[inline(always)]
pub(crate) fn write(py: Attached<'_>, value: &Value<'_>, owner: &Rc<Owner>) -> Converted<Object> {
    // SAFETY: by the promise of whoever made the value, what it points to is there.
    unsafe { object(py, value.as_raw(), owner, 0) }
}

/// What a value lends, for one that is not used. A tree that is nested too deep, or in itself, is
/// followed as far as it would have been.
#[cold]
pub(crate) fn lent_by(value: &Value<'_>, out: &mut Vec<Release>) {
    // SAFETY: as above.
    unsafe { collect(value.as_raw(), 0, out) }
}

/// Makes a dict of what has to be a dict with names for keys; `admits` says of which.
pub(crate) fn write_names(
    py: Attached<'_>,
    pairs: &Value<'_>,
    admits: impl Fn(&str) -> bool,
    owner: &Rc<Owner>,
) -> Converted<Object> {
    // SAFETY: as above; attached, as whoever has `owner` is; a dict that nobody else sees yet.
    unsafe {
        let Some(dict) = Object::owned(py, ffi::PyDict_New()) else {
            let mut unused = Vec::new();
            lent_by(pairs, &mut unused);
            return Err(ConversionError::raised().with_unused(unused));
        };
        each_name(pairs, |text, value| {
            if !admits(text) {
                collect(value, 1, &mut Vec::new());
                return Ok(());
            }
            let value = object(py, value, owner, 1)?;
            let name = Object::text(py, text).ok_or_else(ConversionError::raised)?;
            match ffi::PyDict_SetItem(dict.as_ptr(), name.as_ptr(), value.as_ptr()) {
                0 => Ok(()),
                _ => Err(ConversionError::raised()),
            }
        })?;
        Ok(dict)
    }
}

/// Calls `visit` with each pair of what has to be a dict with names for keys. `visit` uses the value,
/// or says in its error what is unused of it.
unsafe fn each_name(
    pairs: &Value<'_>,
    mut visit: impl FnMut(&str, &RawValue) -> Converted<()>,
) -> Converted<()> {
    // SAFETY: as above.
    unsafe {
        let items = items_of(pairs.as_raw()).map_err(|e| {
            let mut unused = Vec::new();
            collect(pairs.as_raw(), 0, &mut unused);
            e.with_unused(unused)
        })?;
        for i in 0..items.length {
            let (name, value) = (&*items.data.add(2 * i), &*items.data.add(2 * i + 1));
            let rest = |from| rest_of(items, from, 2 * items.length, 1);
            let text = name_of(name).map_err(|e| e.with_unused(rest(2 * i + 1)))?;
            visit(text, value).map_err(|e| e.at_key(quoted(text)).with_unused(rest(2 * i + 2)))?;
        }
        Ok(())
    }
}

/// The pairs of what has to be a dict.
unsafe fn items_of(dict: &RawValue) -> Converted<RawItems> {
    if dict.kind != kind::DICT {
        return Err(ConversionError::invalid("has to be a dict"));
    }
    // SAFETY: the kind says so.
    checked_items(unsafe { dict.r#as.items })
}

/// A key that has to be a str.
unsafe fn name_of<'a>(key: &RawValue) -> Converted<&'a str> {
    if key.kind != kind::STR {
        return Err(ConversionError::invalid("has a key that is not a str"));
    }
    // SAFETY: the kind says so.
    let bytes = unsafe { bytes_of(key.r#as.text) }?;
    std::str::from_utf8(bytes).map_err(|_| ConversionError::invalid("has a key that is not UTF-8"))
}

/// # Safety
/// What the value points to is there. So it is for the functions below.
#[inline(always)]
unsafe fn object(
    py: Attached<'_>,
    value: &RawValue,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    // SAFETY: the caller's promise; the kind says which field counts.
    unsafe {
        let made = match value.kind {
            kind::INT => ffi::PyLong_FromLongLong(value.r#as.integer),
            kind::FLOAT => ffi::PyFloat_FromDouble(value.r#as.real),
            kind::STR => return text(py, value.r#as.text),
            _ => return other(py, value, owner, depth),
        };
        Object::owned(py, made).ok_or_else(ConversionError::raised)
    }
}

#[inline(never)]
unsafe fn other(
    py: Attached<'_>,
    value: &RawValue,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    // SAFETY: as above. A bool of C's is read as the byte that it is.
    unsafe {
        let made = match value.kind {
            kind::NONE => {
                return Object::borrowed(py, ffi::Py_None()).ok_or_else(ConversionError::raised);
            }
            kind::BOOL => {
                let byte = (&raw const value.r#as.boolean).cast::<u8>().read();
                ffi::PyBool_FromLong((byte != 0).into())
            }
            kind::BYTES => {
                let bytes = bytes_of(value.r#as.text)?;
                ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as isize)
            }
            kind::WTF8 => {
                let bytes = bytes_of(value.r#as.text)?;
                let (data, length) = (bytes.as_ptr().cast(), bytes.len() as isize);
                let made = ffi::PyUnicode_DecodeUTF8(data, length, c"surrogatepass".as_ptr());
                return Object::owned(py, made).ok_or_else(|| not_utf8(py));
            }
            kind::BIG_INT => return big_int(py, value.r#as.text),
            kind::BUFFER => return host_memory::view(py, value.r#as.buffer, owner),
            _ if value.is_container() => return container(py, value, owner, depth),
            kind::QUEUE => return queue::object(py, value.r#as.queue, owner),
            kind::OBJECT => return handle::object(py, value.r#as.object, owner),
            kind::COMPLEX => {
                ffi::PyComplex_FromDoubles(value.r#as.complex.real, value.r#as.complex.imag)
            }
            kind::DECIMAL => {
                return library::decimal(py, decimal_text(bytes_of(value.r#as.text)?)?, owner);
            }
            kind::UUID => return library::uuid(py, &value.r#as.uuid, owner),
            _ if value.is_time() => return library::time(py, value, owner),
            unknown => {
                return Err(ConversionError::invalid(format!(
                    "is of kind {unknown}, which is none of subpy_kind"
                )));
            }
        };
        Object::owned(py, made).ok_or_else(ConversionError::raised)
    }
}

pub(crate) unsafe fn bytes_of<'a>(text: RawText) -> Converted<&'a [u8]> {
    match (text.data.is_null(), text.length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(ConversionError::invalid("has NULL for its data")),
        (_, length) if length > isize::MAX as usize => Err(too_long(length)),
        // SAFETY: the caller's promise.
        (_, length) => Ok(unsafe { std::slice::from_raw_parts(text.data.cast(), length) }),
    }
}

/// The text of a decimal.
pub(crate) fn decimal_text(bytes: &[u8]) -> Converted<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_decimal(bytes) => Ok(text),
        _ => Err(ConversionError::invalid(format!(
            "is no decimal: {}",
            quoted(&String::from_utf8_lossy(bytes))
        ))),
    }
}

pub(crate) fn checked_items(items: RawItems) -> Converted<RawItems> {
    const LONGEST: usize = isize::MAX as usize / (2 * size_of::<RawValue>());
    match (items.data.is_null(), items.length) {
        (true, 1..) => Err(ConversionError::invalid("has NULL for its items")),
        (_, length) if length > LONGEST => Err(too_long(length)),
        _ => Ok(items),
    }
}

#[cold]
fn too_long(length: usize) -> ConversionError {
    ConversionError::invalid(format!(
        "has a length of {length}, which is past all limits"
    ))
}

#[inline(always)]
unsafe fn text(py: Attached<'_>, text: RawText) -> Converted<Object> {
    // SAFETY: as above.
    unsafe {
        let bytes = bytes_of(text)?;
        let (data, length) = (bytes.as_ptr().cast::<c_char>(), bytes.len() as isize);
        Object::owned(py, ffi::PyUnicode_FromStringAndSize(data, length))
            .ok_or_else(|| not_utf8(py))
    }
}

/// For the exception that is set.
#[cold]
fn not_utf8(py: Attached<'_>) -> ConversionError {
    if !UNICODE_DECODE.is_set(py) {
        return ConversionError::raised();
    }
    let why = one_line(py);
    ConversionError::invalid(format!("is a str that is not UTF-8: {why}"))
}

#[cold]
unsafe fn big_int(py: Attached<'_>, digits: RawText) -> Converted<Object> {
    // SAFETY: as above; the copy ends in a NUL.
    unsafe {
        let no_int = |why: String| ConversionError::invalid(format!("is no int: {why}"));
        let digits = CString::new(bytes_of(digits)?).map_err(|e| no_int(e.to_string()))?;
        let made = ffi::PyLong_FromString(digits.as_ptr(), std::ptr::null_mut(), 0);
        Object::owned(py, made).ok_or_else(|| match VALUE_ERROR.is_set(py) {
            false => ConversionError::raised(),
            true => no_int(one_line(py)),
        })
    }
}

unsafe fn container(
    py: Attached<'_>,
    value: &RawValue,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    if depth >= MAX_DEPTH {
        return Err(too_deep());
    }
    // SAFETY: as above.
    unsafe {
        let items = checked_items(value.r#as.items)?;
        match value.kind {
            kind::LIST => list(py, items, owner, depth + 1),
            kind::SET | kind::FROZENSET => set(py, value.kind, items, owner, depth + 1),
            kind::TUPLE => tuple(py, items, owner, depth + 1),
            _ => dict(py, items, owner, depth + 1),
        }
    }
}

unsafe fn list(
    py: Attached<'_>,
    items: RawItems,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    // SAFETY: as above; a list that nobody else sees yet.
    unsafe {
        let list = Object::owned(py, ffi::PyList_New(items.length as isize));
        let list = list.ok_or_else(|| unused(items, 0, items.length, depth))?;
        for i in 0..items.length {
            match object(py, &*items.data.add(i), owner, depth) {
                Ok(item) => ffi::PyList_SET_ITEM(list.as_ptr(), i as isize, item.into_ptr()),
                Err(e) => {
                    let rest = rest_of(items, i + 1, items.length, depth);
                    return Err(e.at_index(i).with_unused(rest));
                }
            }
        }
        Ok(list)
    }
}

unsafe fn tuple(
    py: Attached<'_>,
    items: RawItems,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    // SAFETY: as above; a tuple that nobody else sees yet.
    unsafe {
        let tuple = Object::owned(py, ffi::PyTuple_New(items.length as isize));
        let tuple = tuple.ok_or_else(|| unused(items, 0, items.length, depth))?;
        for i in 0..items.length {
            match object(py, &*items.data.add(i), owner, depth) {
                Ok(item) => ffi::PyTuple_SET_ITEM(tuple.as_ptr(), i as isize, item.into_ptr()),
                Err(e) => {
                    let rest = rest_of(items, i + 1, items.length, depth);
                    return Err(e.at_index(i).with_unused(rest));
                }
            }
        }
        Ok(tuple)
    }
}

unsafe fn set(
    py: Attached<'_>,
    kind: u32,
    items: RawItems,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    // SAFETY: as above; a set that nobody else sees yet, so a frozenset may still grow.
    unsafe {
        let made = match kind {
            kind::SET => ffi::PySet_New(std::ptr::null_mut()),
            _ => ffi::PyFrozenSet_New(std::ptr::null_mut()),
        };
        let set = Object::owned(py, made);
        let set = set.ok_or_else(|| unused(items, 0, items.length, depth))?;
        for i in 0..items.length {
            let rest = || rest_of(items, i + 1, items.length, depth);
            let item = object(py, &*items.data.add(i), owner, depth)
                .map_err(|e| e.at_index(i).with_unused(rest()))?;
            if ffi::PySet_Add(set.as_ptr(), item.as_ptr()) != 0 {
                let error = unhashable(py, "can't be in a set");
                return Err(error.at_index(i).with_unused(rest()));
            }
        }
        Ok(set)
    }
}

unsafe fn dict(
    py: Attached<'_>,
    items: RawItems,
    owner: &Rc<Owner>,
    depth: usize,
) -> Converted<Object> {
    let length = 2 * items.length;
    // SAFETY: as above; a dict that nobody else sees yet.
    unsafe {
        let dict = Object::owned(py, ffi::PyDict_New());
        let dict = dict.ok_or_else(|| unused(items, 0, length, depth))?;
        for i in 0..items.length {
            let (key, value) = (&*items.data.add(2 * i), &*items.data.add(2 * i + 1));
            let name = |e: ConversionError| e.at_key(key_text(key, i));
            let key = match object(py, key, owner, depth) {
                Ok(key) => key,
                Err(e) => {
                    return Err(name(e).with_unused(rest_of(items, 2 * i + 1, length, depth)));
                }
            };
            let rest = || rest_of(items, 2 * i + 2, length, depth);
            let value = match object(py, value, owner, depth) {
                Ok(value) => value,
                Err(e) => return Err(name(e).with_unused(rest())),
            };
            if ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) != 0 {
                return Err(name(unhashable(py, "can't be a key")).with_unused(rest()));
            }
        }
        Ok(dict)
    }
}

/// A key as a step of a path.
#[cold]
pub(crate) unsafe fn key_text(key: &RawValue, i: usize) -> String {
    // SAFETY: as above.
    unsafe {
        match key.kind {
            kind::INT => key.r#as.integer.to_string(),
            _ => match name_of(key) {
                Ok(text) => quoted(text),
                Err(_) => format!("key {i}"),
            },
        }
    }
}

/// For the exception that is set.
#[cold]
fn unhashable(py: Attached<'_>, what: &str) -> ConversionError {
    if !TYPE_ERROR.is_set(py) {
        return ConversionError::raised();
    }
    let why = one_line(py);
    ConversionError::invalid(format!("{what}: {why}"))
}

#[cold]
unsafe fn unused(items: RawItems, from: usize, to: usize, depth: usize) -> ConversionError {
    // SAFETY: as above.
    ConversionError::raised().with_unused(unsafe { rest_of(items, from, to, depth) })
}

/// What the values from one to another lend.
#[cold]
unsafe fn rest_of(items: RawItems, from: usize, to: usize, depth: usize) -> Vec<Release> {
    let mut out = Vec::new();
    for i in from..to {
        // SAFETY: as above.
        unsafe { collect(&*items.data.add(i), depth, &mut out) };
    }
    out
}

unsafe fn collect(value: &RawValue, depth: usize, out: &mut Vec<Release>) {
    // SAFETY: as above.
    unsafe {
        if value.kind == kind::BUFFER {
            out.extend(host_memory::take_release(value.r#as.buffer));
        } else if value.is_container()
            && depth < MAX_DEPTH
            && let Ok(items) = checked_items(value.r#as.items)
        {
            let per_item = if value.kind == kind::DICT { 2 } else { 1 };
            for i in 0..per_item * items.length {
                collect(&*items.data.add(i), depth + 1, out);
            }
        }
    }
}
