//! How a host wants Python objects as values.

/// How Python objects become values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// An int past 64 bits becomes a `BigInt`, a str with lone surrogates a `Wtf8`. Else they are not
    /// shareable.
    pub lossless_text: bool,
    /// `bytes` become buffers. Else they are copied.
    pub pin_bytes: bool,
    /// Buffers whose items are not in C's order without gaps are handed out, too. Else they are not
    /// shareable.
    pub strided: bool,
    /// Objects that stand for plain data become that: members of enums, dataclasses, paths, numbers that are none of Python's.
    /// Else they are not shareable.
    pub convert: bool,
    /// Which objects become buffers. Others that could are not shareable.
    pub buffers: Buffers,
    /// An object of a subclass is not shareable. Else it becomes what its class is made of.
    pub exact: bool,
    /// Which objects stay in Python, and become handles.
    pub objects: Objects,
}

/// Objects that stay in Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objects {
    /// None: what is no plain data is not shareable.
    #[default]
    None,
    /// What is no plain data, or has no form as that. A root that contains itself, or is nested too deep, stays as a whole.
    Others,
    /// The object itself, whatever it is.
    Itself,
}

/// Objects that share their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffers {
    /// All that can.
    #[default]
    All,
    /// memoryviews.
    Views,
    /// None of them.
    None,
}

impl Conversion {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        lossless_text: false,
        pin_bytes: false,
        strided: false,
        convert: false,
        buffers: Buffers::All,
        exact: false,
        objects: Objects::None,
    };

    /// Of an object that stays in Python, whatever it is.
    pub(crate) const HANDLE: Self = Self {
        objects: Objects::Itself,
        ..Self::DEFAULT
    };

    /// Of what stays in Python unless it is plain data.
    pub(crate) const KEEP: Self = Self {
        objects: Objects::Others,
        ..Self::DEFAULT
    };

    /// Of what outlives its interpreter.
    pub(crate) const COPY: Self = Self {
        lossless_text: true,
        buffers: Buffers::None,
        ..Self::DEFAULT
    };

    /// Of what goes from one interpreter to another one, and is to be the same there.
    pub(crate) const SAME: Self = Self {
        lossless_text: true,
        strided: true,
        buffers: Buffers::Views,
        exact: true,
        ..Self::DEFAULT
    };
}
