//! Plain data in the place of an object that stands for it, where the host asks for that. Finding it may run the script's
//! code, which may change what is read, and hand out another object each time.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use super::library::is_instance;
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::library::class;
use crate::local::python::object::{Object, clear_exception, import, imported};

/// What a scalar of numpy stands for. (Each has the buffer protocol, too.) `None`: it is none.
pub(super) fn of_numpy_scalar(py: Attached<'_>, object: &Object) -> Converted<Option<Object>> {
    if !is_numpy_scalar(py, object) {
        return Ok(None);
    }
    let item = object.attribute(py, c"item");
    let item = item.and_then(|item| item.call(py, &[]));
    let item = item.ok_or_else(ConversionError::raised)?;
    // A long double is the item of itself.
    match is_numpy_scalar(py, &item) {
        true => number(py, object).map(Some),
        false => Ok(Some(item)),
    }
}

/// What another object stands for. `None`: it stands for nothing.
pub(super) fn of(py: Attached<'_>, object: &Object) -> Converted<Option<Object>> {
    let found = if is_enum_member(py, object) {
        object.attribute(py, c"value")
    } else if has(py, object, c"__dataclass_fields__") {
        fields(py, object)
    } else if has(py, object, c"__fspath__") {
        // SAFETY: attached; a live object; a new reference.
        unsafe { Object::owned(py, ffi::PyOS_FSPath(object.as_ptr())) }
    } else if has(py, object, c"__index__") || has(py, object, c"__float__") {
        return number(py, object).map(Some);
    } else {
        return Ok(None);
    };
    found.map(Some).ok_or_else(ConversionError::raised)
}

/// Whether [`of`] would find something.
pub(super) fn is_there(py: Attached<'_>, object: &Object) -> bool {
    let names = [
        c"__dataclass_fields__",
        c"__fspath__",
        c"__index__",
        c"__float__",
    ];
    is_numpy_scalar(py, object)
        || is_enum_member(py, object)
        || names.iter().any(|name| has(py, object, name))
}

pub(super) fn is_numpy_scalar(py: Attached<'_>, object: &Object) -> bool {
    let generic = class_in_use(py, c"numpy", c"generic");
    generic.is_some_and(|generic| is_instance(py, object, &generic, false))
}

fn is_enum_member(py: Attached<'_>, object: &Object) -> bool {
    let class = class_in_use(py, c"enum", c"Enum");
    class.is_some_and(|class| is_instance(py, object, &class, false))
}

/// The int or float that a number is.
fn number(py: Attached<'_>, object: &Object) -> Converted<Object> {
    // SAFETY: attached; a live object; a new reference.
    let made = unsafe {
        Object::owned(
            py,
            match has(py, object, c"__index__") {
                true => ffi::PyNumber_Index(object.as_ptr()),
                false => ffi::PyNumber_Float(object.as_ptr()),
            },
        )
    };
    made.ok_or_else(ConversionError::raised)
}

/// A dict of a dataclass's fields.
fn fields(py: Attached<'_>, object: &Object) -> Option<Object> {
    let of = import(py, c"dataclasses")?.attribute(py, c"fields")?;
    let (fields, made) = (of.call(py, &[object])?, Object::dict(py)?);
    for i in 0..fields.count(py) {
        let name = fields.at(py, i)?.attribute(py, c"name")?;
        // SAFETY: attached; live objects; a new reference.
        let value =
            unsafe { Object::owned(py, ffi::PyObject_GetAttr(object.as_ptr(), name.as_ptr())) };
        made.set_key(py, &name, &value?)?;
    }
    Some(made)
}

/// A class of a module, if that was imported. No exception is set.
fn class_in_use(py: Attached<'_>, module: &CStr, name: &CStr) -> Option<Object> {
    let found = imported(py, module).and_then(|module| class(py, &module, name));
    if found.is_none() {
        clear_exception(py);
    }
    found
}

/// Whether its class has an attribute.
fn has(_: Attached<'_>, object: &Object, name: &CStr) -> bool {
    // SAFETY: attached; every object has a class; no exception stays set.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr()).cast();
        ffi::PyObject_HasAttrString(class, name.as_ptr()) != 0
    }
}
