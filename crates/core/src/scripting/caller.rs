//! The interpreter whose script calls: its id, what is its own, and how an error becomes an exception there.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::rc::Rc;

use crate::data::error::{Error, Exception, Result, Status};
use crate::data::id::Id;
use crate::data::operation::Operation;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::attach::Attached;
use crate::local::convert::to_python;
use crate::local::enter;
use crate::local::objects::owner::Owner;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::exception;
use crate::local::python::object::Object;
use crate::process::Perform;

const CALLER: &CStr = c"subpy.caller";

/// Functions of the package are bound to one, which is touched only while its interpreter is attached.
pub(super) struct Caller {
    pub(super) owner: Rc<Owner>,
    /// What others know it by.
    pub(super) id: Id,
    perform: Perform,
    /// `error(status, message, details)`, of `subpy._interpreters`: makes the exception.
    error: OnceCell<Object>,
}

impl Caller {
    pub(super) fn new(owner: &Rc<Owner>, id: Id, perform: Perform) -> Self {
        Self {
            owner: owner.clone(),
            id,
            perform,
            error: OnceCell::new(),
        }
    }

    /// To be bound to. `None`: an exception is set.
    pub(super) fn bound(self, py: Attached<'_>) -> Option<Object> {
        capsule(py, CALLER, self)
    }

    /// `this` is what [`bound`](Self::bound) has made.
    pub(super) fn of<'a>(py: Attached<'_>, this: &'a Object) -> &'a Self {
        value_of(py, this, CALLER)
    }

    pub(super) fn set_error(&self, error: Object) {
        let _ = self.error.set(error);
    }

    /// Does an operation, without the caller's GIL.
    pub(super) fn perform(&self, _: Attached<'_>, operation: &Operation<'_>) -> Result<OwnedValue> {
        enter::without_gil(self.owner.id, || (self.perform)(operation))
    }

    /// The object of what an operation gives. `None`: an exception is set.
    pub(super) fn object_of(&self, py: Attached<'_>, operation: &Operation<'_>) -> Option<Object> {
        match self.perform(py, operation) {
            Ok(result) => self.object(py, result.get()),
            Err(error) => {
                self.raise(py, &error);
                None
            }
        }
    }

    /// Sets the exception for an error.
    #[cold]
    pub(super) fn raise(&self, py: Attached<'_>, error: &Error) {
        if let Some(made) = self.exception(py, error) {
            exception::restore(py, made);
        }
    }

    /// `None`: another one is set.
    fn exception(&self, py: Attached<'_>, error: &Error) -> Option<Object> {
        let details = match (error.exception(), error.status()) {
            (Some(exception), _) => self.details(py, error, exception)?,
            (None, Status::Lost) => self.how_lost(py, error)?,
            (None, _) => Object::none(py)?,
        };
        let status = Object::text(py, name_of(error.status()))?;
        let message = Object::text(py, error.message())?;
        self.error.get()?.call(py, &[&status, &message, &details])
    }

    /// `(module, name, message, args, traceback)`. `None`: an exception is set.
    pub(super) fn details(
        &self,
        py: Attached<'_>,
        error: &Error,
        exception: &Exception,
    ) -> Option<Object> {
        let (module, name) = &exception.class;
        Object::tuple(
            py,
            &[
                &Object::text(py, module)?,
                &Object::text(py, name)?,
                &Object::text(py, error.message())?,
                &self.object(py, exception.args.get())?,
                &Object::text(py, &exception.traceback)?,
            ],
        )
    }

    /// `(exit_code, signal, traceback)`. `None`: an exception is set.
    fn how_lost(&self, py: Attached<'_>, error: &Error) -> Option<Object> {
        Object::tuple(
            py,
            &[
                &Object::int(py, error.exit_code().into())?,
                &Object::int(py, error.signal().into())?,
                &Object::text(py, error.traceback())?,
            ],
        )
    }

    /// The object of a value. `None`: an exception is set.
    pub(super) fn object(&self, py: Attached<'_>, value: &Value<'_>) -> Option<Object> {
        to_python::write(py, value, &self.owner)
            .map_err(|error| error.raise(py, "value"))
            .ok()
    }
}

/// As `subpy._interpreters` calls it.
fn name_of(status: Status) -> &'static str {
    match status {
        Status::InvalidArgument => "invalid argument",
        Status::NotFound => "not found",
        Status::NotShareable => "not shareable",
        Status::NoMemory => "no memory",
        Status::Exception => "exception",
        Status::Exit => "exit",
        Status::Interrupted | Status::Timeout => "interrupted",
        Status::Lost => "lost",
        _ => "refused",
    }
}
