//! A handle to an interpreter of CPython's.

use std::sync::Arc;

use crate::data::id::Id;
use crate::local::interpreter::shared::Shared;

/// A handle. It is cheap to clone, and dropping it does not destroy the interpreter.
#[derive(Clone)]
pub(crate) struct Interpreter(pub(super) Arc<Shared>);

impl Interpreter {
    /// Its id.
    pub(crate) fn id(&self) -> Id {
        self.0.id
    }
}
