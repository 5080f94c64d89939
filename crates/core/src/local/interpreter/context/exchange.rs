//! What a host does with an interpreter's values and functions, while it is attached.

use std::mem::MaybeUninit;
use std::sync::Arc;

use pyo3_ffi as ffi;

use super::{Context, coroutine};
use crate::data::config::RunOptions;
use crate::data::conversion::Conversion;
use crate::data::error::{Error, Result, Status};
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::attach::Attached;
use crate::local::convert::arguments::Arguments;
use crate::local::convert::from_python;
use crate::local::convert::from_python::plain;
use crate::local::convert::to_python;
use crate::local::functions::host_function;
use crate::local::functions::host_function::Definition;
use crate::local::functions::names::Missing;
use crate::local::interpreter::code_cache::Mode;
use crate::local::interpreter::modules;
use crate::local::interpreter::modules::{Module, Modules};
use crate::local::objects::conversion_error::ConversionError;
use crate::local::python::object::Object;

/// Up to so many positional arguments, a call needs no allocation of ours.
const FEW: usize = 8;

impl Context<'_> {
    /// Gives a value a name.
    pub(crate) fn set(&self, name: &[u8], mut value: Arguments<'_>) -> Result<()> {
        let name = self.names.plain(self.py, name)?.last().clone();
        let Some(value) = value.next() else {
            return Ok(());
        };
        let written = to_python::write(self.py, value, &self.owner);
        let object = written.map_err(|e| self.error("value", e))?;
        let set = self.namespace.globals().set_key(self.py, &name, &object);
        set.ok_or_else(|| self.raised())
    }

    /// The value that a name has.
    pub(crate) fn get(&self, name: &[u8], conversion: Conversion) -> Result<OwnedValue> {
        let found = self
            .names
            .plain(self.py, name)?
            .find(self.py, self.namespace);
        let object = found.map_err(|missing| self.missing(missing))?;
        self.read(&object, conversion)
    }

    /// The value of an expression; `None` for the conversion: it is thrown away.
    pub(crate) fn eval(
        &self,
        source: &[u8],
        options: &RunOptions,
        conversion: Option<Conversion>,
    ) -> Result<OwnedValue> {
        let start = source.iter().position(|c| !matches!(c, b' ' | b'\t'));
        let source = &source[start.unwrap_or(source.len())..];
        let result = self.evaluate(Mode::Expression, source, options)?;
        self.wanted(&result, conversion)
    }

    /// Calls what has this name. A coroutine is run to its end.
    #[inline]
    pub(crate) fn call(
        &self,
        callable: &[u8],
        arguments: &mut Arguments<'_>,
        conversion: Option<Conversion>,
        place: &mut OwnedValue,
    ) -> Result<()> {
        let function = self.find(callable, "callable")?;
        // SAFETY: attached; a live object.
        if unsafe { ffi::PyCallable_Check(function.as_ptr()) } == 0 {
            return Err(not_callable(self.py, callable, &function));
        }
        self.call_callable(&function, arguments, conversion, place)
    }

    /// Calls an object. A coroutine is run to its end.
    #[inline]
    pub(super) fn call_object(
        &self,
        object: &Object,
        what: &str,
        arguments: &mut Arguments<'_>,
        conversion: Option<Conversion>,
        place: &mut OwnedValue,
    ) -> Result<()> {
        // SAFETY: attached; a live object.
        if unsafe { ffi::PyCallable_Check(object.as_ptr()) } == 0 {
            let kind = object.type_name(self.py);
            let message = format!("the {what} is of type {kind}, which can't be called");
            return Err(Error::new(Status::InvalidArgument, message));
        }
        self.call_callable(object, arguments, conversion, place)
    }

    #[inline(always)]
    fn call_callable(
        &self,
        function: &Object,
        arguments: &mut Arguments<'_>,
        conversion: Option<Conversion>,
        place: &mut OwnedValue,
    ) -> Result<()> {
        let count = arguments.len();
        let result = if count <= FEW && !arguments.has_named() {
            let mut few = Few::new();
            self.write_arguments(arguments, |object| few.push(object))?;
            // SAFETY: attached; so many arguments, with room before them.
            unsafe { vectorcall(self.py, function, few.arguments(), count, None) }
        } else {
            self.call_with_many(function, arguments)?
        };
        let Some(result) = result else {
            return Err(self.raised());
        };
        // SAFETY: attached; a live object.
        if let Some(value) = unsafe { plain(self.py, result.as_ptr()) } {
            // SAFETY: it owns nothing.
            *place = unsafe { OwnedValue::from_raw(value) };
            return Ok(());
        }
        *place = self.read_result(result, conversion)?;
        Ok(())
    }

    #[inline(never)]
    fn call_with_many(
        &self,
        function: &Object,
        arguments: &mut Arguments<'_>,
    ) -> Result<Option<Object>> {
        let count = arguments.len();
        let mut objects: Vec<Option<Object>> = Vec::with_capacity(count + 1);
        objects.push(None);
        self.write_arguments(arguments, |object| objects.push(Some(object)))?;
        let keywords = self.named(arguments, "keywords", |_| true)?;
        // An `Option<Object>` is a pointer.
        let first = objects[1..].as_mut_ptr().cast();
        // SAFETY: attached; so many arguments, with room before them; a dict with strs for keys.
        Ok(unsafe { vectorcall(self.py, function, first, count, keywords.as_ref()) })
    }

    #[inline(never)]
    fn read_result(
        &self,
        mut result: Object,
        conversion: Option<Conversion>,
    ) -> Result<OwnedValue> {
        // SAFETY: attached; a live object.
        if unsafe { ffi::PyCoro_CheckExact(result.as_ptr()) } != 0 {
            result = coroutine::run(self.py, &result).ok_or_else(|| self.raised())?;
        }
        self.wanted(&result, conversion)
    }

    /// Calls a function of subpy's own, which `find` finds, or else sets an exception.
    pub(crate) fn call_embedded(
        &self,
        find: impl FnOnce() -> Option<Object>,
        arguments: &[Value<'_>],
    ) -> Result<OwnedValue> {
        let call = || {
            let function = find()?;
            let written = arguments.iter().map(|value| {
                let written = to_python::write(self.py, value, &self.owner);
                written.map_err(|error| error.raise(self.py, "value")).ok()
            });
            let objects: Vec<Object> = written.collect::<Option<_>>()?;
            function.call(self.py, &objects.iter().collect::<Vec<_>>())
        };
        let result = call().ok_or_else(|| self.raised())?;
        self.read(&result, Conversion::SAME)
    }

    /// Runs a program after adding names, and returns those that are there then.
    pub(crate) fn run_unrestricted(
        &self,
        source: &[u8],
        options: &RunOptions,
        mut names: Arguments<'_>,
        conversion: Option<Conversion>,
    ) -> Result<OwnedValue> {
        let is_free = |name: &str| !name.starts_with("__");
        if let Some(added) = self.named(&mut names, "ns", is_free)? {
            // SAFETY: attached; dicts, of which the keys are strs: no Python code runs.
            if unsafe { ffi::PyDict_Update(self.namespace.globals().as_ptr(), added.as_ptr()) } != 0
            {
                return Err(self.raised());
            }
        }
        self.run(source, options)?;
        let Some(conversion) = conversion else {
            return Ok(OwnedValue::NONE);
        };
        let read =
            from_python::read_namespace(self.py, self.namespace.globals(), conversion, &self.owner);
        read.map_err(|e| self.error("ns", e))
    }

    /// Puts a function of the host's into a module.
    pub(crate) fn define(&self, definition: &Arc<Definition>) -> Result<()> {
        // SAFETY: attached.
        unsafe { definition.define(self.py, &self.owner) }.ok_or_else(|| self.raised())
    }

    /// Adds a module.
    pub(crate) fn add_module(&self, module: Arc<Module>) -> Result<()> {
        Modules::add(&self.modules, self.py, module).ok_or_else(|| self.raised())
    }

    /// Defines and adds what the host has for every interpreter.
    pub(crate) fn define_everywhere(&self) -> Result<()> {
        for module in modules::added_everywhere() {
            self.add_module(module)?;
        }
        for definition in host_function::defined_everywhere() {
            self.define(&definition)?;
        }
        Ok(())
    }

    #[inline]
    fn find(&self, name: &[u8], what: &str) -> Result<Object> {
        let found = self
            .names
            .get(self.py, name, what)?
            .find(self.py, self.namespace);
        found.map_err(|missing| self.missing(missing))
    }

    #[cold]
    pub(super) fn missing(&self, missing: Missing) -> Error {
        match missing {
            Missing::Because(error) => error,
            Missing::Raised => self.raised(),
        }
    }

    #[inline(always)]
    fn write_arguments(
        &self,
        arguments: &mut Arguments<'_>,
        mut push: impl FnMut(Object),
    ) -> Result<()> {
        let count = arguments.len();
        while let Some(value) = arguments.next() {
            match to_python::write(self.py, value, &self.owner) {
                Ok(object) => push(object),
                Err(error) => return Err(self.argument_error(count - arguments.len() - 1, error)),
            }
        }
        Ok(())
    }

    #[cold]
    fn argument_error(&self, at: usize, error: ConversionError) -> Error {
        self.error(&format!("args[{at}]"), error)
    }

    /// A new dict of the named values, if there are any.
    fn named(
        &self,
        values: &mut Arguments<'_>,
        root: &str,
        admits: impl Fn(&str) -> bool,
    ) -> Result<Option<Object>> {
        let Some(named) = values.take_named() else {
            return Ok(None);
        };
        let written = to_python::write_names(self.py, named, admits, &self.owner);
        written.map(Some).map_err(|e| self.error(root, e))
    }

    #[inline]
    pub(super) fn wanted(
        &self,
        object: &Object,
        conversion: Option<Conversion>,
    ) -> Result<OwnedValue> {
        match conversion {
            Some(conversion) => self.read(object, conversion),
            None => Ok(OwnedValue::NONE),
        }
    }

    #[inline]
    fn read(&self, object: &Object, conversion: Conversion) -> Result<OwnedValue> {
        let read = from_python::read(self.py, object, conversion, &self.owner);
        read.map_err(|e| self.error("result", e))
    }

    #[cold]
    pub(super) fn error(&self, root: &str, error: ConversionError) -> Error {
        error.into_error(root, || self.raised())
    }

    /// The exception that is set.
    #[cold]
    pub(super) fn raised(&self) -> Error {
        self.exception(b"", None)
    }
}

