//! Values in and out, calls, and functions of the host's.

use crate::data::config::{CallOptions, RunOptions};
use crate::data::conversion::Conversion;
use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::interpreter::context::Context;
use crate::interpreter::handle::Interpreter;
use crate::interpreter::registry;
use crate::local::convert::lending::Lending;
use crate::local::functions::host_function;
use crate::local::functions::host_function::{Definition, FunctionOptions, Handler};
use crate::local::phase;

impl Interpreter {
    /// Calls `use_it` with the interpreter of this id, without a lock.
    #[inline(always)]
    pub fn at<T>(id: Id, use_it: impl FnOnce(&Interpreter) -> Result<T>) -> Result<T> {
        phase::ready()?;
        registry::with(id, use_it)
    }

    /// Gives a value a name in `__main__`.
    pub fn set<'a>(&self, name: impl AsRef<[u8]>, value: impl Into<Lending<'a>>) -> Result<()> {
        self.set_with(name, value, &RunOptions::default())
    }

    /// As [`set`](Self::set).
    pub fn set_with<'a>(
        &self,
        name: impl AsRef<[u8]>,
        value: impl Into<Lending<'a>>,
        options: &RunOptions<'_>,
    ) -> Result<()> {
        let value = value.into();
        phase::ready()?;
        self.inside_for(options, |contents| contents.set(name.as_ref(), value))
    }

    /// The value that a name has in `__main__`.
    pub fn get(&self, name: impl AsRef<[u8]>, conversion: Conversion) -> Result<OwnedValue> {
        let mut result = OwnedValue::NONE;
        let options = CallOptions {
            conversion: Some(conversion),
            ..CallOptions::DEFAULT
        };
        self.get_into(name.as_ref(), &options, &mut result)?;
        Ok(result)
    }

    /// As [`get`](Self::get), without moving a thing that need not be.
    #[inline(always)]
    pub fn get_into(
        &self,
        name: &[u8],
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        phase::ready()?;
        self.inside_for(&options.run, |contents| {
            *result = contents.get(name, options.conversion.unwrap_or_default())?;
            Ok(())
        })
    }

    /// The value of an expression.
    pub fn eval(&self, source: impl AsRef<[u8]>) -> Result<OwnedValue> {
        self.eval_with(source, &CallOptions::default())
    }

    /// As [`eval`](Self::eval).
    pub fn eval_with(
        &self,
        source: impl AsRef<[u8]>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        phase::ready()?;
        self.inside_for(&options.run, |contents| {
            contents.eval(source.as_ref(), &options.run, options.conversion)
        })
    }

    /// Calls `name` of `__main__`, or `package.module:qualified.name`, which is imported. A coroutine
    /// is run to its end, as `asyncio.run()` does, and leaves the script's event loop alone.
    #[inline]
    pub fn call<'a>(
        &self,
        callable: impl AsRef<[u8]>,
        arguments: impl Into<Lending<'a>>,
    ) -> Result<OwnedValue> {
        self.call_with(callable, arguments, &CallOptions::default())
    }

    /// As [`call`](Self::call).
    pub fn call_with<'a>(
        &self,
        callable: impl AsRef<[u8]>,
        arguments: impl Into<Lending<'a>>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let mut result = OwnedValue::NONE;
        let arguments = &mut arguments.into();
        self.call_into(callable.as_ref(), arguments, options, &mut result)?;
        Ok(result)
    }

    /// As [`call`](Self::call), without moving a thing that need not be: a call takes but 70 ns.
    #[inline(always)]
    pub fn call_into(
        &self,
        callable: &[u8],
        arguments: &mut Lending<'_>,
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        phase::ready()?;
        self.inside(|contents| {
            if options.run.is_plain() {
                contents.call(callable, arguments, options.conversion, result)
            } else {
                contents.call_timed(callable, arguments, options, result)
            }
        })
    }

    /// Adds the named values to `__main__`, but for those that start with `__`; runs a program there; and returns
    /// the names that are there then, with their values. Left out are those that start with `__`, and
    /// those whose value can't be shared.
    pub fn run_unrestricted(
        &self,
        source: impl AsRef<[u8]>,
        names: Lending<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        phase::ready()?;
        self.inside_for(&options.run, |contents| {
            contents.run_unrestricted(source.as_ref(), &options.run, names, options.conversion)
        })
    }

    /// Puts a function into a module, which is imported, or made if there is none. The handler is
    /// dropped when Python does not need the function any more, when the interpreter has ended, or if
    /// this fails.
    pub fn define(
        &self,
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        let definition = Definition::new(module, name, options, handler)?;
        self.inside_ready(|contents| contents.define(&definition))
    }

    /// As [`define`](Self::define), in every interpreter that is created from now on until the runtime
    /// is finalized.
    pub fn define_everywhere(
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        let definition = Definition::new(module, name, options, handler)?;
        phase::ready()?;
        host_function::define_everywhere(definition);
        Ok(())
    }

    #[inline(always)]
    fn inside_ready<T>(&self, work: impl FnOnce(&Context<'_>) -> Result<T>) -> Result<T> {
        phase::ready()?;
        self.inside(work)
    }
}
