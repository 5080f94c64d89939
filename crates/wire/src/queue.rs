//! A queue: the host has it, and what stands for it elsewhere knows it by its number.

use crate::{Malformed, Reader, Result, Sink, Writer};

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its number, which the host has given it.
    pub id: u64,
    /// What it is like.
    pub rules: QueueRules,
}

/// What a queue is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRules {
    /// How many items it holds at most; 0 or less: any number.
    pub maxsize: i64,
    /// Scripts may put what is no plain data.
    pub takes_pickles: bool,
    /// What becomes of items whose interpreter ends.
    pub if_gone: u8,
}

/// One more than the last thing that may become of an item.
const FATES: u8 = 4;

/// What becomes of an item.
pub fn read_if_gone(reader: &mut Reader<'_>) -> Result<u8> {
    let if_gone = reader.byte()?;
    match if_gone < FATES {
        true => Ok(if_gone),
        false => Err(Malformed("nothing that there is becomes of an item")),
    }
}

impl Queue {
    /// Reads one.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: reader.u64()?,
            rules: QueueRules::read(reader)?,
        })
    }

    /// Writes it.
    pub fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        writer.u64(self.id);
        self.rules.write(writer);
    }
}

impl QueueRules {
    /// Reads them.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            maxsize: reader.i64()?,
            takes_pickles: reader.flag()?,
            if_gone: read_if_gone(reader)?,
        })
    }

    /// Writes them.
    pub fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        writer.i64(self.maxsize);
        writer.flag(self.takes_pickles);
        writer.byte(self.if_gone);
    }
}
