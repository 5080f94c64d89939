//! What a host does with an object that it has a handle of.

/// What is done. Its arguments are the values that come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectUse<'a> {
    /// It is called. A coroutine is run to its end.
    Call,
    /// A method of it is called.
    CallMethod(&'a str),
    /// An attribute is read.
    Get(&'a str),
    /// An attribute gets the value.
    Set(&'a str),
    /// What it has at the value: a key or an index.
    Item,
    /// The next item of an iterator.
    Next,
    /// What it is, as plain data.
    Value,
    /// Its `str()`.
    Text,
    /// It is code, which runs.
    Run,
}
