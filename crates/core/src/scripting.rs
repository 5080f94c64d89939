//! The package `subpy`, for scripts: the operations of this crate, in Python. A script has it if its interpreter was
//! created with `allow_interpreters`.
//!
//! A script's interpreter calls itself the *caller* here, and the one that it acts on the *target*.

mod caller;
mod functions;
pub(crate) mod operations;
mod package;

use crate::data::config::{InterpreterConfig, RuntimeConfig};
use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::operation::Operation;
use crate::local::interpreter as local;
use crate::local::interpreter::context::Context;
use crate::process::{Perform, Preparation};
use crate::queue;
use crate::scripting::caller::Caller;

/// For workers.
pub(crate) const IN_WORKERS: Preparation = Preparation {
    main: prepare_zygote,
    creator: prepare_creator,
};

/// What a new interpreter gets for scripts, which may create others or not.
pub(crate) fn prepare(context: &Context<'_>, may_create: bool) -> Result<()> {
    let owner = context.owner();
    owner.make_queue_type.set(Some(queue::make_type));
    match may_create {
        true => {
            let id = owner.id;
            let perform = move |operation: &Operation<'_>| operations::operate(id, operation);
            prepare_creator(context, id, Box::new(perform))
        }
        false => Ok(()),
    }
}

/// What scripts of workers need is there before they are forked.
fn prepare_zygote(main: &local::Interpreter, config: &RuntimeConfig) -> Result<()> {
    prepare_main(main, config)?;
    main.inside_anew(|context| {
        let py = context.attached();
        context.prepared(py, package::compile_now(py))
    })
}

/// Its scripts may create others: it is known by this id.
fn prepare_creator(context: &Context<'_>, id: Id, perform: Perform) -> Result<()> {
    let (py, owner) = (context.attached(), context.owner());
    context.prepared(py, package::install(py, Caller::new(owner, id, perform)))
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
