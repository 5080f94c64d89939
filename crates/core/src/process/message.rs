//! A message that was received: in memory of our own, where nobody else can change it.

use subpy_wire::{Malformed, Result};

/// Bytes that start at a multiple of [`subpy_wire::ALIGNMENT`].
#[derive(Default)]
pub(super) struct Message {
    memory: Vec<u128>,
    length: usize,
}

const _: () = assert!(align_of::<u128>() == subpy_wire::ALIGNMENT);

impl Message {
    /// Appends what `fill` writes to so many bytes, all of them.
    pub(super) fn append(&mut self, length: usize, fill: impl FnOnce(*mut u8)) -> Result<()> {
        let whole = self.length.checked_add(length);
        let whole = whole.ok_or(Malformed("a message is past all limits"))?;
        let words = whole.div_ceil(size_of::<u128>());
        let more = words.saturating_sub(self.memory.len());
        if self.memory.try_reserve(more).is_err() {
            return Err(Malformed("there is no memory for the message"));
        }
        self.memory.resize(words.max(self.memory.len()), 0);
        fill(
            self.memory
                .as_mut_ptr()
                .cast::<u8>()
                .wrapping_add(self.length),
        );
        self.length = whole;
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: as many were appended.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.length) }
    }
}
