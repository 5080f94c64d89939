//! What is done with an object that the host has a handle of.

use pyo3_ffi as ffi;

use super::Context;
use crate::data::config::CallOptions;
use crate::data::config::RunOptions;
use crate::data::conversion::Conversion;
use crate::data::error::{Error, Result, Status};
use crate::data::object_handle::FoundObject;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::convert::arguments::Arguments;
use crate::local::convert::handle;
use crate::local::convert::to_python;
use crate::local::interpreter::code_cache::Mode;
use crate::local::interpreter::object_use::ObjectUse;
use crate::local::python::object::Object;

impl Context<'_> {
    /// The object of a handle, and a reference to it: what is done with it may release the handle.
    #[inline]
    fn object(&self, found: &FoundObject) -> Result<Object> {
        if found.id != self.owner.id || !found.is_there() {
            return Err(handle::stale());
        }
        // SAFETY: attached to its interpreter: nobody drops the handle's reference meanwhile.
        let object = unsafe { Object::borrowed(self.py, found.address as *mut ffi::PyObject) };
        object.ok_or_else(handle::stale)
    }

    /// Calls it.
    #[inline(always)]
    pub(crate) fn call_found(
        &self,
        object: &FoundObject,
        arguments: &mut Arguments<'_>,
        conversion: Option<Conversion>,
        place: &mut OwnedValue,
    ) -> Result<()> {
        let object = self.object(object)?;
        self.call_object(&object, "object", arguments, conversion, place)
    }

    /// Does something with it.
    pub(crate) fn use_object(
        &self,
        object: &FoundObject,
        what: ObjectUse<'_>,
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let object = &self.object(object)?;
        let py = self.py;
        let name = |name: &str| Object::text(py, name).ok_or_else(|| self.raised());
        let value = |arguments: &mut Arguments<'_>, what: &str| {
            let value = arguments.next().unwrap_or(&Value::NONE);
            let written = to_python::write(py, value, &self.owner);
            written.map_err(|error| self.error(what, error))
        };
        let call = |object: &Object, what, arguments: &mut Arguments<'_>| {
            let mut result = OwnedValue::NONE;
            self.call_object(object, what, arguments, options.conversion, &mut result)?;
            Ok(result)
        };
        let at = object.as_ptr();
        // SAFETY: attached; live objects; each result is new, or NULL.
        let result = unsafe {
            match what {
                ObjectUse::Call => return call(object, "object", arguments),
                ObjectUse::CallMethod(method) => {
                    let method = ffi::PyObject_GetAttr(at, name(method)?.as_ptr());
                    let method = Object::owned(py, method).ok_or_else(|| self.raised())?;
                    return call(&method, "method", arguments);
                }
                ObjectUse::Get(attribute) => ffi::PyObject_GetAttr(at, name(attribute)?.as_ptr()),
                ObjectUse::Set(attribute) => {
                    let (attribute, value) = (name(attribute)?, value(arguments, "value")?);
                    if ffi::PyObject_SetAttr(at, attribute.as_ptr(), value.as_ptr()) != 0 {
                        return Err(self.raised());
                    }
                    return Ok(OwnedValue::NONE);
                }
                ObjectUse::Item => ffi::PyObject_GetItem(at, value(arguments, "key")?.as_ptr()),
                ObjectUse::Next => match self.next_of(object)? {
                    Some(item) => item,
                    None => return Ok(OwnedValue::END),
                },
                ObjectUse::Text => ffi::PyObject_Str(at),
                ObjectUse::Run => {
                    if ffi::PyCode_Check(at) == 0 {
                        let message = format!(
                            "the object is of type {}, and not code that was compiled",
                            object.type_name(py)
                        );
                        return Err(Error::new(Status::InvalidArgument, message));
                    }
                    return self
                        .execute(at, || b"", &options.run)
                        .map(|_| OwnedValue::NONE);
                }
                ObjectUse::Value => return self.wanted(object, options.conversion),
            }
        };
        // SAFETY: as above.
        let result = unsafe { Object::owned(py, result) };
        self.wanted(&result.ok_or_else(|| self.raised())?, options.conversion)
    }

    /// The next item of an iterator: a new reference. `None`: there is none any more.
    ///
    /// # Safety
    /// A live object.
    unsafe fn next_of(&self, object: &Object) -> Result<Option<*mut ffi::PyObject>> {
        // SAFETY: the caller's promise; attached.
        unsafe {
            if ffi::PyIter_Check(object.as_ptr()) == 0 {
                let message = format!(
                    "the object is of type {}, which is no iterator: call `__iter__` of it first",
                    object.type_name(self.py)
                );
                return Err(Error::new(Status::InvalidArgument, message));
            }
            let item = ffi::PyIter_Next(object.as_ptr());
            let is_end = item.is_null() && ffi::PyErr_Occurred().is_null();
            Ok((!is_end).then_some(item))
        }
    }

    /// Compiles a program, and keeps the code.
    pub(crate) fn compile_object(
        &self,
        source: &[u8],
        options: &RunOptions<'_>,
    ) -> Result<OwnedValue> {
        let code = self.compile(Mode::Program, source, options)?;
        let held = handle::hold(self.py, &code, &self.owner);
        held.map(OwnedValue::of_object)
            .map_err(|error| self.error("code", error))
    }
}
