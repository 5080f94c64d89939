//! Reading a message from its start.

use crate::{ALIGNMENT, Malformed, Result};

/// A message, and how much of it was read.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the start of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.message.len() - self.at
    }

    /// All was read.
    pub fn end(&self) -> Result<()> {
        match self.left() {
            0 => Ok(()),
            _ => Err(Malformed("there is more than a message")),
        }
    }

    /// So many bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let rest = &self.message[self.at..];
        let taken = rest.get(..length).ok_or(Malformed("it ends too early"))?;
        self.at += length;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next byte, which is not read yet.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.message.get(self.at).copied()
    }

    /// A byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        Ok(u8::from_ne_bytes(self.array()?))
    }

    /// A byte that is 0 or 1.
    #[inline]
    pub fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a flag is neither 0 nor 1")),
        }
    }

    /// What [`Writer::flags`](crate::Writer::flags) has written.
    pub fn flags<const N: usize>(&mut self) -> Result<[bool; N]> {
        let all = self.byte()?;
        match u32::from(all) >> N {
            0 => Ok(std::array::from_fn(|i| all >> i & 1 != 0)),
            _ => Err(Malformed("there is a flag that there is not")),
        }
    }

    /// What [`Writer::option`](crate::Writer::option) has written.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match self.flag()? {
            true => read(self).map(Some),
            false => Ok(None),
        }
    }

    /// An `i32`.
    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_ne_bytes(self.array()?))
    }

    /// A `u32`.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    /// An `i64`.
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_ne_bytes(self.array()?))
    }

    /// A `u64`.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_ne_bytes(self.array()?))
    }

    /// Several `u64`.
    #[inline]
    pub fn u64s<const N: usize>(&mut self) -> Result<[u64; N]> {
        let bytes = self.take(N * size_of::<u64>())?;
        let mut numbers = [0; N];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
            *number = u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
        }
        Ok(numbers)
    }

    /// An `f64`.
    pub fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_ne_bytes(self.array()?))
    }

    /// A size of anything.
    pub fn size(&mut self) -> Result<usize> {
        usize::try_from(self.u64()?).map_err(|_| Malformed("a size is past all limits"))
    }

    /// How many things there are that take a byte each at least: not more than there are bytes.
    pub fn count(&mut self) -> Result<usize> {
        let count = self.size()?;
        match count <= self.left() {
            true => Ok(count),
            false => Err(Malformed("there are fewer things than it says")),
        }
    }

    /// The bytes of a text; the NUL behind them is not counted.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.size()?;
        let bytes = self.take(length)?;
        match self.byte()? {
            0 => Ok(bytes),
            _ => Err(Malformed("a text does not end in a NUL")),
        }
    }

    /// A text in UTF-8.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// Goes on to what starts at a multiple of the alignment.
    pub fn align(&mut self) -> Result<()> {
        let gap = self.at.next_multiple_of(ALIGNMENT) - self.at;
        match self.take(gap)?.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(Malformed("a gap is not empty")),
        }
    }
}
