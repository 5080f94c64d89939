//! What an interpreter is called by.

use std::fmt;

/// An interpreter's id. None is given out twice in a process.
///
/// ```
/// use subpy_core::Id;
///
/// assert_eq!(Id::new(0), Id::MAIN);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Id(i64);

impl Id {
    /// The main interpreter's.
    pub const MAIN: Self = Self(0);

    /// The id that C or Python has as this number.
    ///
    /// ```
    /// assert_eq!(subpy_core::Id::new(7).get(), 7);
    /// ```
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// It as a number.
    ///
    /// ```
    /// assert_eq!(subpy_core::Id::MAIN.get(), 0);
    /// ```
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether it is the main interpreter's.
    ///
    /// ```
    /// assert!(!subpy_core::Id::new(7).is_main());
    /// ```
    pub const fn is_main(self) -> bool {
        self.0 == Self::MAIN.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
