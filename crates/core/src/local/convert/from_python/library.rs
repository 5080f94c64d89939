//! Objects of classes of Python's library as values. Reading one may run Python code, its class's or its time zone's.

use std::ffi::CStr;

use pyo3_ffi as ffi;
use subpy_wire::value::is_decimal;
use subpy_wire::{DateTime, Timedelta};

use super::common::Becomes;
use super::py_type::PyObject;
use crate::data::value::{RawValue, kind};
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::library::Times;
use crate::local::objects::owner::Owner;
use crate::local::python::object::{Object, clear_exception};

/// The value of an object that is of such a class. `exact`: and of no subclass, and nothing of it may be lost.
pub(super) fn read(
    py: Attached<'_>,
    object: &Object,
    exact: bool,
    owner: &Owner,
) -> Converted<Option<Becomes>> {
    let is = |class: &Object| is_instance(py, object, class, exact);
    let value = |value| Ok(Some(Becomes::Value(value)));
    if let Some(times) = owner.library.times_in_use(py) {
        if is(&times.datetime) {
            if exact && !has_plain_zone(py, object, times)? {
                return Ok(None);
            }
            let datetime = clock_of(py, object, times, date_of(py, object)?)?;
            return value(checked(RawValue::of_datetime(kind::DATETIME, &datetime))?);
        }
        if is(&times.date) {
            let date = date_of(py, object)?;
            return value(checked(RawValue::of_datetime(kind::DATE, &date))?);
        }
        if is(&times.time) {
            if exact && !has_plain_zone(py, object, times)? {
                return Ok(None);
            }
            let time = clock_of(py, object, times, DateTime::MIDNIGHT)?;
            return value(checked(RawValue::of_datetime(kind::TIME, &time))?);
        }
        if is(&times.timedelta) {
            let delta = timedelta_of(py, object)?;
            return value(checked(RawValue::of_timedelta(&delta))?);
        }
    }
    if owner.library.decimal_in_use(py).is_some_and(is) {
        return decimal_of(py, object).map(Some);
    }
    if owner.library.uuid_in_use(py).is_some_and(is) {
        return uuid_of(py, object, exact);
    }
    Ok(None)
}

/// Whether it is of a class. `exact`: and of no subclass.
pub(super) fn is_instance(_: Attached<'_>, object: &Object, class: &Object, exact: bool) -> bool {
    // SAFETY: attached; a live object, and a class; every object has one.
    unsafe {
        let (of, class) = (ffi::Py_TYPE(object.as_ptr()), class.as_ptr().cast());
        of == class || !exact && ffi::PyType_IsSubtype(of, class) != 0
    }
}

fn date_of(py: Attached<'_>, object: &Object) -> Converted<DateTime> {
    Ok(DateTime {
        year: number(py, object, c"year")?,
        month: number(py, object, c"month")?,
        day: number(py, object, c"day")?,
        ..DateTime::MIDNIGHT
    })
}

/// A date with the time of the day.
fn clock_of(
    py: Attached<'_>,
    object: &Object,
    times: &Times,
    date: DateTime,
) -> Converted<DateTime> {
    Ok(DateTime {
        hour: number(py, object, c"hour")?,
        minute: number(py, object, c"minute")?,
        second: number(py, object, c"second")?,
        microsecond: number(py, object, c"microsecond")?,
        fold: number::<u8>(py, object, c"fold")? != 0,
        utc_offset: utc_offset(py, object, times)?,
        ..date
    })
}

/// How far east of UTC it is, in microseconds, by its time zone. `None`: that does not know.
fn utc_offset(py: Attached<'_>, object: &Object, times: &Times) -> Converted<Option<i64>> {
    let offset = object.attribute(py, c"utcoffset");
    let offset = offset.and_then(|offset| offset.call(py, &[]));
    let offset = offset.ok_or_else(ConversionError::raised)?;
    if offset.is_none(py) {
        return Ok(None);
    }
    if !is_instance(py, &offset, &times.timedelta, false) {
        return Err(strange(py, object, c"utcoffset"));
    }
    let delta = timedelta_of(py, &offset)?;
    let seconds = i64::from(delta.days) * 86_400 + i64::from(delta.seconds);
    Ok(Some(seconds * 1_000_000 + i64::from(delta.microseconds)))
}

