//! How an interpreter of the host's comes to be.

use crate::data::config::{Backend, InterpreterConfig};
use crate::data::error::Result;
use crate::interpreter::Interpreter;
use crate::local::interpreter as local;
use crate::process::all;
use crate::scripting;

impl Interpreter {
    /// Creates an interpreter. Any thread may.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let config = InterpreterConfig { share_environment: true, ..InterpreterConfig::default() };
    /// let interpreter = Interpreter::create(config)?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn create(config: InterpreterConfig) -> Result<Self> {
        match config.backend {
            Backend::Local => {
                let made = local::Interpreter::make(config, scripting::prepare)?;
                Ok(Self::of_local(made))
            }
            Backend::Process => Ok(Self::of_process(all::create(config, None, |_| ())?)),
        }
    }
}
