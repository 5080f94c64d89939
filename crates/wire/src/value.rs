//! Values, part by part.

use crate::buffer::Buffer;
use crate::{Malformed, Queue, Reader, Result, Sink, Writer};

/// The byte that says what a value is.
pub mod kind {
    #![allow(missing_docs)]

    pub const NONE: u8 = 0;
    pub const BOOL: u8 = 1;
    pub const INT: u8 = 2;
    pub const FLOAT: u8 = 3;
    pub const STR: u8 = 4;
    pub const BYTES: u8 = 5;
    pub const TUPLE: u8 = 6;
    pub const LIST: u8 = 7;
    pub const DICT: u8 = 8;
    pub const BUFFER: u8 = 9;
    pub const BIG_INT: u8 = 10;
    pub const WTF8: u8 = 11;
    pub const QUEUE: u8 = 12;
}

/// How deep values may be nested: a list in a list is nested two deep.
pub const MAX_DEPTH: usize = 256;

/// A value that has no others in it, or the start of one that has.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'a> {
    /// None.
    None,
    /// A bool.
    Bool(bool),
    /// An int of 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A str, in UTF-8.
    Str(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An int of any size, as `int(text, 0)` reads it.
    BigInt(&'a [u8]),
    /// A str with lone surrogates, in generalized UTF-8.
    Wtf8(&'a [u8]),
    /// A tuple of so many items, which follow.
    Tuple(usize),
    /// A list of so many items, which follow.
    List(usize),
    /// A dict of so many pairs, which follow: a key, its value, the next key.
    Dict(usize),
    /// Memory.
    Buffer(Buffer<'a>),
    /// A queue.
    Queue(Queue),
}

impl<'a> Part<'a> {
    /// How many values follow that belong to it.
    pub fn items(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) => *items,
            Self::Dict(pairs) => 2 * pairs,
            _ => 0,
        }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(match reader.byte()? {
            kind::NONE => Self::None,
            kind::BOOL => Self::Bool(reader.flag()?),
            kind::INT => Self::Int(reader.i64()?),
            kind::FLOAT => Self::Float(reader.f64()?),
            kind::STR => Self::Str(reader.bytes()?),
            kind::BYTES => Self::Bytes(reader.bytes()?),
            kind::BIG_INT => Self::BigInt(reader.bytes()?),
            kind::WTF8 => Self::Wtf8(reader.bytes()?),
            kind::TUPLE => Self::Tuple(reader.count()?),
            kind::LIST => Self::List(reader.count()?),
            kind::DICT => Self::Dict(pairs(reader)?),
            kind::BUFFER => Self::Buffer(Buffer::read(reader)?),
            kind::QUEUE => Self::Queue(Queue::read(reader)?),
            _ => return Err(Malformed("a value is of no kind that there is")),
        })
    }

    /// The next value, if it has no others in it, no text and no memory. `None`: it has, and nothing was read.
    #[inline]
    pub fn plain(reader: &mut Reader<'a>) -> Result<Option<Self>> {
        match reader.peek() {
            Some(kind::NONE | kind::BOOL | kind::INT | kind::FLOAT) => Self::read(reader).map(Some),
            _ => Ok(None),
        }
    }

    /// The start of a list, if each of its items is [`plain`](Self::plain): how many they are. `None`: it is something else,
    /// and nothing was read.
    pub fn list_of_plain(reader: &mut Reader<'a>) -> Result<Option<usize>> {
        if reader.peek() != Some(kind::LIST) {
            return Ok(None);
        }
        let mut ahead = reader.clone();
        let items = Self::read(&mut ahead)?.items();
        let start = ahead.clone();
        for _ in 0..items {
            if Self::plain(&mut ahead)?.is_none() {
                return Ok(None);
            }
        }
        *reader = start;
        Ok(Some(items))
    }

    /// Whether it has text or memory, which stays in the message.
    pub fn has_memory(&self) -> bool {
        matches!(
            self,
            Self::Str(_) | Self::Bytes(_) | Self::BigInt(_) | Self::Wtf8(_) | Self::Buffer(_)
        )
    }

    /// Whether a text is what it says.
    fn check_text(&self) -> Result<()> {
        match self {
            Self::Str(text) if !is_utf8(text) => Err(Malformed("a text is not UTF-8")),
            Self::BigInt(text) => int_text(text),
            Self::Wtf8(text) => generalized_utf8(text).map(drop),
            _ => Ok(()),
        }
    }

    /// Writes it. The values that belong to it are to follow.
    pub fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        match self {
            Self::None => writer.byte(kind::NONE),
            Self::Bool(bool) => {
                writer.byte(kind::BOOL);
                writer.flag(*bool);
            }
            Self::Int(int) => write_number(writer, kind::INT, int.to_ne_bytes()),
            Self::Float(float) => write_number(writer, kind::FLOAT, float.to_ne_bytes()),
            Self::Str(text) => write_text(writer, kind::STR, text),
            Self::Bytes(bytes) => write_text(writer, kind::BYTES, bytes),
            Self::BigInt(text) => write_text(writer, kind::BIG_INT, text),
            Self::Wtf8(bytes) => write_text(writer, kind::WTF8, bytes),
            Self::Tuple(count) => write_count(writer, kind::TUPLE, *count),
            Self::List(count) => write_count(writer, kind::LIST, *count),
            Self::Dict(count) => write_count(writer, kind::DICT, *count),
            Self::Buffer(buffer) => {
                writer.byte(kind::BUFFER);
                buffer.write(writer);
            }
            Self::Queue(queue) => {
                writer.byte(kind::QUEUE);
                queue.write(writer);
            }
        }
    }
}

