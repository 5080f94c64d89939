//! A message that was received: in memory of our own, where nobody else can change it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use subpy_wire::{Malformed, Result};

/// Bytes that start at a multiple of [`subpy_wire::ALIGNMENT`].
#[derive(Default)]
pub(super) struct Message {
    memory: Vec<u128>,
    length: usize,
}

const _: () = assert!(align_of::<u128>() == subpy_wire::ALIGNMENT);

/// Memory of messages that are gone: the system takes longer to give some anew than a message takes to be copied.
static SPARE: Mutex<Vec<Vec<u128>>> = Mutex::new(Vec::new());
/// So much is kept, each no larger than this, in bytes.
const SPARES: usize = 4;
const LARGEST: usize = 1 << 20;

fn spare() -> MutexGuard<'static, Vec<Vec<u128>>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Message {
    /// One that came another way.
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        let mut message = Self::default();
        // SAFETY: so many bytes, to another place.
        message.append(bytes.len(), |to| unsafe {
            to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        })?;
        Ok(message)
    }

    /// Appends what `fill` writes to so many bytes, all of them.
    pub(super) fn append(&mut self, length: usize, fill: impl FnOnce(*mut u8)) -> Result<()> {
        let whole = self.length.checked_add(length);
        let whole = whole.ok_or(Malformed("a message is past all limits"))?;
        if self.memory.capacity() == 0 {
            self.memory = spare().pop().unwrap_or_default();
        }
        let words = whole.div_ceil(size_of::<u128>());
        let more = words.saturating_sub(self.memory.len());
        if self.memory.try_reserve(more).is_err() {
            return Err(Malformed("there is no memory for the message"));
        }
        let start = self.memory.as_mut_ptr().cast::<u8>();
        fill(start.wrapping_add(self.length));
        // SAFETY: reserved, and filled up to here: what is left of the last word is zero.
        unsafe {
            let rest = words * size_of::<u128>() - whole;
            start.add(whole).write_bytes(0, rest);
            self.memory.set_len(words);
        }
        self.length = whole;
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: as many were appended.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.length) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        if (1..=LARGEST).contains(&(memory.capacity() * size_of::<u128>())) {
            memory.clear();
            let mut spare = spare();
            if spare.len() < SPARES {
                spare.push(memory);
            }
        }
    }
}
