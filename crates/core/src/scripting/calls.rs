//! Functions of subpy's own in the target, which need no package there: what they get and give is plain data.

use std::ffi::CStr;
use std::rc::Rc;

use pyo3_ffi as ffi;

use crate::Result;
use crate::interpreter::contents::Contents;
use crate::python::interpreter_dict::{keep, kept};
use crate::python::object::Object;
use crate::python::own_code::OwnCode;
use crate::scripting::caller::Caller;
use crate::scripting::functions::{IS_SHAREABLE, put};
use crate::values::local::Local;
use crate::values::tree::OwnedValue;
use crate::values::value::Value;

static CROSSING: OwnCode = OwnCode::new(
    super::package::text("<subpy>\0"),
    super::package::text(concat!(include_str!("python/crossing.py"), "\0")),
);

const KEPT: &CStr = c"subpy.crossing";

/// The functions of `crossing.py` in the attached interpreter: a dict. `None`: an exception is set.
pub(super) fn crossing(local: &Rc<Local>) -> Option<Object> {
    // SAFETY: attached; what is kept lives.
    if let Some(there) = unsafe { Object::borrowed(kept(KEPT)) } {
        return Some(there);
    }
    // SAFETY: attached; a new dict.
    let made = unsafe { Object::owned(ffi::PyDict_New()) }?;
    put(&made, c"__name__", &Object::text("subpy._interpreters")?)?;
    put(
        &made,
        IS_SHAREABLE.name(),
        &IS_SHAREABLE.bind(Some(&Caller::bound(local)?))?,
    )?;
    CROSSING.run_in(&made)?;
    keep(KEPT, &made)?;
    Some(made)
}

/// Calls a function of `crossing.py`.
pub(super) fn call(
    contents: &Contents,
    name: &CStr,
    arguments: &[Value<'_>],
) -> Result<OwnedValue> {
    let find = || OwnCode::function(&crossing(contents.local())?, name);
    contents.call_own(find, arguments)
}
