//! Programs in files, imports, and modules whose source the host has.

use super::{Backend, Interpreter};
use crate::data::config::FileOptions;
use crate::data::error::{Error, Result, Status};
use crate::local::interpreter as local;
use crate::local::interpreter::modules::Module;

impl Interpreter {
    /// Runs a program that is in a file, as `python PATH` does: `sys.argv[0]`, `sys.path[0]`, `__file__` and `__name__` are its
    /// own. It may be a folder or a zip file with a `__main__.py`, or a module, as for `python -m`. `NotFound` if there is none.
    ///
    /// ```
    /// # use subpy_core::{FileOptions, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let error = interpreter.run_file("/nowhere.py", &FileOptions::default()).unwrap_err();
    /// assert_eq!(error.status(), Status::NotFound);
    /// interpreter.add_module("tool", b"import sys; given = sys.argv[1:]", None)?;
    /// let options = FileOptions { is_module: true, arguments: Some(&["-v"]), ..FileOptions::default() };
    /// interpreter.run_file("tool", &options)?;
    /// interpreter.run("assert given == ['-v']")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn run_file(&self, path: &str, options: &FileOptions<'_>) -> Result<()> {
        if options.run.filename.is_some() {
            let message = "filename is for strings: a file has its own name";
            return Err(Error::new(Status::InvalidArgument, message));
        }
        // A process may be in another folder than this one.
        let whole = std::path::absolute(path).ok();
        let whole = whole.as_ref().and_then(|path| path.to_str());
        let file = (!options.is_module).then(|| whole.unwrap_or(path));
        match &self.0 {
            Backend::Local(local) => local.run_file(file, path, options),
            Backend::Process(far) => far.run_file(file, path, options),
        }
    }

    /// Imports a module as `import` does, and gives it no name. `NotFound` if there is none.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.import("email.message")?;
    /// interpreter.run("import sys; assert 'email.message' in sys.modules and 'email' not in globals()")?;
    /// assert_eq!(interpreter.import("no_such_module").unwrap_err().status(), Status::NotFound);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn import(&self, module: &str) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.import(module),
            Backend::Process(far) => far.import(module),
        }
    }

    /// Adds a module, whose source this is: imports find it before those in files. `filename` is what tracebacks call it, and
    /// its `__file__`.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.add_module("app.settings", b"debug = True", Some("settings.py"))?;
    /// interpreter.run("from app import settings; assert settings.debug")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn add_module(&self, name: &str, source: &[u8], filename: Option<&str>) -> Result<()> {
        let module = Module::new(name, source, filename)?;
        match &self.0 {
            Backend::Local(local) => local.add_module(module),
            Backend::Process(far) => far.add_module(&module),
        }
    }

    /// As [`add_module`](Self::add_module), to every interpreter that is created from now on until the runtime is finalized.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// Interpreter::add_module_everywhere("settings", b"debug = True", None)?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import settings; assert settings.debug")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn add_module_everywhere(name: &str, source: &[u8], filename: Option<&str>) -> Result<()> {
        local::Interpreter::add_module_everywhere(Module::new(name, source, filename)?)
    }
}
