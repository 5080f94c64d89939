//! Writing a message.

use crate::ALIGNMENT;

/// Takes a message, piece by piece.
pub trait Sink {
    /// The next piece.
    fn put(&mut self, piece: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// Writes a message.
#[derive(Debug)]
pub struct Writer<S> {
    sink: S,
    length: usize,
}

impl<S: Sink> Writer<S> {
    /// Starts a message.
    pub fn new(sink: S) -> Self {
        Self { sink, length: 0 }
    }

    /// Where it was written to.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Bytes as they are.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        self.sink.put(bytes);
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self, flag: bool) {
        self.byte(flag.into());
    }

    /// A byte with up to eight flags: the first one is its lowest bit.
    pub fn flags<const N: usize>(&mut self, flags: [bool; N]) {
        let all = flags
            .iter()
            .rev()
            .fold(0, |all, flag| all << 1 | u8::from(*flag));
        self.byte(all);
    }

    /// Whether there is something, and then that.
    pub fn option<T>(&mut self, option: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(option.is_some());
        if let Some(there) = option {
            write(self, there);
        }
    }

    /// An `i32`.
    pub fn i32(&mut self, number: i32) {
        self.put(&number.to_ne_bytes());
    }

    /// A `u32`.
    pub fn u32(&mut self, number: u32) {
        self.put(&number.to_ne_bytes());
    }

    /// An `i64`.
    pub fn i64(&mut self, number: i64) {
        self.put(&number.to_ne_bytes());
    }

    /// A `u64`.
    pub fn u64(&mut self, number: u64) {
        self.put(&number.to_ne_bytes());
    }

    /// Several `u64`.
    pub fn u64s<const N: usize>(&mut self, numbers: [u64; N]) {
        self.put(numbers.map(u64::to_ne_bytes).as_flattened());
    }

    /// An `f64`.
    pub fn f64(&mut self, number: f64) {
        self.put(&number.to_ne_bytes());
    }

    /// A size.
    pub fn size(&mut self, size: usize) {
        self.u64(size as u64);
    }

    /// A text, which need not be UTF-8.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.put(bytes);
        self.byte(0);
    }

    /// A text in UTF-8.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What follows starts at a multiple of the alignment.
    pub fn align(&mut self) {
        let gap = self.length.next_multiple_of(ALIGNMENT) - self.length;
        self.put(&[0; ALIGNMENT][..gap]);
    }
}
