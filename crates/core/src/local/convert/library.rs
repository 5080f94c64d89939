//! Objects of classes of Python's library, made of values. Its modules are imported when the first one is made.

use std::rc::Rc;

use pyo3_ffi as ffi;
use subpy_wire::DateTime;

use crate::data::value::{RawValue, kind};
use crate::local::attach::Attached;
use crate::local::objects::conversion_error::{ConversionError, Converted};
use crate::local::objects::library::Times;
use crate::local::objects::owner::Owner;
use crate::local::python::exception::{ARITHMETIC_ERROR, one_line};
use crate::local::python::object::Object;

/// A datetime, a date, a time or a timedelta.
pub(super) fn time(py: Attached<'_>, value: &RawValue, owner: &Rc<Owner>) -> Converted<Object> {
    value.check_time().map_err(ConversionError::invalid)?;
    let made = owner
        .library
        .times(py)
        .and_then(|times| match value.as_datetime() {
            Ok(datetime) => point_in_time(py, value.kind, &datetime, times),
            Err(_) => {
                let delta = value.as_timedelta().ok()?;
                let parts = [delta.days, delta.seconds, delta.microseconds];
                call_with_ints(py, &times.timedelta, &parts.map(i64::from))
            }
        });
    made.ok_or_else(ConversionError::raised)
}

/// `None`: an exception is set. So it is below.
fn point_in_time(
    py: Attached<'_>,
    kind: u32,
    datetime: &DateTime,
    times: &Times,
) -> Option<Object> {
    let date = [
        datetime.year.into(),
        datetime.month.into(),
        datetime.day.into(),
    ];
    let clock = [
        datetime.hour.into(),
        datetime.minute.into(),
        datetime.second.into(),
        datetime.microsecond.into(),
    ];
    let made = match kind {
        kind::DATE => return call_with_ints(py, &times.date, &date),
        kind::TIME => call_with_ints(py, &times.time, &clock)?,
        _ => call_with_ints(py, &times.datetime, &[&date[..], &clock[..]].concat())?,
    };
    if !datetime.fold && datetime.utc_offset.is_none() {
        return Some(made);
    }
    let changes = Object::dict(py)?;
    if let Some(offset) = datetime.utc_offset {
        changes.set_item(py, c"tzinfo", &zone(py, offset, times)?)?;
    }
    if datetime.fold {
        changes.set_item(py, c"fold", &Object::int(py, 1)?)?;
    }
    let replace = made.attribute(py, c"replace")?;
    let nothing = Object::tuple(py, &[])?;
    // SAFETY: attached; live objects; a new reference.
    unsafe {
        Object::owned(
            py,
            ffi::PyObject_Call(replace.as_ptr(), nothing.as_ptr(), changes.as_ptr()),
        )
    }
}

/// The time zone that is so many microseconds east of UTC, all the year.
fn zone(py: Attached<'_>, offset: i64, times: &Times) -> Option<Object> {
    if offset == 0 {
        return times.timezone.attribute(py, c"utc");
    }
    let offset = call_with_ints(py, &times.timedelta, &[0, 0, offset])?;
    times.timezone.call(py, &[&offset])
}

fn call_with_ints(py: Attached<'_>, class: &Object, numbers: &[i64]) -> Option<Object> {
    let ints = numbers.iter().map(|number| Object::int(py, *number));
    let ints: Vec<Object> = ints.collect::<Option<_>>()?;
    class.call(py, &ints.iter().collect::<Vec<_>>())
}

/// A decimal of a text that is one. The context of the script says how Python takes one that is past its limits: as NaN,
/// or not at all. Here it is an error.
pub(super) fn decimal(py: Attached<'_>, text: &str, owner: &Rc<Owner>) -> Converted<Object> {
    let make = || {
        let text = Object::text(py, text)?;
        owner.library.decimal(py)?.call(py, &[&text])
    };
    let Some(made) = make() else {
        return Err(match ARITHMETIC_ERROR.is_set(py) {
            true => past_limits(&one_line(py)),
            false => ConversionError::raised(),
        });
    };
    if text.contains(['e', 'E']) {
        let is_nan = made.attribute(py, c"is_nan");
        let is_nan = is_nan.and_then(|is_nan| is_nan.call(py, &[])?.truth(py));
        if is_nan.ok_or_else(ConversionError::raised)? {
            return Err(past_limits("its exponent"));
        }
    }
    Ok(made)
}

#[cold]
fn past_limits(why: &str) -> ConversionError {
    ConversionError::invalid(format!("is past the limits of Python's decimals: {why}"))
}

/// A UUID, the highest byte first.
pub(super) fn uuid(py: Attached<'_>, uuid: &[u8; 16], owner: &Rc<Owner>) -> Converted<Object> {
    let make = || {
        // SAFETY: attached; so many bytes, which are copied; a new reference.
        let bytes = unsafe {
            Object::owned(
                py,
                ffi::PyBytes_FromStringAndSize(uuid.as_ptr().cast(), uuid.len() as isize),
            )
        }?;
        let (class, hex) = (owner.library.uuid(py)?, Object::none(py)?);
        class.call(py, &[&hex, &bytes])
    };
    make().ok_or_else(ConversionError::raised)
}