/// A few arguments, with a free place before them.
struct Few {
    objects: [MaybeUninit<Object>; FEW + 1],
    count: usize,
}

impl Few {
    #[inline(always)]
    fn new() -> Self {
        Self {
            objects: [const { MaybeUninit::uninit() }; FEW + 1],
            count: 0,
        }
    }

    #[inline(always)]
    fn push(&mut self, object: Object) {
        self.objects[self.count + 1].write(object);
        self.count += 1;
    }

    /// Where the first one is. An `Object` is a pointer.
    #[inline(always)]
    fn arguments(&mut self) -> *mut *mut ffi::PyObject {
        self.objects[1..].as_mut_ptr().cast()
    }
}

impl Drop for Few {
    #[inline(always)]
    fn drop(&mut self) {
        for object in &mut self.objects[1..=self.count] {
            // SAFETY: so many were written, and each is dropped once.
            unsafe { object.assume_init_drop() };
        }
    }
}

/// # Safety
/// `count` arguments are there, with a free place before them. `keywords` is a dict.
#[inline(always)]
unsafe fn vectorcall(
    py: Attached<'_>,
    function: &Object,
    arguments: *mut *mut ffi::PyObject,
    count: usize,
    keywords: Option<&Object>,
) -> Option<Object> {
    // The free place is the callee's to use, and to restore.
    let count = count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    let function = function.as_ptr();
    // SAFETY: the caller's promise; the result is new.
    unsafe {
        Object::owned(
            py,
            match keywords {
                None => ffi::PyObject_Vectorcall(function, arguments, count, std::ptr::null_mut()),
                Some(names) => {
                    ffi::PyObject_VectorcallDict(function, arguments, count, names.as_ptr())
                }
            },
        )
    }
}

#[cold]
fn not_callable(py: Attached<'_>, name: &[u8], object: &Object) -> Error {
    let kind = object.type_name(py);
    let name = String::from_utf8_lossy(name);
    let message = format!("callable {name:?} is of type {kind}, which can't be called");
    Error::new(Status::InvalidArgument, message)
}
