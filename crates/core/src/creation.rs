//! How an interpreter of the host's comes to be.

use crate::data::config::{Backend, InterpreterConfig};
use crate::data::error::{Error, Result, Status};
use crate::interpreter::Interpreter;
use crate::local::interpreter as local;
use crate::local::interpreter::family;
use crate::local::interpreter::family::InheritedConfig;
use crate::scripting;
use crate::scripting::operations;

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
    pub fn create(mut config: InterpreterConfig) -> Result<Self> {
        for (i, path) in config.search_paths.iter_mut().enumerate() {
            if !path.exists() {
                let message = format!("search_paths[{i}] does not exist: {}", path.display());
                return Err(Error::new(Status::InvalidArgument, message));
            }
            if let Ok(whole) = std::path::absolute(&path) {
                *path = whole;
            }
        }
        match config.backend {
            Backend::Local => {
                let made = local::Interpreter::make(config, scripting::prepare)?;
                Ok(Self::of_local(made))
            }
            Backend::Process => Self::create_process(config),
        }
    }

    fn create_process(mut config: InterpreterConfig) -> Result<Self> {
        let may_create = config.allow_interpreters;
        let terms = may_create.then(|| InheritedConfig::of(&mut config));
        operations::create_process(config, None, |id| {
            if let Some(terms) = terms {
                family::insert(id, None, terms);
            }
            true
        })
    }
}
