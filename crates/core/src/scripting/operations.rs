//! What scripts do with interpreters, for whichever asks, in the process of the host.

use std::time::Instant;

use crate::data::config::{Backend, InterpreterConfig};
use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::operation::{CreateOptions, Operation};
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, View};
use crate::interpreter::Interpreter;
use crate::local::convert::arguments::Arguments;
use crate::local::convert::copy::copy_of;
use crate::local::interpreter as local;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::family;
use crate::local::interpreter::family::Place;
use crate::local::interpreter::registry;
use crate::process::all;
use crate::process::host::Creator;
use crate::scripting::prepare;

/// Does it for a script of `caller`, without a GIL.
pub(crate) fn operate(caller: Id, operation: &Operation<'_>) -> Result<OwnedValue> {
    let nothing = |()| OwnedValue::NONE;
    match *operation {
        Operation::ListAll => {
            let is_known = |id: &Id| family::knows(caller, *id);
            let ids = Interpreter::ids().into_iter().filter(is_known);
            let ids: Vec<Value<'_>> = ids.map(|id| Value::int(id.get())).collect();
            copy_of(&Value::list(&ids), "ids")
        }
        Operation::IsRunning(id) => {
            let is_running = known(caller, id)?.is_running()?;
            copy_of(&Value::bool(is_running), "running")
        }
        Operation::Whence(id) => {
            known(caller, id)?;
            let whence = match id {
                Id::MAIN => "main",
                _ if family::has_creator(id) => "script",
                _ => "host",
            };
            copy_of(&Value::str(whence), "whence")
        }
        Operation::Room => copy_of(&Value::int(family::room(caller).into()), "room"),
        Operation::Create(ref options, ref path) => {
            let created = create(caller, options, path)?;
            copy_of(&Value::int(created.id().get()), "id")
        }
        Operation::Destroy(id) => {
            let keeps_waiting = local::Interpreter::keeps_waiting();
            let target = target(caller, id)?;
            target.destroy_as_python(&keeps_waiting).map(nothing)
        }
        Operation::Run(id, program) => target(caller, id)?.run_anew(program).map(nothing),
        Operation::RunUnrestricted(id, program, names) => {
            let names = Some(names).filter(|names| names.view() != View::None);
            target(caller, id)?.run_unrestricted_anew(program, Arguments::new(&[], names))
        }
        // The target need not have the package.
        Operation::Call(id, function, arguments) => {
            target(caller, id)?.call_pickling(function, arguments)
        }
        Operation::CountObjects(id) => {
            target(caller, id)?;
            family::count_objects(id);
            Ok(OwnedValue::NONE)
        }
        Operation::Retain(id) => {
            let counts = known(caller, id).is_ok() && family::retain(caller, id);
            copy_of(&Value::bool(counts), "counts")
        }
        Operation::Release(id) => {
            if family::release(caller, id) {
                // If it can end without waiting.
                let _ = target(caller, id).and_then(|target| target.destroy());
            }
            Ok(OwnedValue::NONE)
        }
    }
}

/// An interpreter that a script may look at.
fn known(caller: Id, id: Id) -> Result<Interpreter> {
    match family::knows(caller, id) {
        true => Interpreter::find(id),
        false => Err(registry::not_found(id)),
    }
}

/// The interpreter that a script wants to use.
fn target(caller: Id, id: Id) -> Result<Interpreter> {
    family::may_use(caller, id, || Interpreter::find(id).is_ok())?;
    Interpreter::find(id)
}

/// Creates an interpreter for a script of `creator`, which imports from these places.
fn create(creator: Id, options: &CreateOptions, path: &[String]) -> Result<Interpreter> {
    let (config, place) = match registry::get(creator) {
        Some(local) => local.reserve(options)?,
        None => Place::reserve(creator, options)?,
    };
    match config.backend {
        Backend::Local => {
            let made =
                local::Interpreter::make_for_script(config, place, |context, may_create| {
                    context.search(context.attached(), path)?;
                    prepare(context, may_create)
                })?;
            Ok(Interpreter::of_local(made))
        }
        Backend::Process => create_process(config, Some(path), |id| place.take(id)),
    }
}

/// Creates an interpreter in a process of its own.
pub(crate) fn create_process(
    config: InterpreterConfig,
    path: Option<&[String]>,
    join: impl FnOnce(Id) -> bool,
) -> Result<Interpreter> {
    let creator = Creator { operate, is_over };
    all::create(config, path, creator, join).map(Interpreter::of_process)
}

/// The process of a caller is gone: what ends with it does so now. `ending`: that is asked to end like this, first.
fn is_over(caller: Id, ending: Option<&EndOptions<'_>>) {
    let all = family::is_over(caller);
    let all: Vec<_> = all.into_iter().map(Interpreter::find).collect();
    let all = || all.iter().flatten();
    if ending.is_none() {
        all().for_each(Interpreter::kill_with_process);
    }
    // They have as long together as one has by itself.
    let start = Instant::now();
    for it in all() {
        let is_in_time = |ending: &&EndOptions<'_>| {
            start.elapsed() <= ending.timeout.saturating_add(EndOptions::OF_PROCESS)
        };
        it.end_with_process(ending.filter(is_in_time));
    }
}
