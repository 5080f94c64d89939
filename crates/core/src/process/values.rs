//! Values, as messages have them. What is read points into its message, which it keeps.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use subpy_wire::value::{MAX_DEPTH, Part, Parts, generalized_utf8, is_decimal, is_int, is_utf8};
use subpy_wire::{Buffer, Malformed, Reader, Sink, Writer, is_format_of};

use super::message::Message;
use super::queues;
use super::queues::QueueEnds;
use crate::data::id::Id;
use crate::data::kind;
use crate::data::object_handle::ObjectHandle;
use crate::data::pins::Pins;
use crate::data::queue::Queue;
use crate::data::tree::{Block, OwnedValue, QueueReference};
use crate::data::value::{BufferInfo, RawData, RawValue, Value, View};
use crate::local::buffers::host_memory;
use crate::local::buffers::shared::SharedMemory;
use crate::local::convert::{handle, to_python};
use crate::local::objects::conversion_error::{ConversionError, Converted, too_deep};
use crate::local::objects::release::Release;

const _: () = assert!(MAX_DEPTH == kind::MAX_DEPTH);

/// A value that can be written, or several, which become a list.
pub(super) struct Checked<'a> {
    values: Values<'a>,
    /// Those that are in it.
    queues: Vec<Queue>,
}

enum Values<'a> {
    One(&'a Value<'a>),
    List(&'a [Value<'a>]),
}

/// A message that was received, and the queues of who has received it.
#[derive(Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) message: &'a Arc<Message>,
    pub(super) queues: &'a dyn QueueEnds,
}

/// A value may be so long, in bytes as it is written, with what is around it; and have so many parts. Each part is a node of 24
/// bytes on the other side, so what a few bytes make of it is bounded.
const LONGEST: usize = (1 << 30) + (1 << 20);
const MOST_PARTS: usize = 1 << 27;

/// So many values need no count.
const FEW: usize = 64;

