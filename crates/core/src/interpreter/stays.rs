//! Threads that stay in an interpreter between their calls.

use std::time::Duration;

use super::{Backend, Interpreter};
use crate::data::error::Result;

impl Interpreter {
    /// The calling thread stays in it, until it has left as often as it has entered: its calls need no claim then and do not
    /// attach, and other threads have none. An interpreter in this process keeps its GIL meanwhile. `Busy`: another thread runs
    /// in it, for longer than `wait`; `None`: however long that takes.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Feature, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status, runtime};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// match interpreter.enter(Some(Duration::ZERO)) {
    ///     Ok(()) => {
    ///         interpreter.run("x = 1")?;
    ///         assert_eq!(interpreter.destroy().unwrap_err().status(), Status::Busy);
    ///         interpreter.leave()?;
    ///     }
    ///     Err(error) => {
    ///         assert_eq!(error.status(), Status::Unsupported);
    ///         assert!(!runtime::supports(Feature::OwnGil));
    ///     }
    /// }
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn enter(&self, wait: Option<Duration>) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.enter(wait),
            Backend::Process(far) => far.there()?.enter(wait),
        }
    }

    /// The calling thread leaves it. `NotPermitted`: it has not entered it.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert_eq!(interpreter.leave().unwrap_err().status(), Status::NotPermitted);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn leave(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.leave(),
            Backend::Process(far) => far.there()?.leave(),
        }
    }
}
