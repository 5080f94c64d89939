//! Memory in the host's hands that an interpreter keeps in place.

use std::sync::Arc;

use crate::data::value::BufferInfo;

/// A buffer that stays in place while this lives.
pub(crate) trait Pinned: Send + Sync {
    /// What the host sees: true as long as this lives.
    fn info(&self) -> BufferInfo;

    /// Lets go of it, and of these of the same interpreter, in whatever thread.
    fn release(self: Arc<Self>, more: Vec<Arc<dyn Pinned>>);
}

/// The pins of one tree. Made and dropped while their interpreter is attached, but see
/// [`release`](Self::release). One needs no allocation.
#[derive(Default)]
pub(crate) struct Pins {
    first: Option<Arc<dyn Pinned>>,
    more: Vec<Arc<dyn Pinned>>,
}

impl Pins {
    pub(crate) fn push(&mut self, pin: Arc<dyn Pinned>) {
        match self.first {
            None => self.first = Some(pin),
            Some(_) => self.more.push(pin),
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    pub(crate) fn get(&self, i: usize) -> Option<&Arc<dyn Pinned>> {
        match i {
            0 => self.first.as_ref(),
            _ => self.more.get(i - 1),
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        match length {
            0 => *self = Self::default(),
            _ => self.more.truncate(length - 1),
        }
    }

    /// Drops them, in whatever thread. Waits for the interpreter's GIL.
    pub(crate) fn release(self) {
        if let Some(first) = self.first {
            first.release(self.more);
        }
    }
}
