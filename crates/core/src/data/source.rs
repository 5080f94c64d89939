//! The text of a program.

use std::ffi::CStr;

/// The text of a program, whose length is not known before it has to be: finding the end of a large one takes half as
/// long as comparing it.
pub trait Source {
    /// Whether this is the text, all of it.
    fn is(&self, text: &CStr) -> bool;

    /// The text.
    fn text(&self) -> &[u8];
}
