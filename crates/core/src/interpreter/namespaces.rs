//! Namespaces: several scripts in one interpreter.

use super::{Backend, Interpreter};
use crate::data::error::Result;

impl Interpreter {
    /// Adds a namespace: another set of globals over the same modules, which is a module of this name.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.add_namespace("plugin")?;
    /// let options = RunOptions { in_namespace: Some("plugin"), ..RunOptions::default() };
    /// interpreter.run_with(b"x = 1; assert __name__ == 'plugin'", &options)?;
    /// assert_eq!(interpreter.eval("x").unwrap_err().status(), Status::Exception);
    /// interpreter.run("import plugin; assert plugin.x == 1")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn add_namespace(&self, name: &str) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.add_namespace(name),
            Backend::Process(far) => far.add_namespace(name),
        }
    }

    /// Removes a namespace, and the names in it, with what only they had. `Busy` while a run is in it.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.add_namespace("plugin")?;
    /// interpreter.remove_namespace("plugin")?;
    /// assert_eq!(interpreter.remove_namespace("plugin").unwrap_err().status(), Status::NotFound);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn remove_namespace(&self, name: &str) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.remove_namespace(name),
            Backend::Process(far) => far.remove_namespace(name),
        }
    }
}
