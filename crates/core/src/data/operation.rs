//! What a script does with interpreters, by the package `subpy`. It is done where the host is, whichever process asks.

use crate::data::config::Backend;
use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::Value;

/// One of them. What is not said here has no result.
pub(crate) enum Operation<'a> {
    /// The ids of those that are known, in ascending order: a list.
    ListAll,
    /// Whether something runs in it.
    IsRunning(Id),
    /// How many may be created now.
    Room,
    /// Who has created it: `main`, `host` or `script`.
    Whence(Id),
    /// The id of a new one, which imports from these places.
    Create(CreateOptions, Vec<String>),
    Destroy(Id),
    /// Runs a program.
    Run(Id, &'a [u8]),
    /// Runs a program with names, a dict or None. The names that are there afterwards.
    RunUnrestricted(Id, &'a [u8], &'a Value<'a>),
    /// Calls a function of the pickling ones. What it returns.
    Call(Id, &'a str, &'a [Value<'a>]),
    /// It ends with the last object that stands for it.
    CountObjects(Id),
    /// There is one object more. Whether they count.
    Retain(Id),
    /// There is one less.
    Release(Id),
}

/// Does an operation for the interpreter with this id: the caller.
pub(crate) type Operate = fn(Id, &Operation<'_>) -> Result<OwnedValue>;

/// What a script wants of a new interpreter. `None`: as its own has it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CreateOptions {
    pub(crate) backend: Option<Backend>,
    pub(crate) allow_fork: Option<bool>,
    pub(crate) allow_exec: Option<bool>,
    pub(crate) allow_threads: Option<bool>,
    pub(crate) allow_daemon_threads: Option<bool>,
    pub(crate) share_environment: Option<bool>,
    pub(crate) allow_interpreters: Option<bool>,
    pub(crate) interpreter_limit: Option<u32>,
    pub(crate) memory_limit: Option<u64>,
}