/// Whether it has no time zone, or one that is made of its offset alone.
fn has_plain_zone(py: Attached<'_>, object: &Object, times: &Times) -> Converted<bool> {
    let has = || {
        let zone = object.attribute(py, c"tzinfo")?;
        if zone.is_none(py) {
            return Some(true);
        }
        if !is_instance(py, &zone, &times.timezone, true) {
            return Some(false);
        }
        // Its offset, and its name if it was given one.
        let made_of = zone.attribute(py, c"__getinitargs__")?.call(py, &[])?;
        Some(made_of.count(py) == 1)
    };
    has().ok_or_else(ConversionError::raised)
}

fn timedelta_of(py: Attached<'_>, object: &Object) -> Converted<Timedelta> {
    Ok(Timedelta {
        days: number(py, object, c"days")?,
        seconds: number(py, object, c"seconds")?,
        microseconds: number(py, object, c"microseconds")?,
    })
}

fn decimal_of(py: Attached<'_>, object: &Object) -> Converted<Becomes> {
    // SAFETY: attached; a live object; a new reference.
    let text = unsafe { Object::owned(py, ffi::PyObject_Str(object.as_ptr())) };
    let text = text.ok_or_else(ConversionError::raised)?;
    let is_one = text.ascii(py).is_some_and(is_decimal);
    match is_one {
        true => Ok(Becomes::Decimal(text)),
        false => Err(strange(py, object, c"__str__")),
    }
}

fn uuid_of(py: Attached<'_>, object: &Object, exact: bool) -> Converted<Option<Becomes>> {
    if exact {
        let safe = object.attribute(py, c"is_safe");
        let safe = safe.and_then(|safe| safe.attribute(py, c"value"));
        // Where it comes from would be lost.
        if !safe.ok_or_else(ConversionError::raised)?.is_none(py) {
            return Ok(None);
        }
    }
    let bytes = object.attribute(py, c"bytes");
    let bytes = bytes.ok_or_else(ConversionError::raised)?;
    let bytes = bytes.bytes(py).and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or_else(|| strange(py, object, c"bytes"))?;
    Ok(Some(Becomes::Value(RawValue::of_uuid(bytes))))
}

/// An attribute that is a number.
fn number<T: TryFrom<i64>>(py: Attached<'_>, object: &Object, name: &CStr) -> Converted<T> {
    let found = object.attribute(py, name);
    let found = found.ok_or_else(ConversionError::raised)?;
    let mut overflow = 0;
    // SAFETY: attached; a live object, and an int before it is asked for its value.
    let number = unsafe {
        match found.is_int(py) {
            true => ffi::PyLong_AsLongLongAndOverflow(found.as_ptr(), &mut overflow),
            false => -1,
        }
    };
    let number = T::try_from(number).ok().filter(|_| overflow == 0);
    number
        .filter(|_| found.is_int(py))
        .ok_or_else(|| strange(py, object, name))
}

/// A subclass makes of its attributes what it likes: pandas' `NaT` is a datetime whose year is a float.
#[cold]
fn strange(py: Attached<'_>, object: &Object, name: &CStr) -> ConversionError {
    clear_exception(py);
    ConversionError::not_shareable(format!(
        "is of type {}, whose {} is not what its base class has",
        object.type_name(py),
        name.to_string_lossy()
    ))
}

fn checked(value: RawValue) -> Converted<RawValue> {
    value.check_time().map_err(ConversionError::not_shareable)?;
    Ok(value)
}

/// A place for what is asked of an object by its pointer.
///
/// # Safety
/// `object` lives.
pub(super) unsafe fn kept(py: Attached<'_>, object: PyObject) -> Converted<Object> {
    // SAFETY: the caller's promise.
    unsafe { Object::borrowed(py, object) }.ok_or_else(ConversionError::raised)
}
