//! The package `subpy`, for scripts: the operations of this crate, in Python. A script has it if its interpreter was
//! created with `allow_interpreters`.
//!
//! A script's interpreter calls itself the *caller* here, and the one that it acts on the *target*.

mod caller;
mod functions;
mod package;

use crate::data::config::InterpreterConfig;
use crate::data::error::Result;
use crate::interpreter::Interpreter;
use crate::interpreter::context::Context;
use crate::interpreter::family::Wishes;
use crate::queue;

impl Interpreter {
    /// Creates an interpreter. Any thread may.
    pub fn create(config: InterpreterConfig) -> Result<Self> {
        Self::make(config, prepare)
    }
}

/// Creates an interpreter for a script of `creator`, which imports from where that does.
fn create_for_script(
    creator: &Interpreter,
    wishes: &Wishes,
    path: &[String],
) -> Result<Interpreter> {
    Interpreter::make_for_script(creator, wishes, |contents, may_create| {
        contents.search(contents.attached(), path)?;
        prepare(contents, may_create)
    })
}

fn prepare(contents: &Context<'_>, may_create: bool) -> Result<()> {
    let (py, local) = (contents.attached(), contents.local());
    local.make_queue_type.set(Some(queue::make_type));
    match may_create {
        true => contents.prepared(py, package::install(py, local)),
        false => Ok(()),
    }
}

/// The scripts of the main interpreter may create so many, if they may.
pub(crate) fn prepare_main(main: &Interpreter, may_create: bool, limit: u32) -> Result<()> {
    if !may_create {
        return main.inside_anew(|contents| prepare(contents, false));
    }
    let config = InterpreterConfig {
        allow_interpreters: true,
        interpreter_limit: limit,
        ..InterpreterConfig::default()
    };
    main.become_creator(config);
    main.inside_anew(|contents| prepare(contents, true))
}
