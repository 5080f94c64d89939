//! A handle to an interpreter.

use std::fmt;
use std::sync::Arc;

use crate::data::id::Id;
use crate::interpreter::shared::Shared;

/// A handle to an interpreter: cheap to clone, valid for ever; once the interpreter is destroyed, its
/// calls say so. Dropping it does not destroy the interpreter.
#[derive(Clone)]
pub struct Interpreter(pub(super) Arc<Shared>);

impl Interpreter {
    /// Its id.
    pub fn id(&self) -> Id {
        self.0.id
    }
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interpreter").field(&self.0.id).finish()
    }
}