fn write_text<S: Sink>(writer: &mut Writer<S>, kind: u8, text: &[u8]) {
    writer.byte(kind);
    writer.bytes(text);
}

fn write_number<S: Sink>(writer: &mut Writer<S>, kind: u8, number: [u8; 8]) {
    let mut both = [kind; 9];
    both[1..].copy_from_slice(&number);
    writer.put(&both);
}

fn write_count<S: Sink>(writer: &mut Writer<S>, kind: u8, count: usize) {
    write_number(writer, kind, (count as u64).to_ne_bytes());
}

fn pairs(reader: &mut Reader<'_>) -> Result<usize> {
    let pairs = reader.count()?;
    match pairs <= reader.left() / 2 {
        true => Ok(pairs),
        false => Err(Malformed("a dict has fewer pairs than it says")),
    }
}

/// The parts of one value, in the order in which they are written.
#[derive(Debug)]
pub struct Parts<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// How many values are to come in the innermost of those that are not whole yet.
    to_come: usize,
    /// How many in those around it: the outermost is the first.
    around: Vec<usize>,
    /// How deep they may be nested.
    depth: usize,
}

impl<'r, 'a> Parts<'r, 'a> {
    /// Of the value that comes next.
    pub fn new(reader: &'r mut Reader<'a>) -> Self {
        Self {
            reader,
            to_come: 1,
            around: Vec::new(),
            depth: MAX_DEPTH,
        }
    }

    /// As [`new`](Self::new), of a list of values, which may be nested as deeply as a value itself.
    pub fn of_list(reader: &'r mut Reader<'a>) -> Self {
        Self {
            depth: MAX_DEPTH + 1,
            ..Self::new(reader)
        }
    }

    /// The next one; `None`: the value is whole.
    #[expect(
        clippy::should_implement_trait,
        reason = "it can fail once, and ends then"
    )]
    pub fn next(&mut self) -> Result<Option<Part<'a>>> {
        let next = self.next_unread()?;
        next.as_ref().map_or(Ok(()), Part::check_text)?;
        Ok(next)
    }

    /// As [`next`](Self::next), for who asks how much there is, or knows who has written it: nobody has looked at its texts.
    pub fn next_unread(&mut self) -> Result<Option<Part<'a>>> {
        while self.to_come == 0 {
            match self.around.pop() {
                Some(to_come) => self.to_come = to_come,
                None => return Ok(None),
            }
        }
        self.to_come -= 1;
        let part = Part::read(self.reader)?;
        if let Part::Tuple(_) | Part::List(_) | Part::Dict(_) = part {
            if self.around.len() >= self.depth {
                return Err(Malformed("a value is nested too deeply"));
            }
            self.around.push(self.to_come);
            self.to_come = part.items();
        }
        Ok(Some(part))
    }
}

/// What `int(text, 0)` may understand: C programs read it.
fn int_text(text: &[u8]) -> Result<()> {
    match std::str::from_utf8(text) {
        Ok(text) if is_int(text) => Ok(()),
        _ => Err(Malformed("an int is no number")),
    }
}

/// Whether it is UTF-8: most texts are ASCII, which is found out in half of the time.
pub fn is_utf8(text: &[u8]) -> bool {
    text.is_ascii() || std::str::from_utf8(text).is_ok()
}

/// Whether it looks like an int.
pub fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !digits.is_empty() && digits.bytes().all(is_digit)
}

/// UTF-8 in which surrogates are allowed: it, or what is wrong.
pub fn generalized_utf8(bytes: &[u8]) -> Result<&[u8]> {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return Ok(bytes),
            Err(error) => match rest[error.valid_up_to()..] {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => rest = &rest[error.valid_up_to() + 3..],
                _ => return Err(Malformed("a text is not even generalized UTF-8")),
            },
        }
    }
}
