//! What a script can do about an object that can't cross.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use super::py_type::PyObject;
use crate::local::attach::Attached;
use crate::local::python::object::Object;

/// What a type has, and what of it crosses. The first one holds.
const HINTS: &[(&CStr, &str)] = &[
    (c"__members__", "its value may cross"),
    (
        c"__dataclass_fields__",
        "dataclasses.asdict() makes a dict of it",
    ),
    (c"__fspath__", "os.fspath() makes a str of it"),
    (c"isoformat", "its isoformat() is a str"),
    (c"total_seconds", "its total_seconds() is a float"),
    (c"to_dict", "its to_dict() is a dict"),
    (c"tolist", "its tolist() makes plain data of it"),
    (c"__index__", "int() makes an int of it"),
    (c"__float__", "str() makes a str of it, and float() a float"),
    (c"keys", "dict() makes a dict of it"),
    (c"__iter__", "list() makes a list of it"),
];

/// What a host can ask for, to get an object.
#[derive(Clone, Copy)]
pub(super) struct Flags {
    pub(super) convert: bool,
    pub(super) keep: bool,
}

/// That an object has no form, and what the script and the host can do.
///
/// # Safety
/// `object` lives.
#[cold]
pub(super) unsafe fn not_convertible(py: Attached<'_>, object: PyObject, flags: Flags) -> String {
    // SAFETY: the caller's promise.
    let (what, hint) = unsafe {
        (
            Object::lent(py, &object)
                .map(|object| object.type_name(py))
                .unwrap_or_default(),
            hint(object),
        )
    };
    let convert = match flags.convert {
        true => ", and SUBPY_CONVERT asks for its plain data",
        false => "",
    };
    let keep = match flags.keep {
        true => ", and SUBPY_KEEP_OBJECTS asks for a handle of it",
        false => "",
    };
    format!(
        "is of type {what}, which has no form outside of its interpreter: {hint}{convert}{keep}"
    )
}

/// # Safety
/// As above.
pub(super) unsafe fn hint(object: PyObject) -> &'static str {
    // SAFETY: the caller's promise; every object has a type.
    let kind: PyObject = unsafe { ffi::Py_TYPE(object) }.cast();
    // SAFETY: as above; no exception stays set.
    let has = |name: &CStr| unsafe { ffi::PyObject_HasAttrString(kind, name.as_ptr()) != 0 };
    let found = HINTS.iter().find(|(name, _)| has(name));
    found.map_or("str() or repr() makes a str of it", |(_, hint)| hint)
}
