//! A run that is inside of another one.

use std::sync::Arc;

use crate::data::id::Id;
use crate::local::interpreter::claim::Request;

/// A run that is inside of another one.
pub(crate) trait InnerRun: Send + Sync {
    /// Asks it to end.
    fn end(&self, why: Request);
}

/// A run that is inside of another one, and its interpreter.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(super) of: Id,
    pub(super) run: Arc<dyn InnerRun>,
}

impl Inner {
    /// Whether it is of this interpreter.
    pub(crate) fn is_of(&self, id: Id) -> bool {
        self.of == id
    }

    /// Asks it to end. What the outer one ends for may not be so of an inner one: its time is over.
    pub(crate) fn end(&self, why: Request) {
        self.run.end(match why {
            Request::End | Request::Drop => Request::Timeout,
            why => why,
        });
    }
}
