//! Errors: plain data, free of any interpreter.

use std::sync::Arc;

use crate::data::tree::OwnedValue;

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An argument is wrong; the message names it.
    InvalidArgument,
    /// Python is not started, or finalized.
    NotInitialized,
    /// The id was never given out, or its interpreter is destroyed.
    NotFound,
    /// The interpreter runs now, or Python threads of its scripts do.
    Busy,
    /// The call is not for this interpreter, or contradicts what was set before.
    NotPermitted,
    /// This Python can't do it.
    Unsupported,
    /// The script raised an exception.
    Exception,
    /// The script raised SystemExit.
    Exit,
    /// The run was interrupted.
    Interrupted,
    /// The run took longer than it was given.
    Timeout,
    /// A value has no form on the other side.
    NotShareable,
    /// The system has no more memory, threads or descriptors.
    NoMemory,
    /// A defect of this crate, or of Python where it says so.
    Internal,
    /// The interpreter's process has ended.
    Lost,
    /// A limit on CPU time, output, threads or processes was reached.
    Limit,
}

/// Why a call failed, with a message that says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

/// Boxed, so that a `Result<(), Error>` is one word on the way of a run that succeeds.
#[derive(Clone, Debug)]
struct Inner {
    status: Status,
    message: String,
    exception: Option<Exception>,
    /// How the interpreter's process has ended, if it is lost.
    lost: Option<Lost>,
}

/// How a process has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) exit_code: i32,
    /// The signal that has ended it; 0: none has.
    pub(crate) signal: i32,
    /// Where its scripts were, as Python has said it.
    pub(crate) traceback: String,
}

/// An exception has at most so many frames: the outermost half of them, and the innermost half.
pub const MOST_FRAMES: usize = 256;

/// An exception has at most so many notes: the first ones.
pub const MOST_NOTES: usize = 256;

/// At most so many other exceptions come with one: the nearest ones.
pub const MOST_RELATED: usize = 256;

/// What a Python exception leaves behind: a snapshot, readable after its interpreter is gone.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The type as a traceback names it: `ValueError`, `package.module.Oops`.
    pub type_name: String,
    /// The module of the type, and its name there: `builtins` and `ValueError`.
    pub class: (String, String),
    /// The arguments that the exception was made with, a tuple. What is no plain data in it is its `repr()`.
    pub args: Arc<OwnedValue>,
    /// The traceback as Python prints it.
    pub traceback: String,
    /// Of a SystemExit: the code as the shell would see it. Else 0.
    pub exit_code: i32,
    /// Where it was raised, the outermost first: at most [`MOST_FRAMES`]. The place of a SyntaxError is the last one.
    pub frames: Vec<Frame>,
    /// How many frames are left out, between the two halves of those that are there.
    pub frames_left_out: usize,
    /// What `add_note()` was given: at most [`MOST_NOTES`].
    pub notes: Vec<String>,
    /// Its causes, its contexts and the exceptions of its group, and theirs: at most [`MOST_RELATED`].
    pub related: Vec<Related>,
}

/// A place in a program. What is not known is 0, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The file, as the code was compiled with it.
    pub file: String,
    /// The function, as a traceback names it; `<module>` outside of all. Empty: the place of a SyntaxError.
    pub function: String,
    /// The line, from 1 on.
    pub line: u32,
    /// The first character of the expression in that line, from 1 on.
    pub column: u32,
    /// The line that the expression ends in.
    pub end_line: u32,
    /// The character behind the expression in that line, from 1 on.
    pub end_column: u32,
    /// The text of the line, without its end.
    pub source: String,
}

/// Why an exception comes with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// `raise other from it`.
    Cause,
    /// The other one was raised while this one was handled.
    Context,
    /// The other one is a group, and this one is in it.
    Member,
}

/// An exception that comes with another one.
#[derive(Clone, Debug)]
pub struct Related {
    /// Why.
    pub link: Link,
    /// Which one it comes with: 0 is the exception that has the list, and n the nth of the list before this one.
    pub of: usize,
    /// What it is. It has no traceback and no list of its own.
    pub error: Error,
}

impl Error {
    /// An error that is no exception.
    ///
    /// ```
    /// use subpy_core::{Error, Status};
    ///
    /// let error = Error::new(Status::Busy, "wait");
    /// assert_eq!((error.status(), error.message()), (Status::Busy, "wait"));
    /// ```
    #[cold]
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            status,
            message: message.into(),
            exception: None,
            lost: None,
        }))
    }

    /// Its process has ended like this.
    pub(crate) fn lost(message: String, how: Lost) -> Self {
        let mut error = Self::new(Status::Lost, message);
        error.0.lost = Some(how);
        error
    }

    pub(crate) fn raised(status: Status, message: String, exception: Exception) -> Self {
        Self(Box::new(Inner {
            status,
            message,
            exception: Some(exception),
            lost: None,
        }))
    }

    /// As it is, with more to say before that.
    pub(crate) fn preceded_by(mut self, what: &str) -> Self {
        self.0.message.insert_str(0, what);
        self
    }

    /// As it is, with more to say.
    pub(crate) fn with_more(mut self, more: &str) -> Self {
        self.0.message.push_str(more);
        self
    }

    /// What kind of error it is.
    ///
    /// ```
    /// use subpy_core::{Status, runtime};
    ///
    /// assert_eq!(runtime::list_all().unwrap_err().status(), Status::NotInitialized);
    /// ```
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// What went wrong; for an exception, what `str()` says of it.
    ///
    /// ```
    /// let error = subpy_core::runtime::list_all().unwrap_err();
    /// assert_eq!(error.message(), "subpy is not initialized: initialize it first");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How a process has ended, if it is lost.
    pub(crate) fn how_lost(&self) -> Option<&Lost> {
        self.0.lost.as_ref()
    }

    /// The code that a script has ended by, of a SystemExit, or its process, where that is lost. Else 0.
    ///
    /// ```
    /// assert_eq!(subpy_core::runtime::list_all().unwrap_err().exit_code(), 0);
    /// ```
    pub fn exit_code(&self) -> i32 {
        let of_lost = self.0.lost.as_ref().map_or(0, |lost| lost.exit_code);
        let exception = self.exception();
        exception.map_or(of_lost, |exception| exception.exit_code)
    }

    /// The signal that has ended the process of a lost interpreter. Else 0.
    ///
    /// ```
    /// assert_eq!(subpy_core::runtime::list_all().unwrap_err().signal(), 0);
    /// ```
    pub fn signal(&self) -> i32 {
        self.0.lost.as_ref().map_or(0, |lost| lost.signal)
    }

    /// The traceback of the exception, or where scripts were when their process has crashed. Else nothing.
    ///
    /// ```
    /// assert_eq!(subpy_core::runtime::list_all().unwrap_err().traceback(), "");
    /// ```
    pub fn traceback(&self) -> &str {
        match (&self.0.exception, &self.0.lost) {
            (Some(exception), _) => &exception.traceback,
            (None, Some(lost)) => &lost.traceback,
            (None, None) => "",
        }
    }

    /// The exception, where it was one.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let error = interpreter.run("{}['key']").unwrap_err();
    /// assert_eq!(error.exception().unwrap().type_name, "KeyError");
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn exception(&self) -> Option<&Exception> {
        self.0.exception.as_ref()
    }

    pub(crate) fn exception_mut(&mut self) -> Option<&mut Exception> {
        self.0.exception.as_mut()
    }
}
