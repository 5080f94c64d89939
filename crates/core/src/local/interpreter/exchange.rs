//! Values in and out, calls, and functions of the host's.

use std::ffi::CString;
use std::sync::Arc;

use crate::data::config::{CallOptions, FileOptions, RunOptions};
use crate::data::error::{Error, Result, Status};
use crate::data::object_handle::FoundObject;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;
use crate::local::convert::arguments::Arguments;
use crate::local::functions::host_function;
use crate::local::functions::host_function::{Definition, FunctionOptions, Handler};
use crate::local::interpreter::context::Context;
use crate::local::interpreter::handle::Interpreter;
use crate::local::interpreter::modules;
use crate::local::interpreter::modules::Module;
use crate::local::interpreter::object_use::ObjectUse;
use crate::local::pickling;
use crate::local::runtime_phase;

impl Interpreter {
    /// Gives a value a name.
    pub(crate) fn set(
        &self,
        name: &[u8],
        value: Arguments<'_>,
        options: &RunOptions<'_>,
    ) -> Result<()> {
        self.inside_for(options, |context| context.set(name, value))
    }

    /// The value that a name has.
    #[inline]
    pub(crate) fn get(
        &self,
        name: &[u8],
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        self.inside_for(&options.run, |context| {
            *result = context.get(name, options.conversion.unwrap_or_default())?;
            Ok(())
        })
    }

    /// The value of an expression.
    pub(crate) fn eval(&self, source: &[u8], options: &CallOptions<'_>) -> Result<OwnedValue> {
        self.inside_for(&options.run, |context| {
            context.eval(source, &options.run, options.conversion)
        })
    }

    /// Calls something by its name.
    #[inline]
    pub(crate) fn call(
        &self,
        callable: &[u8],
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        let call =
            |context: &Context<'_>| context.call(callable, arguments, options.conversion, result);
        if options.run.is_plain() {
            self.inside(&options.run, call)
        } else {
            self.inside_with(&options.run, call)
        }
    }

    /// Calls an object that the host has a handle of.
    #[inline]
    pub(crate) fn call_object(
        &self,
        object: &FoundObject,
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        self.inside_for(&options.run, |context| {
            context.call_found(object, arguments, options.conversion, result)
        })
    }

    /// Does something else with one.
    pub(crate) fn use_object(
        &self,
        object: &FoundObject,
        what: ObjectUse<'_>,
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.inside_for(&options.run, |context| {
            context.use_object(object, what, arguments, options)
        })
    }

    /// Drops the objects that were released.
    pub(crate) fn drop_objects(&self) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |_| Ok(()))
    }

    /// Compiles a program.
    pub(crate) fn compile(&self, source: &[u8], options: &RunOptions<'_>) -> Result<OwnedValue> {
        self.inside_for(options, |context| context.compile_object(source, options))
    }

    /// Runs a program, with names for it and from it.
    pub(crate) fn run_unrestricted(
        &self,
        source: &[u8],
        names: Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.inside_for(&options.run, |context| {
            context.run_unrestricted(source, &options.run, names, options.conversion)
        })
    }

    /// Adds a namespace.
    pub(crate) fn add_namespace(&self, name: &str) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| context.add_namespace(name))
    }

    /// Removes one, with what only it has.
    pub(crate) fn remove_namespace(&self, name: &str) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| {
            context.remove_namespace(name)
        })
    }

    /// Runs a program that is in a file, or a module.
    pub(crate) fn run_file(
        &self,
        path: Option<&str>,
        given: &str,
        options: &FileOptions<'_>,
    ) -> Result<()> {
        self.inside_for(&options.run, |context| {
            context.run_file(path, given, options)
        })
    }

    /// Imports a module.
    pub(crate) fn import(&self, name: &str) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| context.import(name))
    }

    /// Adds a module.
    pub(crate) fn add_module(&self, module: Arc<Module>) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| context.add_module(module))
    }

    /// As [`add_module`](Self::add_module), to every interpreter that is created from now on.
    pub(crate) fn add_module_everywhere(module: Arc<Module>) -> Result<()> {
        runtime_phase::ready()?;
        modules::add_everywhere(module);
        Ok(())
    }

    /// Puts a function into a module.
    pub(crate) fn define(
        &self,
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        self.put(&Definition::new(module, name, options, handler)?)
    }

    /// Calls a function of those that pickle. `Busy` if it runs already, in this thread too.
    pub(crate) fn call_pickling(
        &self,
        function: &str,
        arguments: &[Value<'_>],
    ) -> Result<OwnedValue> {
        let no_function = |_| Error::new(Status::Internal, "no function has a NUL in its name");
        let function = CString::new(function).map_err(no_function)?;
        self.inside_anew(|context| {
            let find = || pickling::function(context.attached(), context.owner(), &function);
            context.call_embedded(find, arguments)
        })
    }

    /// Puts a function into its module.
    pub(crate) fn put(&self, definition: &Arc<Definition>) -> Result<()> {
        self.inside(&RunOptions::DEFAULT, |context| context.define(definition))
    }

    /// As [`define`](Self::define), in every interpreter that is created from now on.
    pub(crate) fn define_everywhere(
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        let definition = Definition::new(module, name, options, handler)?;
        runtime_phase::ready()?;
        host_function::define_everywhere(definition);
        Ok(())
    }
}
