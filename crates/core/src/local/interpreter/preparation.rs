//! What a new interpreter gets before anybody runs something in it.

use std::sync::Arc;

use crate::data::error::Result;
use crate::local::attach::Attached;
use crate::local::cures;
use crate::local::cures::Environment;
use crate::local::cures::import_first::InMain;
use crate::local::cures::type_versions_apart::Range;
use crate::local::enter;
use crate::local::interpreter::inside::{Inside, not_prepared};
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::{faulthandler, foreign_threads, script_threads, signals, sources};
use crate::local::python::object::clear_exception;
use crate::local::stack::with_room_if_any;

/// Cures what is defective in how the interpreter imports.
pub(super) fn cure(
    py: Attached<'_>,
    shared: &Arc<Shared>,
    inside: &mut Inside,
    own_gil: bool,
    environment: Environment,
) -> Result<()> {
    let in_main: InMain = |work| with_room_if_any(|room| enter::in_main_interpreter(room, work));
    inside.extensions =
        cures::import_first::install(py, own_gil, in_main).ok_or_else(|| not_prepared(py))?;
    cure_functions(py, shared, inside, environment, true)?;
    inside.apart = if own_gil { None } else { Range::take(py) };
    clear_exception(py);
    cures::type_versions::install(py, inside.apart.as_ref()).ok_or_else(|| not_prepared(py))
}

/// Replaces functions of the standard library that reach what all interpreters share. A host's own main
/// interpreter keeps what it has.
pub(super) fn cure_functions(
    py: Attached<'_>,
    shared: &Arc<Shared>,
    inside: &Inside,
    environment: Environment,
    take_signals: bool,
) -> Result<()> {
    let mut others = vec![&foreign_threads::FUNCTIONS, &sources::FUNCTIONS];
    if !matches!(environment, Environment::OfMain | Environment::OfWorker) {
        others.push(&faulthandler::FUNCTIONS);
    }
    if take_signals {
        others.push(&signals::FUNCTIONS);
    }
    signals::install(py, shared).ok_or_else(|| not_prepared(py))?;
    script_threads::install(py, shared).ok_or_else(|| not_prepared(py))?;
    sources::install(py, &inside.code, &inside.modules).ok_or_else(|| not_prepared(py))?;
    cures::install_functions(py, environment, &others).ok_or_else(|| not_prepared(py))
}

/// Cures what is defective in the main interpreter.
pub(super) fn cure_main(py: Attached<'_>) -> Result<()> {
    cures::unicode_names::load(py);
    cures::sigint::import_signal(py);
    cures::builtin_types::note(py).ok_or_else(|| not_prepared(py))?;
    cures::type_versions::take_over(py).ok_or_else(|| not_prepared(py))
}

/// Has the host's end of Python end subpy's interpreters first.
pub(super) fn end_before_main(py: Attached<'_>) -> Result<()> {
    cures::remaining_interpreters::register(py).ok_or_else(|| not_prepared(py))
}
