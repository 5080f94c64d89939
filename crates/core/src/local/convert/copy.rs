//! A copy of a host's value, which outlives the call: measured and checked first, then copied into one allocation.
//! Memory that is shared stays where it is, and is lent until the last copy is gone.

use std::ffi::CString;

use crate::data::error::Result;
use crate::data::object_handle::ObjectHandle;
use crate::data::pins::Pins;
use crate::data::tree::{Block, Lent, OwnedValue, QueueReference};
use crate::data::value::{
    BufferInfo, MAX_DEPTH, RawData, RawItems, RawText, RawValue, Value, kind,
};
use crate::local::buffers::host_memory;
use crate::local::buffers::shared::SharedMemory;
use crate::local::convert::{handle, to_python};
use crate::local::objects::conversion_error::{ConversionError, Converted, too_deep};
use crate::local::objects::release::Release;

/// What a description of memory points to, and what the memory is lent by.
struct LentMemory {
    _format: CString,
    _shape: Vec<isize>,
    _strides: Vec<isize>,
    _release: Release,
}

/// How much room a copy needs.
#[derive(Default)]
struct Room {
    nodes: usize,
    buffers: usize,
    text: usize,
}

/// As [`copy`], for one that is called like this.
pub(crate) fn copy_of(value: &Value<'_>, name: &str) -> Result<OwnedValue> {
    copy(value).map_err(|error| error.into_plain_error(name))
}

/// Copies a value. What it lends is taken, or given back if it can't be copied.
pub(crate) fn copy(value: &Value<'_>) -> Converted<OwnedValue> {
    let give_back = |error: ConversionError| {
        let mut unused = Vec::new();
        to_python::lent_by(value, &mut unused);
        error.with_unused(unused)
    };
    let raw = value.as_raw();
    // SAFETY: by the promise of whoever made the value, what it points to is there.
    unsafe {
        let mut room = Room::default();
        room.measure(raw, 0).map_err(give_back)?;
        if let Some(queue) = value.as_queue() {
            return Ok(OwnedValue::of_queue(queue.into()));
        }
        if room.nodes + room.buffers + room.text == 0 {
            return Ok(OwnedValue::from_raw(RawValue { owned: 0, ..*raw }));
        }
        let block = Block::new(room.nodes, room.buffers, room.text);
        let block = block.ok_or_else(|| give_back(ConversionError::no_memory()))?;
        let mut copier = Copier {
            next_node: block.nodes,
            next_buffer: block.buffers,
            next_text: block.text,
            lent: Vec::new(),
            queues: Vec::new(),
        };
        let root = copier.copy(raw);
        let mut block = block;
        block.keep(Pins::default(), copier.queues, copier.lent);
        Ok(OwnedValue::from_raw(block.into_owned(root)))
    }
}

