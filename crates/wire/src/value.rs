//! Values, part by part.

use crate::buffer::Buffer;
use crate::time::{DateTime, Timedelta};
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
    pub const COMPLEX: u8 = 13;
    pub const SET: u8 = 14;
    pub const FROZENSET: u8 = 15;
    pub const DATETIME: u8 = 16;
    pub const DATE: u8 = 17;
    pub const TIME: u8 = 18;
    pub const TIMEDELTA: u8 = 19;
    pub const DECIMAL: u8 = 20;
    pub const UUID: u8 = 21;
    pub const OBJECT: u8 = 22;
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
    /// A complex number: its real part, and its imaginary one.
    Complex(f64, f64),
    /// A set of so many items, which follow.
    Set(usize),
    /// A frozenset of so many items, which follow.
    FrozenSet(usize),
    /// A datetime.
    DateTime(DateTime),
    /// A date.
    Date(DateTime),
    /// A time of the day.
    Time(DateTime),
    /// A length of time.
    Timedelta(Timedelta),
    /// A decimal number, as `str()` has it.
    Decimal(&'a [u8]),
    /// A UUID, the highest byte first.
    Uuid([u8; 16]),
    /// An object that stays in the interpreter of the worker, as that knows it.
    Object(u64),
}

impl<'a> Part<'a> {
    /// How many values follow that belong to it.
    pub fn items(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) | Self::Set(items) | Self::FrozenSet(items) => {
                *items
            }
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
            kind::COMPLEX => Self::Complex(reader.f64()?, reader.f64()?),
            kind::SET => Self::Set(reader.count()?),
            kind::FROZENSET => Self::FrozenSet(reader.count()?),
            kind::DATETIME => {
                let datetime = DateTime::read(reader)?;
                datetime.check_datetime()?;
                Self::DateTime(datetime)
            }
            kind::DATE => {
                let date = DateTime::read(reader)?;
                date.check_date()?;
                Self::Date(date)
            }
            kind::TIME => {
                let time = DateTime::read(reader)?;
                time.check_time()?;
                Self::Time(time)
            }
            kind::TIMEDELTA => Self::Timedelta(Timedelta::read(reader)?),
            kind::DECIMAL => Self::Decimal(reader.bytes()?),
            kind::OBJECT => Self::Object(reader.u64()?),
            kind::UUID => {
                let mut bytes = [0; 16];
                bytes.copy_from_slice(reader.take(16)?);
                Self::Uuid(bytes)
            }
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
            Self::Str(_)
                | Self::Bytes(_)
                | Self::BigInt(_)
                | Self::Wtf8(_)
                | Self::Decimal(_)
                | Self::Buffer(_)
        )
    }

    /// Whether a text is what it says.
    fn check_text(&self) -> Result<()> {
        match self {
            Self::Str(text) if !is_utf8(text) => Err(Malformed("a text is not UTF-8")),
            Self::BigInt(text) => int_text(text),
            Self::Wtf8(text) => generalized_utf8(text).map(drop),
            Self::Decimal(text) if !is_decimal(text) => Err(Malformed("a decimal is no number")),
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
            Self::Complex(real, imaginary) => {
                write_number(writer, kind::COMPLEX, real.to_ne_bytes());
                writer.f64(*imaginary);
            }
            Self::Set(count) => write_count(writer, kind::SET, *count),
            Self::FrozenSet(count) => write_count(writer, kind::FROZENSET, *count),
            Self::DateTime(datetime) => write_datetime(writer, kind::DATETIME, datetime),
            Self::Date(date) => write_datetime(writer, kind::DATE, date),
            Self::Time(time) => write_datetime(writer, kind::TIME, time),
            Self::Timedelta(delta) => {
                writer.byte(kind::TIMEDELTA);
                delta.write(writer);
            }
            Self::Decimal(text) => write_text(writer, kind::DECIMAL, text),
            Self::Object(object) => {
                writer.byte(kind::OBJECT);
                writer.u64(*object);
            }
            Self::Uuid(bytes) => {
                writer.byte(kind::UUID);
                writer.put(bytes);
            }
        }
    }
}

fn write_text<S: Sink>(writer: &mut Writer<S>, kind: u8, text: &[u8]) {
    writer.byte(kind);
    writer.bytes(text);
}

fn write_datetime<S: Sink>(writer: &mut Writer<S>, kind: u8, datetime: &DateTime) {
    writer.byte(kind);
    datetime.write(writer);
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
        if let Part::Tuple(_) | Part::List(_) | Part::Dict(_) | Part::Set(_) | Part::FrozenSet(_) =
            part
        {
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

/// Whether it is a number as `decimal.Decimal` writes them: "-1.50", "1E+3", "Infinity", "sNaN123". (What that reads besides,
/// with spaces or underscores, is none here.)
pub fn is_decimal(text: &[u8]) -> bool {
    let number = match text {
        [b'-' | b'+', number @ ..] => number,
        number => number,
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let is = |word: &str| number.eq_ignore_ascii_case(word.as_bytes());
    if is("inf") || is("infinity") {
        return true;
    }
    for word in ["nan", "snan"] {
        if let Some((start, payload)) = number.split_at_checked(word.len())
            && start.eq_ignore_ascii_case(word.as_bytes())
        {
            return digits(payload);
        }
    }
    let mut halves = number.splitn(2, |byte| byte.eq_ignore_ascii_case(&b'e'));
    let (coefficient, exponent) = (halves.next().unwrap_or_default(), halves.next());
    let exponent = exponent.map(|text| match text {
        [b'-' | b'+', number @ ..] => number,
        number => number,
    });
    let mut sides = coefficient.splitn(2, |byte| *byte == b'.');
    let (whole, part) = (
        sides.next().unwrap_or_default(),
        sides.next().unwrap_or_default(),
    );
    digits(whole)
        && digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for text in [
            "0",
            "-1.50",
            "1E+3",
            "1e-999999",
            ".5",
            "5.",
            "+7",
            "Infinity",
            "-inf",
            "NaN",
            "sNaN",
            "-sNaN123",
            "nan0",
        ] {
            assert!(is_decimal(text.as_bytes()), "{text}");
        }
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "1.2.3", "1_000", " 1", "1 ", "0x1f", "NaNs",
            "nfinity", "infinit", "--1", "\u{661}", "1\0",
        ] {
            assert!(!is_decimal(text.as_bytes()), "{text}");
        }
    }
}
