//! What a new interpreter gets before anybody runs something in it.

use std::sync::Arc;

use crate::data::error::Result;
use crate::interpreter::inside::{Inside, not_prepared};
use crate::interpreter::shared::Shared;
use crate::interpreter::{faulthandler, foreign_threads, signals, sources};
use crate::local::attach;
use crate::local::cures;
use crate::local::cures::Environment;
use crate::local::cures::type_versions_apart::Range;
use crate::local::python::object::clear_exception;

/// Cures what is defective in how the interpreter imports.
pub(super) fn cure(
    shared: &Arc<Shared>,
    inside: &mut Inside,
    own_gil: bool,
    environment: Environment,
) -> Result<()> {
    inside.outside = cures::import_first::install(own_gil, |work| attach::visit_main(work))
        .ok_or_else(not_prepared)?;
    cure_functions(shared, inside, environment, true)?;
    inside.apart = if own_gil { None } else { Range::take() };
    clear_exception();
    cures::type_versions::install(inside.apart.as_ref()).ok_or_else(not_prepared)
}

/// Replaces functions of the standard library that reach what all interpreters share. A host's own main
/// interpreter keeps what it has.
pub(super) fn cure_functions(
    shared: &Arc<Shared>,
    inside: &Inside,
    environment: Environment,
    take_signals: bool,
) -> Result<()> {
    let mut others = vec![&foreign_threads::FUNCTIONS, &sources::FUNCTIONS];
    if environment != Environment::OfMain {
        others.push(&faulthandler::FUNCTIONS);
    }
    if take_signals {
        others.push(&signals::FUNCTIONS);
    }
    signals::install(shared).ok_or_else(not_prepared)?;
    sources::install(&inside.code).ok_or_else(not_prepared)?;
    cures::install_functions(environment, &others).ok_or_else(not_prepared)
}

/// Cures what is defective in the main interpreter.
pub(super) fn cure_main() -> Result<()> {
    cures::unicode_names::load();
    cures::sigint::import_signal();
    cures::builtin_types::note().ok_or_else(not_prepared)?;
    cures::type_versions::take_over().ok_or_else(not_prepared)
}

/// Has the host's end of Python end subpy's interpreters first.
pub(super) fn end_before_main() -> Result<()> {
    cures::remaining_interpreters::register().ok_or_else(not_prepared)
}
