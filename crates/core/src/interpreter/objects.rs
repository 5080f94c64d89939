//! Objects that stay in Python, and what a host does with them.

use super::{Backend, Interpreter};
use crate::data::config::{CallOptions, RunOptions};
use crate::data::conversion::Conversion;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::object_handle::{FoundObject, ObjectHandle};
use crate::data::tree::OwnedValue;
use crate::data::value::View;
use crate::local::convert::arguments::Arguments;
use crate::local::convert::handle;
use crate::local::interpreter::object_use::ObjectUse;

impl Interpreter {
    /// The object that a name has in `__main__`, or in a namespace: the first reference to it.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import math")?;
    /// let math = interpreter.get_object("math", &RunOptions::default())?;
    /// assert!(math.text()?.starts_with("<module 'math'"));
    /// # drop(math);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn get_object(
        &self,
        name: impl AsRef<[u8]>,
        options: &RunOptions<'_>,
    ) -> Result<ObjectHandle> {
        let mut result = OwnedValue::NONE;
        self.get_into(name.as_ref(), &keeping_it(options), &mut result)?;
        object_of(result)
    }

    /// The object that an expression gives.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let items = interpreter.eval_object("iter([1, 2])", &RunOptions::default())?;
    /// assert!(items.next()?.is_some());
    /// # drop(items);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn eval_object(
        &self,
        source: impl AsRef<[u8]>,
        options: &RunOptions<'_>,
    ) -> Result<ObjectHandle> {
        object_of(self.eval_with(source, &keeping_it(options))?)
    }

    /// Compiles a program, for [`ObjectHandle::run`].
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let code = interpreter.compile(b"x = 1", &RunOptions::default())?;
    /// code.run()?;
    /// interpreter.run("assert x == 1")?;
    /// # drop(code);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn compile(&self, source: &[u8], options: &RunOptions<'_>) -> Result<ObjectHandle> {
        object_of(match &self.0 {
            Backend::Local(local) => local.compile(source, options),
            Backend::Process(far) => far.compile(source, options),
        }?)
    }

    fn use_object(
        &self,
        object: &FoundObject,
        what: ObjectUse<'_>,
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        match &self.0 {
            Backend::Local(local) => local.use_object(object, what, arguments, options),
            Backend::Process(far) => far.use_object(object, what, arguments, options),
        }
    }
}

fn keeping_it<'a>(options: &RunOptions<'a>) -> CallOptions<'a> {
    CallOptions {
        conversion: Some(Conversion::HANDLE),
        run: options.clone(),
    }
}

fn object_of(result: OwnedValue) -> Result<ObjectHandle> {
    let none = || Error::new(Status::Internal, "what was to be an object is none");
    result.into_object().ok_or_else(none)
}

/// What is no plain data stays in Python.
const KEEP: CallOptions<'static> = CallOptions {
    conversion: Some(Conversion::KEEP),
    run: RunOptions::DEFAULT,
};

impl ObjectHandle {
    /// The interpreter that it is in. `NotFound`: that is destroyed.
    ///
    /// ```
    /// # use subpy_core::{ObjectHandle, Status};
    /// let none = ObjectHandle::from_raw(0);
    /// assert_eq!(none.interpreter().unwrap_err().status(), Status::NotFound);
    /// ```
    pub fn interpreter(&self) -> Result<Id> {
        let found = Self::find(self.raw()).ok_or_else(handle::stale)?;
        Ok(found.id)
    }

