//! Why a value or an object can't be converted, and where in it.

use crate::data::error::{Error, Status};
use crate::local::attach::Attached;
use crate::local::objects::release::Release;
use crate::local::python::exception::{MEMORY_ERROR, TYPE_ERROR, VALUE_ERROR};

/// Why.
pub(crate) enum Cause {
    /// A value of the host's is wrong.
    Invalid(String),
    /// The other side has no form for it.
    NotShareable(String),
    NoMemory,
    /// An exception is set.
    Raised,
}

enum Step {
    Index(usize),
    Key(String),
}

/// What went wrong, and where. Boxed, so that what a [`Converted`] succeeds with is all that is moved.
pub(crate) struct ConversionError(Box<Inner>);

struct Inner {
    cause: Cause,
    /// From the inside out.
    path: Vec<Step>,
    /// What is the host's, and was not used.
    unused: Vec<Release>,
}

pub(crate) type Converted<T> = Result<T, ConversionError>;

/// Of a path, no more than twice as many steps are shown.
const SHOWN: usize = 8;

impl ConversionError {
    #[cold]
    pub(crate) fn new(cause: Cause) -> Self {
        Self(Box::new(Inner {
            cause,
            path: Vec::new(),
            unused: Vec::new(),
        }))
    }

    #[cold]
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Cause::Invalid(message.into()))
    }

    #[cold]
    pub(crate) fn not_shareable(message: impl Into<String>) -> Self {
        Self::new(Cause::NotShareable(message.into()))
    }

    #[cold]
    pub(crate) fn no_memory() -> Self {
        Self::new(Cause::NoMemory)
    }

    /// An exception is set.
    #[cold]
    pub(crate) fn raised() -> Self {
        Self::new(Cause::Raised)
    }

    pub(crate) fn is_not_shareable(&self) -> bool {
        matches!(self.0.cause, Cause::NotShareable(_))
    }

    #[cold]
    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    #[cold]
    pub(crate) fn at_key(mut self, key: String) -> Self {
        self.0.path.push(Step::Key(key));
        self
    }

    #[cold]
    pub(crate) fn with_unused(mut self, mut unused: Vec<Release>) -> Self {
        self.0.unused.append(&mut unused);
        self
    }

    /// As [`into_error`](Self::into_error), for a value that is no object: nothing has raised an exception.
    pub(crate) fn into_plain_error(self, root: &str) -> Error {
        self.into_error(root, || Error::new(Status::Internal, "no exception"))
    }

    /// What it is, in words; gives back what was not used. `raised` takes the exception that is set.
    #[cold]
    pub(crate) fn into_error(self, root: &str, raised: impl FnOnce() -> Error) -> Error {
        let path = self.path_from(root);
        let error = match self.0.cause {
            Cause::Invalid(message) => {
                Error::new(Status::InvalidArgument, format!("{path} {message}"))
            }
            Cause::NotShareable(message) => {
                Error::new(Status::NotShareable, format!("{path} {message}"))
            }
            Cause::NoMemory => Error::new(Status::NoMemory, format!("no memory to copy {path}")),
            Cause::Raised => raised(),
        };
        drop(self.0.unused);
        error
    }

    /// Sets an exception for it in Python, and gives back what was not used.
    #[cold]
    pub(crate) fn raise(self, py: Attached<'_>, root: &str) {
        let path = self.path_from(root);
        let (class, message) = match self.0.cause {
            Cause::Invalid(message) => (VALUE_ERROR, message),
            Cause::NotShareable(message) => (TYPE_ERROR, message),
            Cause::NoMemory => (MEMORY_ERROR, "is too large".into()),
            Cause::Raised => return,
        };
        drop(self.0.unused);
        class.raise::<()>(py, &format!("{path} {message}"));
    }

    fn path_from(&self, root: &str) -> String {
        let mut text = root.to_owned();
        let length = self.0.path.len();
        for (i, step) in self.0.path.iter().rev().enumerate() {
            if i == SHOWN && length > 2 * SHOWN {
                text.push_str("[...]");
            }
            if i < SHOWN || i + SHOWN >= length {
                match step {
                    Step::Index(index) => text.push_str(&format!("[{index}]")),
                    Step::Key(key) => text.push_str(&format!("[{key}]")),
                }
            }
        }
        text
    }
}

pub(crate) fn too_deep() -> ConversionError {
    let limit = crate::data::value::MAX_DEPTH;
    ConversionError::not_shareable(format!("is nested more than {limit} deep"))
}

/// A str as a step of a path.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let error = ConversionError::invalid("is wrong")
            .at_index(3)
            .at_key(quoted("a\"b"));
        assert_eq!(error.path_from("result"), r#"result["a\"b"][3]"#);
        let mut error = ConversionError::invalid("is wrong");
        for i in 0..20 {
            error = error.at_index(i);
        }
        let text = error.path_from("x");
        assert!(text.starts_with("x[19][18]") && text.ends_with("[1][0]"));
        assert_eq!(text.matches("[...]").count(), 1);
        assert_eq!(quoted(&"a".repeat(50)).len(), 45);
    }
}
