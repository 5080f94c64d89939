//! What a worker wants of its host's queues, and their items, as messages have them.

use subpy_wire::{Reader, Sink, Writer, read_if_gone};

use super::queues::{QueueEnds, if_gone_of};
use super::values;
use super::values::{Checked, Received};
use crate::data::id::Id;
use crate::data::queue::Item;
use crate::data::tree::OwnedValue;

/// What a worker wants of a queue: the first byte.
pub(super) mod codes {
    /// A new one: its rules. The reply is its number.
    pub(crate) const CREATE: u8 = 0;
    /// One that is known by its number. The reply is its rules.
    pub(crate) const FIND: u8 = 1;
    /// To put an item at once.
    pub(crate) const PUT: u8 = 2;
    /// To wait until there is room, for so long.
    pub(crate) const WAIT_FOR_ROOM: u8 = 3;
    /// The next item, for so long.
    pub(crate) const GET: u8 = 4;
    /// How many items there are, a `u64`, and whether it is closed.
    pub(crate) const LOOK: u8 = 5;
    pub(crate) const CLOSE: u8 = 6;
    /// Nothing stands for it any more: how often it was received.
    pub(crate) const LET_GO: u8 = 7;
}

/// `value` is that of the item.
pub(super) fn write_item<S: Sink>(
    writer: &mut Writer<S>,
    item: &Item,
    value: &Checked<'_>,
    ends: &dyn QueueEnds,
) {
    writer.flags([item.is_pickled, item.is_gone]);
    writer.byte(item.if_gone as u8);
    value.write(writer, ends);
}

/// One that a worker puts, whose interpreter this is.
pub(super) fn read_put_item(
    message: &Received<'_>,
    reader: &mut Reader<'_>,
    from: Id,
) -> subpy_wire::Result<Item> {
    let item = read_item(message, reader, values::read)?;
    Ok(Item {
        from: Some(from),
        is_gone: false,
        ..item
    })
}

/// One that a worker gets.
pub(super) fn read_got_item(
    message: &Received<'_>,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<Item> {
    read_item(message, reader, values::read_of_host)
}

fn read_item<'m>(
    message: &Received<'_>,
    reader: &mut Reader<'m>,
    read: fn(&Received<'_>, &mut Reader<'m>) -> subpy_wire::Result<OwnedValue>,
) -> subpy_wire::Result<Item> {
    let [is_pickled, is_gone] = reader.flags()?;
    let if_gone = if_gone_of(read_if_gone(reader)?);
    Ok(Item {
        value: read(message, reader)?,
        is_pickled,
        from: None,
        if_gone,
        is_gone,
        charge: None,
    })
}