/// One that has no others in it, no text and no memory: nothing can be wrong with it.
fn plain_part(value: &Value<'_>) -> Option<Part<'static>> {
    if value.as_raw().kind > kind::FLOAT {
        return None;
    }
    match value.view() {
        View::None => Some(Part::None),
        View::Bool(bool) => Some(Part::Bool(bool)),
        View::Int(int) => Some(Part::Int(int)),
        View::Float(float) => Some(Part::Float(float)),
        _ => None,
    }
}

/// Counts the bytes that are written.
struct Count(usize);

impl Sink for Count {
    fn put(&mut self, piece: &[u8]) {
        self.0 += piece.len();
    }
}

/// What is known of values, and found out.
struct Check {
    /// Texts were made of Python's: they are UTF-8.
    knows_texts: bool,
    parts: Cell<usize>,
    queues: RefCell<Vec<Queue>>,
    to: Destination,
}

/// Where values go, as far as objects are concerned.
#[derive(Clone, Copy)]
enum Destination {
    /// To the host, which may have handles of them.
    Host,
    /// To this interpreter: its own may be in them.
    Interpreter(Id),
    /// To whom no object may go.
    Elsewhere,
}

/// What is done with a value: it is looked at, and then it is written.
#[derive(Clone, Copy)]
enum Pass<'a> {
    Check(&'a Check),
    Write(&'a dyn QueueEnds),
}

impl Pass<'_> {
    fn check(&self) -> Option<&Check> {
        match self {
            Self::Check(check) => Some(check),
            Self::Write(_) => None,
        }
    }
}

/// Fails for values that can't be written, or are too much together. The answer is the queues that are in them.
fn check(
    values: &[Value<'_>],
    is_list: bool,
    knows_texts: bool,
    to: Destination,
) -> Converted<Vec<Queue>> {
    if values.len() <= FEW && values.iter().all(|value| plain_part(value).is_some()) {
        return Ok(Vec::new());
    }
    let check = Check {
        knows_texts,
        parts: Cell::new(0),
        queues: RefCell::default(),
        to,
    };
    let mut writer = Writer::new(Count(0));
    for (i, value) in values.iter().enumerate() {
        let checked = write_within(&mut writer, value, 0, Pass::Check(&check));
        checked.map_err(|error| if is_list { error.at_index(i) } else { error })?;
    }
    match writer.into_sink().0 {
        ..=LONGEST => Ok(check.queues.into_inner()),
        bytes => {
            let message = format!("takes {bytes} bytes, and a process can be given 1 GiB");
            Err(ConversionError::not_shareable(message))
        }
    }
}

impl Check {
    /// Fails for an object that can't go there.
    fn check_object(&self, object: u64) -> Converted<()> {
        match (self.to, ObjectHandle::find(object)) {
            (Destination::Host, Some(_)) => Ok(()),
            (Destination::Interpreter(to), Some(found)) if found.id == to => Ok(()),
            (Destination::Interpreter(to), Some(found)) => Err(handle::of_another(found.id, to)),
            (Destination::Elsewhere, Some(found)) => Err(handle::stays(found.id)),
            (_, None) => Err(handle::is_gone()),
        }
    }

    /// One part more.
    fn count_part(&self) -> Converted<()> {
        self.parts.set(self.parts.get() + 1);
        match self.parts.get() <= MOST_PARTS {
            true => Ok(()),
            false => {
                let message = format!(
                    "is in a value of more than {MOST_PARTS} parts, which a process can't be given"
                );
                Err(ConversionError::not_shareable(message))
            }
        }
    }
}

impl<'a> Checked<'a> {
    /// Fails for one that can't: nothing was written then.
    pub(super) fn new(value: &'a Value<'a>) -> Converted<Self> {
        let queues = check(
            std::slice::from_ref(value),
            false,
            false,
            Destination::Elsewhere,
        )?;
        let values = Values::One(value);
        Ok(Self { values, queues })
    }

    /// As [`new`](Self::new), for one that goes to this interpreter.
    pub(super) fn to(value: &'a Value<'a>, id: Id) -> Converted<Self> {
        let to = Destination::Interpreter(id);
        let queues = check(std::slice::from_ref(value), false, false, to)?;
        let values = Values::One(value);
        Ok(Self { values, queues })
    }

    /// As [`new`](Self::new), for one that was made of a Python object.
    pub(super) fn of_python(value: &'a Value<'a>) -> Converted<Self> {
        let queues = check(std::slice::from_ref(value), false, true, Destination::Host)?;
        let values = Values::One(value);
        Ok(Self { values, queues })
    }

    /// As [`to`](Self::to), for several.
    pub(super) fn list_to(values: &'a [Value<'a>], id: Id) -> Converted<Self> {
        let queues = check(values, true, false, Destination::Interpreter(id))?;
        let values = Values::List(values);
        Ok(Self { values, queues })
    }

    /// As [`list`](Self::list), for those that were made of Python objects.
    pub(super) fn list_of_python(values: &'a [Value<'a>]) -> Converted<Self> {
        let queues = check(values, true, true, Destination::Host)?;
        let values = Values::List(values);
        Ok(Self { values, queues })
    }

    /// Whether it is None.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.values, Values::One(value) if value.view() == View::None)
    }

    pub(super) fn has_queues(&self) -> bool {
        !self.queues.is_empty()
    }

    /// Writes it. Memory that is shared is copied; queues are those of `ends`.
    pub(super) fn write<S: Sink>(&self, writer: &mut Writer<S>, ends: &dyn QueueEnds) {
        self.queues.iter().for_each(|queue| ends.sent(queue));
        let written = match self.values {
            Values::One(value) => write_within(writer, value, 0, Pass::Write(ends)),
            Values::List(values) => {
                Part::List(values.len()).write(writer);
                values
                    .iter()
                    .try_for_each(|value| write_within(writer, value, 0, Pass::Write(ends)))
            }
        };
        debug_assert!(written.is_ok(), "a value has changed");
    }
}

