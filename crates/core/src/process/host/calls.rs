//! What the host can ask it for.

use std::sync::Arc;
use std::time::Duration;

use subpy_wire::Writer;

use super::{NONE_OF_OURS, Remote, served};
use crate::data::config::{CallOptions, FileOptions, RunOptions};
use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::object_handle::FoundObject;
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, View};
use crate::local::convert::arguments::Arguments;
use crate::local::convert::copy::copy;
use crate::local::functions::host_function::Definition;
use crate::local::interpreter::modules::Module;
use crate::local::interpreter::object_use::ObjectUse;
use crate::process::channel::Sending;
use crate::process::options::{self, write_call, write_file, write_run, write_use};
use crate::process::protocol::asks;
use crate::process::values::Checked;

impl Remote {
    /// Runs a program.
    pub(crate) fn run(self: &Arc<Self>, code: &[u8], options: &RunOptions<'_>) -> Result<()> {
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_run(writer, options, self.budget);
            writer.bytes(code);
        };
        self.ask(asks::RUN, options, write).map(drop)
    }

    /// The value of an expression.
    pub(crate) fn eval(
        self: &Arc<Self>,
        source: &[u8],
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.ask_for_value(asks::EVAL, source, options)
    }

    /// The value that a name has in `__main__`.
    pub(crate) fn get(
        self: &Arc<Self>,
        name: &[u8],
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.ask_for_value(asks::GET, name, options)
    }

    fn ask_for_value(
        self: &Arc<Self>,
        asked: u8,
        of: &[u8],
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        self.ask(asked, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(of);
        })
    }

    /// Gives a value a name in `__main__`.
    pub(crate) fn set(
        self: &Arc<Self>,
        name: &[u8],
        value: &Arguments<'_>,
        options: &RunOptions<'_>,
    ) -> Result<()> {
        let value = checked(
            value.values().first().unwrap_or(&Value::NONE),
            "value",
            self.id,
        )?;
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_run(writer, options, self.budget);
            writer.bytes(name);
            value.write(writer, &**self);
        };
        self.ask(asks::SET, options, write).map(drop)
    }

    /// Calls something by its name.
    pub(crate) fn call(
        self: &Arc<Self>,
        callable: &[u8],
        arguments: &Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let list = Checked::list_to(arguments.values(), self.id)
            .map_err(|error| error.into_plain_error("args"))?;
        let named = checked(arguments.named().unwrap_or(&Value::NONE), "kwargs", self.id)?;
        self.ask(asks::CALL, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(callable);
            list.write(writer, &**self);
            named.write(writer, &**self);
        })
    }

    /// Does something with an object of its.
    pub(crate) fn use_object(
        self: &Arc<Self>,
        object: &FoundObject,
        what: ObjectUse<'_>,
        arguments: &Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let list = Checked::list_to(arguments.values(), self.id)
            .map_err(|error| error.into_plain_error("args"))?;
        let named = checked(arguments.named().unwrap_or(&Value::NONE), "kwargs", self.id)?;
        let result = self.ask(asks::OBJECT, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.u64(object.address);
            write_use(writer, what);
            list.write(writer, &**self);
            named.write(writer, &**self);
        })?;
        match result.is_end() && what != ObjectUse::Next {
            true => Err(self.lose(NONE_OF_OURS)),
            false => Ok(result),
        }
    }

    /// Compiles a program.
    pub(crate) fn compile(
        self: &Arc<Self>,
        source: &[u8],
        options: &RunOptions<'_>,
    ) -> Result<OwnedValue> {
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_run(writer, options, self.budget);
            writer.bytes(source);
        };
        self.ask(asks::COMPILE, options, write)
    }

    /// Runs a program, with names for it and from it.
    pub(crate) fn run_unrestricted(
        self: &Arc<Self>,
        source: &[u8],
        names: &Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let names = checked(names.named().unwrap_or(&Value::NONE), "ns", self.id)?;
        self.ask(asks::RUN_UNRESTRICTED, &options.run, |writer| {
            write_call(writer, options, self.budget);
            writer.bytes(source);
            names.write(writer, &**self);
        })
    }

    /// Fails in a thread that does something for it already.
    pub(crate) fn anew(self: &Arc<Self>) -> Result<&Arc<Self>> {
        self.not_inside()?;
        Ok(self)
    }

    /// Calls a function of the pickling ones.
    pub(crate) fn call_pickling(
        self: &Arc<Self>,
        function: &str,
        arguments: &[Value<'_>],
    ) -> Result<OwnedValue> {
        let arguments = Checked::list_of_python(arguments);
        let arguments = arguments.map_err(|error| error.into_plain_error("args"))?;
        self.ask(asks::CALL_PICKLING, &RunOptions::DEFAULT, |writer| {
            writer.text(function);
            arguments.write(writer, &**self);
        })
    }

    /// Runs a program that is in a file, or a module.
    pub(crate) fn run_file(
        self: &Arc<Self>,
        path: Option<&str>,
        given: &str,
        options: &FileOptions<'_>,
    ) -> Result<()> {
        let write = |writer: &mut Writer<Sending<'_>>| {
            write_file(writer, options, self.budget);
            writer.option(path, |writer, path| writer.text(path));
            writer.text(given);
        };
        self.ask(asks::RUN_FILE, &options.run, write).map(drop)
    }

    /// Imports a module.
    pub(crate) fn import(self: &Arc<Self>, name: &str) -> Result<()> {
        self.ask_of(asks::IMPORT, name)
    }

    /// Adds a module.
    pub(crate) fn add_module(self: &Arc<Self>, module: &Module) -> Result<()> {
        let write = |writer: &mut Writer<Sending<'_>>| {
            writer.text(&module.name);
            writer.bytes(module.source.as_bytes());
            writer.option(module.file.as_deref(), |writer, file| writer.text(file));
        };
        self.ask(asks::ADD_MODULE, &RunOptions::DEFAULT, write)
            .map(drop)
    }

    /// Adds a namespace.
    pub(crate) fn add_namespace(self: &Arc<Self>, name: &str) -> Result<()> {
        self.ask_of(asks::ADD_NAMESPACE, name)
    }

    /// Removes one, with what only it has.
    pub(crate) fn remove_namespace(self: &Arc<Self>, name: &str) -> Result<()> {
        self.ask_of(asks::REMOVE_NAMESPACE, name)
    }

    /// Asks for what is done with something that has this name.
    fn ask_of(self: &Arc<Self>, asked: u8, name: &str) -> Result<()> {
        let write = |writer: &mut Writer<Sending<'_>>| writer.text(name);
        self.ask(asked, &RunOptions::DEFAULT, write).map(drop)
    }

    /// Puts a function of the host's into a module.
    pub(crate) fn put(self: &Arc<Self>, definition: Arc<Definition>) -> Result<()> {
        let number = self.next_number().into();
        let (module, name, doc) = definition.described();
        let write = |writer: &mut Writer<Sending<'_>>| {
            writer.u64(number);
            writer.text(module);
            writer.text(name);
            writer.text(doc);
            writer.flag(definition.releases_gil());
            options::write_conversion(writer, definition.conversion());
        };
        self.functions().insert(number, definition.clone());
        let put = self.ask(asks::DEFINE, &RunOptions::DEFAULT, write);
        if put.is_err() {
            let dropped = self.functions().remove(&number);
            drop(dropped);
        }
        put.map(drop)
    }

    /// Asks the threads of its scripts to end, for so long. The answer is how many have not.
    pub(crate) fn stop_threads(self: &Arc<Self>, timeout: Duration) -> Result<usize> {
        self.not_stayed_in()?;
        let write = |writer: &mut Writer<Sending<'_>>| options::write_time(writer, timeout);
        let left = self.ask(asks::STOP_THREADS, &RunOptions::DEFAULT, write)?;
        match left.get().view() {
            View::Int(left @ 0..) => Ok(left as usize),
            _ => Err(self.lose(NONE_OF_OURS)),
        }
    }

    /// What the threads of its scripts are called.
    pub(crate) fn thread_names(self: &Arc<Self>) -> Result<Vec<OwnedValue>> {
        self.not_stayed_in()?;
        let names = self.ask(asks::THREAD_NAMES, &RunOptions::DEFAULT, |_| {})?;
        let names = names.get().items();
        if !names.iter().all(served::is_str) {
            return Err(self.lose(NONE_OF_OURS));
        }
        let copied = names.iter().map(copy);
        copied
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| self.lose(NONE_OF_OURS))
    }
}

/// Fails for a value that can't be written: nothing has been said then.
fn checked<'a>(value: &'a Value<'a>, name: &str, id: Id) -> Result<Checked<'a>> {
    Checked::to(value, id).map_err(|error| error.into_plain_error(name))
}
