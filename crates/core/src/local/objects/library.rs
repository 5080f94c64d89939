//! The classes of Python's library whose objects are plain data. An interpreter that never uses them never imports them.

use std::cell::OnceCell;
use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::exception::TYPE_ERROR;
use crate::local::python::object::{Object, clear_exception, import, imported};

/// Those that an interpreter has used. Each is set once its module is imported.
#[derive(Default)]
pub(crate) struct Library {
    times: OnceCell<Times>,
    decimal: OnceCell<Object>,
    uuid: OnceCell<Object>,
}

/// The classes of `datetime`.
pub(crate) struct Times {
    pub(crate) datetime: Object,
    pub(crate) date: Object,
    pub(crate) time: Object,
    pub(crate) timedelta: Object,
    pub(crate) timezone: Object,
}

/// Finds a module: imports it, or finds it only if it was imported before. An exception may be set if there is `None`.
type Find = fn(Attached<'_>, &CStr) -> Option<Object>;

impl Library {
    /// The classes of `datetime`, which is imported for that. `None`: an exception is set. So it is for the next two.
    pub(crate) fn times(&self, py: Attached<'_>) -> Option<&Times> {
        found(&self.times, || times(py, import))
    }

    /// `decimal.Decimal`.
    pub(crate) fn decimal(&self, py: Attached<'_>) -> Option<&Object> {
        found(&self.decimal, || {
            class(py, &import(py, c"decimal")?, c"Decimal")
        })
    }

    /// `uuid.UUID`.
    pub(crate) fn uuid(&self, py: Attached<'_>) -> Option<&Object> {
        found(&self.uuid, || class(py, &import(py, c"uuid")?, c"UUID"))
    }

    /// The classes of `datetime`, if that was imported: without it there are no objects of them. No exception is set. So it is
    /// for the next two.
    pub(crate) fn times_in_use(&self, py: Attached<'_>) -> Option<&Times> {
        let times = found(&self.times, || times(py, imported));
        without_exception(py, times)
    }

    /// `decimal.Decimal`.
    pub(crate) fn decimal_in_use(&self, py: Attached<'_>) -> Option<&Object> {
        let decimal = found(&self.decimal, || {
            class(py, &imported(py, c"decimal")?, c"Decimal")
        });
        without_exception(py, decimal)
    }

    /// `uuid.UUID`.
    pub(crate) fn uuid_in_use(&self, py: Attached<'_>) -> Option<&Object> {
        let uuid = found(&self.uuid, || class(py, &imported(py, c"uuid")?, c"UUID"));
        without_exception(py, uuid)
    }
}

/// What the cell has, or gets. Finding it runs Python code, which may fill the cell first.
fn found<T>(cell: &OnceCell<T>, find: impl FnOnce() -> Option<T>) -> Option<&T> {
    if cell.get().is_none() {
        let _ = cell.set(find()?);
    }
    cell.get()
}

fn without_exception<T>(py: Attached<'_>, found: Option<T>) -> Option<T> {
    if found.is_none() {
        clear_exception(py);
    }
    found
}

fn times(py: Attached<'_>, find: Find) -> Option<Times> {
    let module = find(py, c"datetime")?;
    Some(Times {
        datetime: class(py, &module, c"datetime")?,
        date: class(py, &module, c"date")?,
        time: class(py, &module, c"time")?,
        timedelta: class(py, &module, c"timedelta")?,
        timezone: class(py, &module, c"timezone")?,
    })
}

/// A class of a module: whoever has it may ask what its subclasses are. `None`: an exception is set.
pub(crate) fn class(py: Attached<'_>, module: &Object, name: &CStr) -> Option<Object> {
    let class = module.attribute(py, name)?;
    // SAFETY: attached; a live object.
    match unsafe { ffi::PyType_Check(class.as_ptr()) } {
        0 => TYPE_ERROR.raise(py, &format!("{name:?} is no class in this interpreter")),
        _ => Some(class),
    }
}
