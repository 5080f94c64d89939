//! Memory with its description, as Python's buffers have it.

use crate::{Malformed, Reader, Result, Sink, Writer};

/// How many dimensions there may be, as Python has it.
const MAX_DIMENSIONS: u8 = 64;

/// Memory: its items are in C's order, without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer<'a> {
    /// The size of an item, in bytes.
    pub item_size: usize,
    /// Whether it may be written to.
    pub writable: bool,
    /// What an item is, in the words of Python's `struct` module. It is no larger than an item.
    pub format: &'a str,
    shape: &'a [u8],
    /// All items.
    pub memory: &'a [u8],
}

const SIZE: usize = size_of::<u64>();

impl<'a> Buffer<'a> {
    /// How many items each dimension has.
    pub fn shape(&self) -> impl ExactSizeIterator<Item = u64> + use<'a> {
        let sizes = self.shape.chunks_exact(SIZE);
        sizes.map(|size| size.try_into().map_or(0, u64::from_ne_bytes))
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let item_size = reader.size()?;
        let writable = reader.flag()?;
        let format = reader.text()?;
        let dimensions = reader.byte()?;
        if dimensions > MAX_DIMENSIONS {
            return Err(Malformed("a buffer has too many dimensions"));
        }
        let shape = reader.take(usize::from(dimensions) * SIZE)?;
        let length = reader.size()?;
        reader.align()?;
        let memory = reader.take(length)?;
        let buffer = Self {
            item_size,
            writable,
            format,
            shape,
            memory,
        };
        // Where there are no items, other sizes could be any.
        let mut sizes = buffer.shape().chain([item_size as u64]);
        if sizes.any(|size| i64::try_from(size).is_err()) {
            return Err(Malformed("a size of a buffer is past all limits"));
        }
        let items = buffer.shape().try_fold(1_u64, u64::checked_mul);
        let size = items.and_then(|items| items.checked_mul(item_size as u64));
        if size != Some(length as u64) {
            return Err(Malformed("a buffer is not as large as its items"));
        }
        match is_format_of(format, item_size) {
            true => Ok(buffer),
            false => Err(Malformed("a buffer's items are not what its format says")),
        }
    }

    /// Writes it, with a shape of these sizes.
    pub fn write_of<S: Sink>(
        writer: &mut Writer<S>,
        (item_size, writable, format): (usize, bool, &str),
        shape: impl ExactSizeIterator<Item = u64>,
        memory: &[u8],
    ) {
        writer.size(item_size);
        writer.flag(writable);
        writer.text(format);
        writer.byte(u8::try_from(shape.len()).unwrap_or(u8::MAX));
        for size in shape {
            writer.put(&size.to_ne_bytes());
        }
        writer.size(memory.len());
        writer.align();
        writer.put(memory);
    }

    pub(crate) fn write<S: Sink>(&self, writer: &mut Writer<S>) {
        let description = (self.item_size, self.writable, self.format);
        Self::write_of(writer, description, self.shape(), self.memory);
    }
}

/// Whether an item of this size may have this format: one that can be understood, and speaks of no addresses.
pub fn is_format_of(format: &str, item_size: usize) -> bool {
    size_of_format(format).is_some_and(|size| (1..=item_size).contains(&size))
}

/// How many bytes a format speaks of at least. `None`: it can't be understood, or speaks of addresses.
fn size_of_format(format: &str) -> Option<usize> {
    let mut rest = format.bytes().peekable();
    let mut native = true;
    // Of what is open, and how often it is repeated: `2T{` and so on.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let (mut size, mut count) = (0_usize, 1_usize);
    while let Some(letter) = rest.next() {
        let one = match letter {
            b'@' | b'^' => {
                native = true;
                continue;
            }
            b'=' | b'<' | b'>' | b'!' => {
                native = false;
                continue;
            }
            b'0'..=b'9' => {
                let mut number = usize::from(letter - b'0');
                while let Some(digit @ b'0'..=b'9') = rest.peek() {
                    number = number
                        .checked_mul(10)?
                        .checked_add(usize::from(digit - b'0'))?;
                    rest.next();
                }
                count = count.checked_mul(number)?;
                continue;
            }
            b'(' => {
                let mut number = 0_usize;
                loop {
                    match rest.next()? {
                        digit @ b'0'..=b'9' => {
                            number = number
                                .checked_mul(10)?
                                .checked_add(usize::from(digit - b'0'))?;
                        }
                        end @ (b',' | b')') => {
                            count = count.checked_mul(number)?;
                            number = 0;
                            if end == b')' {
                                break;
                            }
                        }
                        _ => return None,
                    }
                }
                continue;
            }
            b':' => {
                while rest.next()? != b':' {}
                continue;
            }
            b'T' => {
                if rest.next()? != b'{' {
                    return None;
                }
                open.push((size, count));
                (size, count) = (0, 1);
                continue;
            }
            b'}' => {
                let (before, times) = open.pop()?;
                size = before.checked_add(size.checked_mul(times)?)?;
                count = 1;
                continue;
            }
            b'x' | b'c' | b'b' | b'B' | b'?' | b's' | b'p' => 1,
            b'h' | b'H' | b'e' | b'u' => 2,
            b'i' | b'I' | b'f' | b'w' => 4,
            b'l' | b'L' if !native => 4,
            b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' => 8,
            b'g' => 16,
            b'Z' => match rest.next()? {
                b'f' => 8,
                b'd' => 16,
                b'g' => 32,
                _ => return None,
            },
            b' ' => continue,
            _ => return None,
        };
        size = size.checked_add(count.checked_mul(one)?)?;
        count = 1;
    }
    open.is_empty().then_some(size)
}

#[cfg(test)]
mod tests {
    use super::size_of_format;

    #[test]
    fn formats() {
        for (format, size) in [
            ("B", Some(1)),
            ("<d", Some(8)),
            ("l", Some(8)),
            ("=l", Some(4)),
            ("3h", Some(6)),
            ("(2,3)f", Some(24)),
            ("T{<i:number:3s:name:}", Some(7)),
            ("2T{hT{bb}}", Some(8)),
            ("Zd", Some(16)),
            ("i i", Some(8)),
            ("", Some(0)),
            ("O", None),
            ("P", None),
            ("T{i", None),
            ("i}", None),
            ("T", None),
            ("Zi", None),
            ("(2", None),
            ("(2;)f", None),
            (":name", None),
            ("99999999999999999999B", None),
            ("9999999999999999999T{9999B}", None),
            ("(9999999999,9999999999,9999999999)d", None),
        ] {
            assert_eq!(size_of_format(format), size, "{format}");
        }
    }
}
