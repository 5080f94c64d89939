//! The package `subpy`, for scripts: the operations of this crate, in Python. A script has it if its interpreter was
//! created with `allow_interpreters`.
//!
//! A script's interpreter calls itself the *caller* here, and the one that it acts on the *target*.

mod caller;
mod functions;
mod package;

use crate::data::config::{Backend, InterpreterConfig, RuntimeConfig};
use crate::data::error::Result;
use crate::interpreter::Interpreter;
use crate::local::interpreter as local;
use crate::local::interpreter::context::Context;
use crate::local::interpreter::family::CreateOptions;
use crate::process::all;
use crate::queue;

/// Creates an interpreter for a script of `creator`, which imports from where that does.
fn create_for_script(
    creator: &local::Interpreter,
    backend: Backend,
    options: &CreateOptions,
    path: &[String],
) -> Result<Interpreter> {
    if backend == Backend::Process {
        let (config, place) = creator.reserve(options)?;
        let config = InterpreterConfig { backend, ..config };
        let made = all::create(config, Some(path), |id| place.take(id))?;
        return Ok(Interpreter::of_process(made));
    }
    let made = local::Interpreter::make_for_script(creator, options, |context, may_create| {
        context.search(context.attached(), path)?;
        prepare(context, may_create)
    })?;
    Ok(Interpreter::of_local(made))
}

/// What a new interpreter gets for scripts, which may create others or not.
pub(crate) fn prepare(context: &Context<'_>, may_create: bool) -> Result<()> {
    let (py, owner) = (context.attached(), context.owner());
    owner.make_queue_type.set(Some(queue::make_type));
    match may_create {
        true => context.prepared(py, package::install(py, owner)),
        false => Ok(()),
    }
}

/// The scripts of the main interpreter may create others, if the runtime's config says so.
pub(crate) fn prepare_main(main: &local::Interpreter, config: &RuntimeConfig) -> Result<()> {
    if config.allow_interpreters {
        main.become_creator(InterpreterConfig {
            allow_interpreters: true,
            interpreter_limit: config.interpreter_limit,
            ..InterpreterConfig::default()
        });
    }
    main.inside_anew(|context| prepare(context, config.allow_interpreters))
}