    /// Calls it: see [`Interpreter::call_with`].
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let double = interpreter.eval_object("lambda x: 2 * x", &RunOptions::default())?;
    /// let result = double.call(&[Value::int(3)], &CallOptions::default())?;
    /// assert_eq!(result.get().view(), View::Int(6));
    /// # drop(double);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn call<'a>(
        &self,
        arguments: impl Into<Arguments<'a>>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let mut result = OwnedValue::NONE;
        Self::call_into(self.raw(), &mut arguments.into(), options, &mut result)?;
        Ok(result)
    }

    /// As [`call`](Self::call), by what [`into_raw`](Self::into_raw) has given.
    ///
    /// ```
    /// # use subpy_core::{CallOptions, ObjectHandle, OwnedValue, Status, Value};
    /// let (mut arguments, mut result) = ((&[][..]).into(), OwnedValue::NONE);
    /// let error = ObjectHandle::call_into(7, &mut arguments, &CallOptions::default(), &mut result).unwrap_err();
    /// assert_eq!(error.status(), Status::NotFound);
    /// ```
    #[inline]
    pub fn call_into(
        object: u64,
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        let object = Self::find(object).ok_or_else(handle::stale)?;
        Interpreter::at(object.id, |interpreter| match &interpreter.0 {
            Backend::Local(local) => local.call_object(&object, arguments, options, result),
            Backend::Process(far) => {
                *result = far.use_object(&object, ObjectUse::Call, arguments, options)?;
                Ok(())
            }
        })
    }

    /// Calls a method of it. What is no plain data comes back as an object.
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let text = interpreter.eval_object("'a b'", &RunOptions::default())?;
    /// assert_eq!(text.call_method("count", &[Value::str(" ")])?.get().view(), View::Int(1));
    /// # drop(text);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn call_method<'a>(
        &self,
        name: &str,
        arguments: impl Into<Arguments<'a>>,
    ) -> Result<OwnedValue> {
        self.keep(ObjectUse::CallMethod(name), arguments.into())
    }

    /// An attribute of it. What is no plain data comes back as an object.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let number = interpreter.eval_object("3", &RunOptions::default())?;
    /// assert_eq!(number.attribute("imag")?.get().view(), View::Int(0));
    /// # drop(number);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn attribute(&self, name: &str) -> Result<OwnedValue> {
        self.keep(ObjectUse::Get(name), Arguments::new(&[], None))
    }

    /// Sets an attribute of it.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let function = interpreter.eval_object("lambda: None", &RunOptions::default())?;
    /// function.set_attribute("note", &Value::int(1))?;
    /// # drop(function);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn set_attribute<'a>(&self, name: &str, value: impl Into<Arguments<'a>>) -> Result<()> {
        self.keep(ObjectUse::Set(name), value.into()).map(drop)
    }

    /// What it has at a key or an index. What is no plain data comes back as an object.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let ages = interpreter.eval_object("{'Ada': 36}", &RunOptions::default())?;
    /// assert_eq!(ages.item(&Value::str("Ada"))?.get().view(), View::Int(36));
    /// # drop(ages);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn item<'a>(&self, key: impl Into<Arguments<'a>>) -> Result<OwnedValue> {
        self.keep(ObjectUse::Item, key.into())
    }

    /// The next item of an iterator. `None`: there is none any more. What is no plain data comes back as an object.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let nothing = interpreter.eval_object("iter(())", &RunOptions::default())?;
    /// assert!(nothing.next()?.is_none());
    /// # drop(nothing);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn next(&self) -> Result<Option<OwnedValue>> {
        let item = self.keep(ObjectUse::Next, Arguments::new(&[], None))?;
        Ok((!item.is_end()).then_some(item))
    }

    /// What it is, as plain data.
    ///
    /// ```
    /// # use subpy_core::{Conversion, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let number = interpreter.eval_object("3", &RunOptions::default())?;
    /// assert_eq!(number.value(Conversion::DEFAULT)?.get().view(), View::Int(3));
    /// # drop(number);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn value(&self, conversion: Conversion) -> Result<OwnedValue> {
        let options = CallOptions {
            conversion: Some(conversion),
            ..CallOptions::DEFAULT
        };
        self.use_with(ObjectUse::Value, Arguments::new(&[], None), &options)
    }

    /// Its `str()`.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert_eq!(interpreter.eval_object("(1, None)", &RunOptions::default())?.text()?, "(1, None)");
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn text(&self) -> Result<String> {
        let text = self.text_value()?;
        match text.get().view() {
            View::Str(text) => Ok(text.to_owned()),
            _ => Err(Error::new(Status::Internal, "a str is none")),
        }
    }

    /// As [`text`](Self::text), as a value.
    ///
    /// ```
    /// # use subpy_core::{ObjectHandle, Status};
    /// assert_eq!(ObjectHandle::from_raw(0).text_value().unwrap_err().status(), Status::NotFound);
    /// ```
    pub fn text_value(&self) -> Result<OwnedValue> {
        let nothing = Arguments::new(&[], None);
        self.use_with(ObjectUse::Text, nothing, &CallOptions::DEFAULT)
    }

    /// Runs it, if it is what [`Interpreter::compile`] has given.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let number = interpreter.eval_object("3", &RunOptions::default())?;
    /// assert_eq!(number.run().unwrap_err().status(), Status::InvalidArgument);
    /// # drop(number);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn run(&self) -> Result<()> {
        self.keep(ObjectUse::Run, Arguments::new(&[], None))
            .map(drop)
    }

    fn keep(&self, what: ObjectUse<'_>, arguments: Arguments<'_>) -> Result<OwnedValue> {
        self.use_with(what, arguments, &KEEP)
    }

    fn use_with(
        &self,
        what: ObjectUse<'_>,
        mut arguments: Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let object = Self::find(self.raw()).ok_or_else(handle::stale)?;
        Interpreter::at(object.id, |interpreter| {
            interpreter.use_object(&object, what, &mut arguments, options)
        })
    }
}
