//! Values that a call takes: what they lend is given back by the call, whatever becomes of it.

use crate::data::value::Value;
use crate::local::convert::to_python;

/// The values that a call takes. The buffers in them are lent: they are given back once, also if the
/// call is never made. (Whoever converts a value from here on cares for what it lends.)
pub struct Arguments<'a> {
    values: &'a [Value<'a>],
    named: Option<&'a Value<'a>>,
}

impl<'a> From<&'a Value<'a>> for Arguments<'a> {
    #[inline]
    fn from(value: &'a Value<'a>) -> Self {
        Self::new(std::slice::from_ref(value), None)
    }
}

impl<'a> From<&'a [Value<'a>]> for Arguments<'a> {
    #[inline]
    fn from(values: &'a [Value<'a>]) -> Self {
        Self::new(values, None)
    }
}

impl<'a, const N: usize> From<&'a [Value<'a>; N]> for Arguments<'a> {
    #[inline]
    fn from(values: &'a [Value<'a>; N]) -> Self {
        Self::new(values, None)
    }
}

impl<'a> From<&'a Vec<Value<'a>>> for Arguments<'a> {
    fn from(values: &'a Vec<Value<'a>>) -> Self {
        Self::new(values, None)
    }
}

impl<'a> Arguments<'a> {
    /// Values, and a dict of named ones: of keyword arguments, say.
    ///
    /// ```
    /// use subpy_core::{Arguments, Value};
    ///
    /// let (arguments, level) = ([Value::str("text")], [[Value::str("level"), Value::int(3)]]);
    /// let keywords = Value::dict(&level);
    /// let lending = Arguments::new(&arguments, Some(&keywords));
    /// ```
    #[inline]
    pub fn new(values: &'a [Value<'a>], named: Option<&'a Value<'a>>) -> Self {
        Self { values, named }
    }

    /// The values.
    pub(crate) fn values(&self) -> &'a [Value<'a>] {
        self.values
    }

    /// The named ones.
    pub(crate) fn named(&self) -> Option<&'a Value<'a>> {
        self.named
    }

    /// How many values there are still, without the named ones.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn has_named(&self) -> bool {
        self.named.is_some()
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<&'a Value<'a>> {
        let (first, rest) = self.values.split_first()?;
        self.values = rest;
        Some(first)
    }

    #[inline]
    pub(crate) fn take_named(&mut self) -> Option<&'a Value<'a>> {
        self.named.take()
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.values.is_empty() || self.named.is_some() {
            give_back_all(self.values.iter().chain(self.named));
        }
    }
}

#[cold]
fn give_back_all<'a>(values: impl Iterator<Item = &'a Value<'a>>) {
    let mut lent = Vec::new();
    values.for_each(|value| to_python::lent_by(value, &mut lent));
}
