//! What a worker does that its host asks for.

use std::sync::Arc;

use subpy_wire::{Malformed, Reader};

use super::of_host::of_host;
use super::{FarFunction, Worker};
use crate::data::config::FileOptions;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::object_handle::ObjectHandle;
use crate::data::operation::Operation;
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, View};
use crate::local::convert::arguments::Arguments;
use crate::local::convert::copy::copy_of;
use crate::local::convert::handle;
use crate::local::functions::host_function::{Definition, Handler};
use crate::local::interpreter::modules::Module;
use crate::process::message::Message;
use crate::process::options::{
    read_call, read_config, read_conversion, read_creator, read_end, read_environment, read_file,
    read_places, read_run, read_time, read_use,
};
use crate::process::protocol::asks;
use crate::process::values;

/// Does one thing.
pub(super) fn serve(
    worker: &Arc<Worker>,
    message: &Arc<Message>,
    asked: u8,
    reader: &mut Reader<'_>,
) -> Result<OwnedValue> {
    if asked != asks::PREPARE {
        worker.begin_control()?;
    }
    let done = match asked {
        asks::END | asks::PREPARE | asks::DEFINE | asks::STOP_THREADS | asks::THREAD_NAMES => {
            manage(worker, asked, reader)
        }
        _ => use_it(worker, message, asked, reader),
    };
    done.unwrap_or_else(|wrong| Err(Error::new(Status::Internal, wrong.to_string())))
}

/// What is done with the interpreter.
fn manage(
    worker: &Arc<Worker>,
    asked: u8,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<Result<OwnedValue>> {
    let main = &worker.main;
    let nothing = |()| OwnedValue::NONE;
    Ok(match asked {
        asks::END => {
            let ending = read_end(reader)?;
            main.end_before_exit(&ending).map(nothing)
        }
        asks::PREPARE => {
            let (mut config, [stdout, stderr, stdin]) = read_config(reader)?;
            config.stdout = stdout.then(|| worker.output(false));
            config.stderr = stderr.then(|| worker.output(true));
            config.stdin = stdin.then(|| worker.input());
            let environment = read_environment(reader)?;
            if config.core_dumps {
                // SAFETY: sets what is this process's own.
                unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) };
            }
            let places = read_places(reader)?;
            let id = read_creator(reader)?;
            let prepared = main.become_like(config, environment.as_deref());
            prepared
                .and_then(|()| prepare_for_scripts(worker, places.as_deref(), id))
                .map(nothing)
        }
        asks::DEFINE => {
            let function = FarFunction {
                worker: worker.clone(),
                number: reader.u64()?,
            };
            let described = (reader.text()?, reader.text()?, reader.text()?);
            let (releases_gil, conversion) = (reader.flag()?, read_conversion(reader)?);
            let handler: Handler = Box::new(move |call, arguments| function.call(call, arguments));
            Definition::from_description(described, releases_gil, conversion, handler)
                .and_then(|definition| main.put(&definition))
                .map(nothing)
        }
        asks::STOP_THREADS => {
            let time = read_time(reader)?;
            let left = main.stop_threads(time);
            left.and_then(|left| copy_of(&Value::int(left as i64), "left"))
        }
        asks::THREAD_NAMES => main.thread_names().and_then(|names| {
            let names: Vec<Value<'_>> = names.iter().map(|name| *name.get()).collect();
            copy_of(&Value::list(&names), "names")
        }),
        _ => return Err(Malformed("a host asks for what there is not")),
    })
}

