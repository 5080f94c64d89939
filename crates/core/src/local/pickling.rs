//! What crosses between interpreters without being plain data: pickled, by functions in Python. An interpreter gets them
//! when it first needs them; it need not have the package.

use std::ffi::CStr;
use std::rc::Rc;

use pyo3_ffi as ffi;

use crate::data::conversion::Conversion;
use crate::data::error::{Error, Status};
use crate::data::tree::OwnedValue;
use crate::local::attach::Attached;
use crate::local::convert::from_python;
use crate::local::objects::conversion_error::ConversionError;
use crate::local::objects::owner::Owner;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::exception;
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Method, method};
use crate::local::python::object::Object;

pub(crate) static FUNCTIONS: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    EmbeddedCode::text(concat!(include_str!("pickling.py"), "\0")),
);

const KEPT: &CStr = c"subpy.pickling";
const OWNER: &CStr = c"subpy.owner";

static IS_SHAREABLE: Method = Method::new(c"is_shareable", is_shareable, ffi::METH_O).with_doc(
    c"is_shareable($module, object, /)\n--\n\nWhether an object can be given to another interpreter as it is: plain data \
      is copied, the memory of a memoryview is shared.",
);

/// The functions of `pickling.py` in the attached interpreter, whose own this is: a dict. `None`: an exception is set.
pub(crate) fn functions(py: Attached<'_>, owner: &Rc<Owner>) -> Option<Object> {
    if let Some(there) = kept(py, KEPT) {
        return Some(there);
    }
    let made = Object::dict(py)?;
    let module = Object::text(py, "subpy._interpreters")?;
    let owner = capsule(py, OWNER, owner.clone())?;
    made.set_item(py, c"__name__", &module)?;
    made.set_item(
        py,
        IS_SHAREABLE.name(),
        &IS_SHAREABLE.bind_in(py, Some(&owner), &module)?,
    )?;
    FUNCTIONS.run_in(py, &made)?;
    keep(py, KEPT, &made)?;
    Some(made)
}

/// A function of `pickling.py`. `None`: an exception is set.
pub(crate) fn function(py: Attached<'_>, owner: &Rc<Owner>, name: &CStr) -> Option<Object> {
    EmbeddedCode::function(py, &functions(py, owner)?, name)
}

/// The value of an object, for another interpreter. `None`: an exception is set. `root` names it there.
pub(crate) fn read(
    py: Attached<'_>,
    object: &Object,
    root: &str,
    owner: &Rc<Owner>,
) -> Option<OwnedValue> {
    let read = from_python::read(py, object, Conversion::SAME, owner);
    read.map_err(|error| refuse(py, error, root, owner)).ok()
}

/// Sets the exception.
#[cold]
pub(crate) fn refuse(py: Attached<'_>, error: ConversionError, root: &str, owner: &Rc<Owner>) {
    if !error.is_not_shareable() {
        return error.raise(py, root);
    }
    let error = error.into_error(root, || Error::new(Status::Internal, "no exception"));
    if let Some(class) = function(py, owner, c"NotShareableError") {
        exception::set(py, &class, error.message());
    }
}

method!(is_shareable, |py, Some(this), Some(object)| {
    let owner: &Rc<Owner> = value_of(py, this, OWNER);
    Object::bool(
        py,
        from_python::has_value(py, object, Conversion::SAME, owner),
    )
});