impl Room {
    /// # Safety
    /// What the value points to is there. So it is for the functions below.
    unsafe fn measure(&mut self, value: &RawValue, depth: usize) -> Converted<()> {
        // SAFETY: the caller's promise; the kind says which field counts.
        unsafe {
            match value.kind {
                _ if value.is_whole() => value.check_time().map_err(ConversionError::invalid)?,
                kind::STR | kind::BIG_INT => {
                    let bytes = to_python::bytes_of(value.r#as.text)?;
                    if std::str::from_utf8(bytes).is_err() {
                        return Err(ConversionError::invalid("is not UTF-8"));
                    }
                    self.text += bytes.len() + 1;
                }
                kind::BYTES | kind::WTF8 => {
                    self.text += to_python::bytes_of(value.r#as.text)?.len() + 1;
                }
                kind::DECIMAL => {
                    let bytes = to_python::bytes_of(value.r#as.text)?;
                    self.text += to_python::decimal_text(bytes)?.len() + 1;
                }
                _ if value.is_container() => {
                    if depth >= MAX_DEPTH {
                        return Err(too_deep());
                    }
                    let items = items_of(value)?;
                    self.nodes += items.length;
                    for i in 0..items.length {
                        let item = &*items.data.add(i);
                        self.measure(item, depth + 1)
                            .map_err(|e| match value.kind {
                                kind::DICT => e.at_index(i / 2),
                                _ => e.at_index(i),
                            })?;
                    }
                }
                kind::BUFFER => {
                    host_memory::check(value.r#as.buffer)?;
                    self.buffers += 1;
                }
                kind::OBJECT => {
                    return Err(match ObjectHandle::find(value.r#as.object) {
                        Some(found) => handle::stays(found.id),
                        None => handle::is_gone(),
                    });
                }
                kind::QUEUE if value.r#as.queue.is_null() => {
                    return Err(ConversionError::invalid("has NULL for its queue"));
                }
                kind::QUEUE => {}
                unknown => {
                    return Err(ConversionError::invalid(format!(
                        "is of kind {unknown}, which is none of subpy_kind"
                    )));
                }
            }
            Ok(())
        }
    }
}

/// The items of a container, keys and values of a dict.
unsafe fn items_of(value: &RawValue) -> Converted<RawItems> {
    // SAFETY: the kind says which field counts.
    let mut items = to_python::checked_items(unsafe { value.r#as.items })?;
    if value.kind == kind::DICT {
        items.length *= 2;
    }
    Ok(items)
}

/// Copies what was measured, and can't fail.
struct Copier {
    next_node: *mut RawValue,
    next_buffer: *mut BufferInfo,
    next_text: *mut u8,
    lent: Vec<Lent>,
    queues: Vec<QueueReference>,
}

impl Copier {
    unsafe fn copy(&mut self, value: &RawValue) -> RawValue {
        // SAFETY: the caller's promise; there is as much room as was measured.
        unsafe {
            match value.kind {
                kind::STR | kind::BIG_INT | kind::BYTES | kind::WTF8 | kind::DECIMAL => {
                    self.text(value.kind, value.r#as.text)
                }
                _ if value.is_container() => {
                    let Ok(items) = items_of(value) else {
                        return RawValue::NONE;
                    };
                    let place = self.next_node;
                    self.next_node = place.add(items.length);
                    for i in 0..items.length {
                        place.add(i).write(self.copy(&*items.data.add(i)));
                    }
                    RawValue::of_items(value.kind, place, value.r#as.items.length)
                }
                kind::BUFFER => self.buffer(value.r#as.buffer),
                kind::QUEUE => {
                    let queue = value.r#as.queue;
                    self.queues.push(QueueReference::clone_raw(queue));
                    RawValue::new(kind::QUEUE, RawData { queue })
                }
                _ => RawValue { owned: 0, ..*value },
            }
        }
    }

    unsafe fn text(&mut self, kind: u32, text: RawText) -> RawValue {
        let place = self.next_text;
        // SAFETY: the caller's promise.
        unsafe {
            if text.length > 0 {
                place.copy_from_nonoverlapping(text.data.cast(), text.length);
            }
            place.add(text.length).write(0);
            self.next_text = place.add(text.length + 1);
        }
        RawValue::of_text(kind, place.cast(), text.length)
    }

    unsafe fn buffer(&mut self, given: *const BufferInfo) -> RawValue {
        // SAFETY: the caller's promise.
        unsafe {
            let described = host_memory::described(given);
            let mut info = described.info;
            let release = match host_memory::take_release(given) {
                Some(release) if host_memory::is_counted(&info) => release,
                release => SharedMemory::of(release),
            };
            info.release = release.call();
            info.user = release.user();
            (info.format, info.shape) = (described.format.as_ptr(), described.shape.as_ptr());
            info.strides = match described.strides.is_empty() {
                true => std::ptr::null(),
                false => described.strides.as_ptr(),
            };
            info.dimensions = described.shape.len() as u32;
            self.lent.push(Box::new(LentMemory {
                _format: described.format,
                _shape: described.shape,
                _strides: described.strides,
                _release: release,
            }));
            let place = self.next_buffer;
            self.next_buffer = place.add(1);
            place.write(info);
            RawValue::new(kind::BUFFER, RawData { buffer: place })
        }
    }
}