/// `places`: where it imports from, if that is not as it is. `id`: what it is known by, if its scripts may create
/// interpreters.
fn prepare_for_scripts(
    worker: &Arc<Worker>,
    places: Option<&[String]>,
    id: Option<Id>,
) -> Result<()> {
    if places.is_none() && id.is_none() {
        return Ok(());
    }
    worker.main.inside_anew(|context| {
        places.map_or(Ok(()), |places| context.search(context.attached(), places))?;
        let Some(id) = id else {
            return Ok(());
        };
        let asking = worker.clone();
        let perform = Box::new(move |operation: &Operation<'_>| asking.operate(operation));
        (worker.preparation.creator)(context, id, perform)
    })
}

/// What is done in it.
fn use_it(
    worker: &Arc<Worker>,
    message: &Arc<Message>,
    asked: u8,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<Result<OwnedValue>> {
    let main = &worker.main;
    let nothing = |()| OwnedValue::NONE;
    let mut value = OwnedValue::NONE;
    let received = &of_host(message);
    Ok(match asked {
        asks::RUN => {
            let options = read_run(reader)?;
            main.run(reader.bytes()?, &options).map(nothing)
        }
        asks::EVAL => {
            let options = read_call(reader)?;
            main.eval(reader.bytes()?, &options)
        }
        asks::GET => {
            let options = read_call(reader)?;
            let got = main.get(reader.bytes()?, &options, &mut value);
            got.map(|()| value)
        }
        asks::SET => {
            let options = read_run(reader)?;
            let name = reader.bytes()?;
            let value = values::read_of_host(received, reader)?;
            let value = Arguments::from(value.get());
            main.set(name, value, &options).map(nothing)
        }
        asks::CALL => {
            let options = read_call(reader)?;
            let name = reader.bytes()?;
            let positional = values::read_list(received, reader, true)?;
            let named = values::read_of_host(received, reader)?;
            let mut arguments = Arguments::new(positional.get().items(), dict(&named));
            let called = main.call(name, &mut arguments, &options, &mut value);
            called.map(|()| value)
        }
        asks::OBJECT => {
            let options = read_call(reader)?;
            let (object, what) = (ObjectHandle::find(reader.u64()?), read_use(reader)?);
            let positional = values::read_list(received, reader, true)?;
            let named = values::read_of_host(received, reader)?;
            let mut arguments = Arguments::new(positional.get().items(), dict(&named));
            let object = object.ok_or_else(handle::stale);
            object.and_then(|object| main.use_object(&object, what, &mut arguments, &options))
        }
        asks::COMPILE => {
            let options = read_run(reader)?;
            main.compile(reader.bytes()?, &options)
        }
        asks::RELEASE => {
            for _ in 0..reader.count()? {
                drop(ObjectHandle::from_raw(reader.u64()?));
            }
            main.drop_objects().map(nothing)
        }
        asks::RUN_UNRESTRICTED => {
            let options = read_call(reader)?;
            let source = reader.bytes()?;
            let names = values::read_of_host(received, reader)?;
            let names = Arguments::new(&[], dict(&names));
            main.run_unrestricted(source, names, &options)
        }
        asks::RUN_FILE => {
            let (run, arguments) = read_file(reader)?;
            let path = reader.option(Reader::text)?;
            let options = FileOptions {
                run,
                arguments: arguments.as_deref(),
                is_module: path.is_none(),
            };
            main.run_file(path, reader.text()?, &options).map(nothing)
        }
        asks::IMPORT => main.import(reader.text()?).map(nothing),
        asks::ADD_MODULE => {
            let (name, source) = (reader.text()?, reader.bytes()?);
            let module = Module::new(name, source, reader.option(Reader::text)?);
            module
                .and_then(|module| main.add_module(module))
                .map(nothing)
        }
        asks::ADD_NAMESPACE => main.add_namespace(reader.text()?).map(nothing),
        asks::REMOVE_NAMESPACE => main.remove_namespace(reader.text()?).map(nothing),
        asks::CALL_PICKLING => {
            let name = reader.text()?;
            let arguments = values::read_list(received, reader, true)?;
            main.call_pickling(name, arguments.get().items())
        }
        _ => return Err(Malformed("a host asks for what there is not")),
    })
}

/// `None`: there is none.
fn dict(value: &OwnedValue) -> Option<&Value<'_>> {
    (value.get().view() != View::None).then(|| value.get())
}