/// Fails for a length that no memory has.
fn check_length(value: &RawValue) -> Converted<()> {
    // SAFETY: the kind says which field counts.
    unsafe {
        match value.kind {
            kind::STR | kind::BYTES | kind::BIG_INT | kind::WTF8 | kind::DECIMAL => {
                to_python::bytes_of(value.r#as.text).map(drop)
            }
            _ if value.is_container() => to_python::checked_items(value.r#as.items).map(drop),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a value that is read as [`View::Wrong`].
fn wrong(value: &RawValue) -> ConversionError {
    // SAFETY: the kind says which field counts; what it points to is there, by the promise of whoever made it.
    let cause = unsafe {
        match value.kind {
            kind::DECIMAL => to_python::bytes_of(value.r#as.text)
                .and_then(to_python::decimal_text)
                .map(|_| String::new()),
            _ if value.is_time() => Ok(value.check_time().err().unwrap_or_default().into()),
            kind::STR | kind::BIG_INT => to_python::bytes_of(value.r#as.text).map(|bytes| {
                let why = std::str::from_utf8(bytes)
                    .err()
                    .map(|error| error.to_string());
                format!("is a str that is not UTF-8: {}", why.unwrap_or_default())
            }),
            kind::BUFFER => host_memory::check(value.r#as.buffer).map(|()| String::new()),
            kind::QUEUE => Ok("has NULL for its queue".into()),
            unknown => Ok(format!("is of kind {unknown}, which is none of subpy_kind")),
        }
    };
    match cause {
        Ok(cause) => ConversionError::invalid(cause),
        Err(error) => error,
    }
}

/// Writes what is in a value. (Whether a long text is UTF-8 takes longer to find out than to copy it: it is looked at once.)
fn write_within<S: Sink>(
    writer: &mut Writer<S>,
    value: &Value<'_>,
    depth: usize,
    pass: Pass<'_>,
) -> Converted<()> {
    let raw = value.as_raw();
    let check = pass.check();
    if let Some(check) = check {
        check.count_part()?;
    }
    if let Some(part) = plain_part(value) {
        part.write(writer);
        return Ok(());
    }
    check_length(raw)?;
    if raw.kind == kind::STR {
        // SAFETY: the kind says so; it is as long as it says.
        let bytes = unsafe { to_python::bytes_of(raw.r#as.text) }?;
        if check.is_none_or(|check| check.knows_texts) || is_utf8(bytes) {
            Part::Str(bytes).write(writer);
            return Ok(());
        }
    }
    if raw.is_container() && depth >= MAX_DEPTH {
        return Err(too_deep());
    }
    match value.view() {
        View::Bytes(bytes) => Part::Bytes(bytes).write(writer),
        View::BigInt(text) if is_int(text) => Part::BigInt(text.as_bytes()).write(writer),
        View::BigInt(text) => {
            return Err(ConversionError::invalid(format!("is no int: {text:?}")));
        }
        View::Wtf8(bytes) => {
            let text = generalized_utf8(bytes).map_err(|_| {
                ConversionError::invalid("is a str that is not UTF-8, even with surrogates")
            })?;
            Part::Wtf8(text).write(writer);
        }
        View::Tuple(items) => {
            Part::Tuple(items.len()).write(writer);
            write_items(writer, items, depth, pass)?;
        }
        View::List(items) => {
            Part::List(items.len()).write(writer);
            write_items(writer, items, depth, pass)?;
        }
        View::Dict(pairs) => {
            Part::Dict(pairs.len()).write(writer);
            for (i, [key, value]) in pairs.iter().enumerate() {
                // SAFETY: what it points to is there.
                let name = || unsafe { to_python::key_text(key.as_raw(), i) };
                let at_key = |error: ConversionError| error.at_key(name());
                write_within(writer, key, depth + 1, pass).map_err(at_key)?;
                write_within(writer, value, depth + 1, pass).map_err(at_key)?;
            }
        }
        View::Set(items) => {
            Part::Set(items.len()).write(writer);
            write_items(writer, items, depth, pass)?;
        }
        View::FrozenSet(items) => {
            Part::FrozenSet(items.len()).write(writer);
            write_items(writer, items, depth, pass)?;
        }
        View::Complex(real, imaginary) => Part::Complex(real, imaginary).write(writer),
        View::DateTime(datetime) => Part::DateTime(datetime).write(writer),
        View::Date(date) => Part::Date(date).write(writer),
        View::Time(time) => Part::Time(time).write(writer),
        View::Timedelta(delta) => Part::Timedelta(delta).write(writer),
        View::Decimal(text) if is_decimal(text.as_bytes()) => {
            Part::Decimal(text.as_bytes()).write(writer);
        }
        View::Decimal(_) => return Err(wrong(raw)),
        View::Uuid(bytes) => Part::Uuid(bytes).write(writer),
        View::Buffer(_) => write_buffer(writer, value)?,
        View::Queue(_) => {
            let queue = value.as_queue().ok_or_else(|| wrong(raw))?;
            Part::Queue(queues::write_queue(&queue)).write(writer);
            check.inspect(|check| check.queues.borrow_mut().push(queue));
        }
        View::Object(object) => match pass {
            Pass::Check(check) => {
                check.check_object(object)?;
                Part::Object(object).write(writer);
            }
            Pass::Write(ends) => Part::Object(ends.object_sent(object)).write(writer),
        },
        // A str that is one was written above.
        _ => return Err(wrong(raw)),
    }
    Ok(())
}

fn write_items<S: Sink>(
    writer: &mut Writer<S>,
    items: &[Value<'_>],
    depth: usize,
    pass: Pass<'_>,
) -> Converted<()> {
    for (i, item) in items.iter().enumerate() {
        write_within(writer, item, depth + 1, pass).map_err(|error| error.at_index(i))?;
    }
    Ok(())
}

fn write_buffer<S: Sink>(writer: &mut Writer<S>, value: &Value<'_>) -> Converted<()> {
    // SAFETY: a buffer, and true, by the promise of whoever made the value.
    unsafe {
        let info = value.as_raw().r#as.buffer;
        host_memory::check(info)?;
        let described = host_memory::described(info);
        let format = described.format.to_str();
        let format =
            format.map_err(|_| ConversionError::invalid("has a format that is not UTF-8"))?;
        if !is_format_of(format, described.item_size) {
            let message =
                format!("has items of the format {format:?}, which a process can't be given");
            return Err(ConversionError::not_shareable(message));
        }
        let shape = described.shape.iter().map(|size| *size as u64);
        let memory = described.in_order();
        writer.byte(subpy_wire::value::kind::BUFFER);
        let description = (described.item_size, described.info.writable != 0, format);
        Buffer::write_of(writer, description, shape, &memory);
    }
    Ok(())
}

/// Reads a value of a message, from where `reader` of it is.
pub(super) fn read(
    received: &Received<'_>,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<OwnedValue> {
    read_parts(received, reader, false, false)
}

/// As [`read`], for one of the host's, which has looked at its texts.
pub(super) fn read_of_host(
    received: &Received<'_>,
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<OwnedValue> {
    read_parts(received, reader, false, true)
}

/// As [`read`], for a list.
pub(super) fn read_list(
    received: &Received<'_>,
    reader: &mut Reader<'_>,
    is_of_host: bool,
) -> subpy_wire::Result<OwnedValue> {
    let list = read_parts(received, reader, true, is_of_host)?;
    match list.get().view() {
        View::List(_) => Ok(list),
        _ => Err(Malformed("a list is none")),
    }
}

fn parts<'r, 'm>(reader: &'r mut Reader<'m>, is_list: bool) -> Parts<'r, 'm> {
    match is_list {
        true => Parts::of_list(reader),
        false => Parts::new(reader),
    }
}

/// The next part.
fn next<'a>(parts: &mut Parts<'_, 'a>, is_of_host: bool) -> subpy_wire::Result<Option<Part<'a>>> {
    match is_of_host {
        true => parts.next_unread(),
        false => parts.next(),
    }
}

const NO_MEMORY: Malformed = Malformed("there is no memory for a value");
const TOO_MANY_PARTS: Malformed = Malformed("a value has too many parts");

/// A value that is a text, if it is one: it is looked at once.
fn root_text(reader: &mut Reader<'_>, is_of_host: bool) -> subpy_wire::Result<Option<OwnedValue>> {
    let (kind, text) = match next(&mut Parts::new(reader), is_of_host)? {
        Some(Part::Str(text)) => (kind::STR, text),
        Some(Part::Bytes(bytes)) => (kind::BYTES, bytes),
        Some(Part::BigInt(text)) => (kind::BIG_INT, text),
        Some(Part::Wtf8(bytes)) => (kind::WTF8, bytes),
        Some(Part::Decimal(text)) => (kind::DECIMAL, text),
        _ => return Ok(None),
    };
    let block = Block::new(0, 0, text.len() + 1).ok_or(NO_MEMORY)?;
    // SAFETY: there is so much room; what a root points to is in its block.
    unsafe {
        let root = own_text(&block, kind, text);
        Ok(Some(OwnedValue::from_raw(block.into_owned(root))))
    }
}

/// A list of so many values that take no room themselves: what a function gets is most often one.
fn read_plain(reader: &mut Reader<'_>, count: usize) -> subpy_wire::Result<OwnedValue> {
    if count > MOST_PARTS {
        return Err(TOO_MANY_PARTS);
    }
    let block = Block::new(count, 0, 0).ok_or(NO_MEMORY)?;
    let mut filler = Filler::without_room();
    // SAFETY: there is room for so many, and each takes none besides.
    unsafe {
        for i in 0..count {
            let part = Part::plain(reader)?.unwrap_or(Part::None);
            block.nodes.add(i).write(filler.value(&part)?);
        }
        let root = RawValue::of_items(kind::LIST, block.nodes, count);
        Ok(OwnedValue::from_raw(block.into_owned(root)))
    }
}

fn read_parts(
    received: &Received<'_>,
    reader: &mut Reader<'_>,
    is_list: bool,
    is_of_host: bool,
) -> subpy_wire::Result<OwnedValue> {
    if let Some(plain) = Part::plain(reader)? {
        // SAFETY: it takes no room.
        return Ok(unsafe { OwnedValue::from_raw(Filler::without_room().value(&plain)?) });
    }
    if is_list && let Some(count) = Part::list_of_plain(reader)? {
        return read_plain(reader, count);
    }
    let mut ahead = reader.clone();
    if let Some(text) = root_text(&mut ahead, is_of_host)? {
        *reader = ahead;
        return Ok(text);
    }
    let room = Room::of(parts(&mut reader.clone(), is_list))?;
    let block = Block::new(room.nodes, room.buffers, 0).ok_or(NO_MEMORY)?;
    let mut filler = Filler {
        next_node: block.nodes,
        next_buffer: block.buffers,
        shapes: Vec::new(),
        message: Some(received.message),
        shared: None,
        ends: Some(received.queues),
        queues: Vec::new(),
        handles: Vec::new(),
    };
    let mut parts = parts(reader, is_list);
    let Some(first) = next(&mut parts, is_of_host)? else {
        return Ok(OwnedValue::NONE);
    };
    if let Part::Object(object) = &first
        && let Some(handle) = received.queues.object_received(*object)?
    {
        return Ok(OwnedValue::of_object(handle));
    }
    if let Part::Queue(queue) = &first {
        return filler
            .queue(queue)
            .map(|queue| OwnedValue::of_queue(queue.into()));
    }
    // SAFETY: there is as much room as was measured, of the same bytes; the message is kept.
    unsafe {
        let root = filler.value(&first)?;
        let mut open = vec![(block.nodes, first.items())];
        while let Some(part) = next(&mut parts, is_of_host)? {
            while let Some((_, 0)) = open.last() {
                open.pop();
            }
            let Some((place, left)) = open.last_mut() else {
                return Err(Malformed("a value has more parts than it had"));
            };
            let here = *place;
            (*place, *left) = (place.add(1), *left - 1);
            let items = filler.next_node;
            here.write(filler.value(&part)?);
            if part.items() > 0 {
                open.push((items, part.items()));
            }
        }
        if room.nodes == 0 && root.is_container() {
            return Ok(OwnedValue::from_raw(root));
        }
        let mut block = block;
        if room.points_to_message || !filler.queues.is_empty() || !filler.handles.is_empty() {
            let kept = (
                received.message.clone(),
                filler.shapes,
                filler.shared,
                filler.handles,
            );
            block.keep(Pins::default(), filler.queues, vec![Box::new(kept)]);
        }
        Ok(OwnedValue::from_raw(block.into_owned(root)))
    }
}

/// How much room a value needs.
#[derive(Default)]
struct Room {
    nodes: usize,
    buffers: usize,
    /// There is text in it, or memory.
    points_to_message: bool,
}

impl Room {
    fn of(mut parts: Parts<'_, '_>) -> subpy_wire::Result<Self> {
        let mut room = Self::default();
        while let Some(part) = parts.next_unread()? {
            room.nodes += part.items();
            if room.nodes > MOST_PARTS {
                return Err(TOO_MANY_PARTS);
            }
            room.buffers += usize::from(matches!(part, Part::Buffer(_)));
            room.points_to_message |= part.has_memory();
        }
        Ok(room)
    }
}

/// # Safety
/// The block has so much room for text, and a NUL.
unsafe fn own_text(block: &Block, kind: u32, text: &[u8]) -> RawValue {
    // SAFETY: the caller's promise.
    unsafe {
        block
            .text
            .copy_from_nonoverlapping(text.as_ptr(), text.len());
        block.text.add(text.len()).write(0);
    }
    RawValue::of_text(kind, block.text.cast(), text.len())
}

/// Fills the room.
struct Filler<'a> {
    next_node: *mut RawValue,
    next_buffer: *mut BufferInfo,
    shapes: Vec<Box<[isize]>>,
    message: Option<&'a Arc<Message>>,
    /// Who has a buffer of it has the message: the value, and whoever gets the buffer of that.
    shared: Option<Release>,
    ends: Option<&'a dyn QueueEnds>,
    queues: Vec<QueueReference>,
    handles: Vec<ObjectHandle>,
}

/// One that has a message has it no more.
unsafe extern "C" fn give_back(message: *mut c_void) {
    // SAFETY: the reference that `buffer` has made of it.
    drop(unsafe { Arc::from_raw(message.cast_const().cast::<Message>()) });
}

impl Filler<'_> {
    fn without_room() -> Self {
        Self {
            next_node: null_mut(),
            next_buffer: null_mut(),
            shapes: Vec::new(),
            message: None,
            shared: None,
            ends: None,
            queues: Vec::new(),
            handles: Vec::new(),
        }
    }

    /// A part as a value; room for its items is taken.
    ///
    /// # Safety
    /// There is as much room as was measured.
    unsafe fn value(&mut self, part: &Part<'_>) -> subpy_wire::Result<RawValue> {
        let text = |kind, text: &[u8]| RawValue::of_text(kind, text.as_ptr().cast(), text.len());
        Ok(match part {
            Part::None => RawValue::NONE,
            Part::Bool(boolean) => RawValue::new(kind::BOOL, RawData { boolean: *boolean }),
            Part::Int(integer) => RawValue::new(kind::INT, RawData { integer: *integer }),
            Part::Float(real) => RawValue::new(kind::FLOAT, RawData { real: *real }),
            Part::Str(it) => text(kind::STR, it),
            Part::Bytes(it) => text(kind::BYTES, it),
            Part::BigInt(it) => text(kind::BIG_INT, it),
            Part::Wtf8(it) => text(kind::WTF8, it),
            Part::Tuple(count) => self.items(kind::TUPLE, *count, part),
            Part::List(count) => self.items(kind::LIST, *count, part),
            Part::Dict(count) => self.items(kind::DICT, *count, part),
            Part::Set(count) => self.items(kind::SET, *count, part),
            Part::FrozenSet(count) => self.items(kind::FROZENSET, *count, part),
            Part::Complex(real, imaginary) => RawValue::of_complex(*real, *imaginary),
            Part::DateTime(datetime) => RawValue::of_datetime(kind::DATETIME, datetime),
            Part::Date(date) => RawValue::of_datetime(kind::DATE, date),
            Part::Time(time) => RawValue::of_datetime(kind::TIME, time),
            Part::Timedelta(delta) => RawValue::of_timedelta(delta),
            Part::Decimal(it) => text(kind::DECIMAL, it),
            Part::Uuid(bytes) => RawValue::of_uuid(*bytes),
            // SAFETY: the caller's promise.
            Part::Buffer(buffer) => unsafe { self.buffer(buffer) },
            Part::Object(object) => {
                // One that is gone on this side stands for nothing: who gets it is told so.
                let ends = self.ends.ok_or(Malformed("there is no such object"))?;
                let received = ends.object_received(*object)?;
                let object = received.as_ref().map_or(0, ObjectHandle::raw);
                // Kept as long as the value.
                self.handles.extend(received);
                RawValue::new(kind::OBJECT, RawData { object })
            }
            Part::Queue(queue) => {
                let queue = self.queue(queue)?;
                let raw = queue.as_raw().cast_mut();
                // Kept as long as the value.
                self.queues.push(queue.into());
                RawValue::new(kind::QUEUE, RawData { queue: raw })
            }
        })
    }

    fn queue(&self, queue: &subpy_wire::Queue) -> subpy_wire::Result<Queue> {
        let known = self.ends.and_then(|ends| ends.received(queue));
        known.ok_or(Malformed("there is no such queue"))
    }

    fn items(&mut self, kind: u32, count: usize, part: &Part<'_>) -> RawValue {
        let items = self.next_node;
        self.next_node = items.wrapping_add(part.items());
        RawValue::of_items(kind, items, count)
    }

    /// # Safety
    /// There is room for one more.
    unsafe fn buffer(&mut self, buffer: &Buffer<'_>) -> RawValue {
        // Each fits, by what was checked when it was read.
        let shape: Box<[isize]> = buffer.shape().map(|size| size as isize).collect();
        if let (Some(message), None) = (self.message, &self.shared) {
            let message = Arc::into_raw(message.clone()).cast_mut().cast();
            // SAFETY: the reference that this is, which any thread may drop.
            let release = unsafe { Release::new(message, Some(give_back)) };
            self.shared = Some(SharedMemory::of(Some(release)));
        }
        let shared = self.shared.as_ref();
        let info = BufferInfo {
            data: buffer.memory.as_ptr().cast_mut().cast(),
            length: buffer.memory.len(),
            // A text of a message ends in a NUL.
            format: buffer.format.as_ptr().cast(),
            item_size: buffer.item_size,
            writable: buffer.writable.into(),
            dimensions: shape.len() as u32,
            shape: shape.as_ptr(),
            release: shared.and_then(Release::call),
            user: shared.map_or(null_mut(), Release::user),
            ..BufferInfo::default()
        };
        self.shapes.push(shape);
        let place = self.next_buffer;
        // SAFETY: the caller's promise.
        unsafe {
            self.next_buffer = place.add(1);
            place.write(info);
        }
        RawValue::new(kind::BUFFER, RawData { buffer: place })
    }
}
