//! Python as a whole: started or joined, counted, finalized.

use std::path::PathBuf;

use crate::data::config::{InterpreterConfig, RuntimeConfig};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::interpreter::Interpreter;
use crate::local;
use crate::local::cures::signal_checks;
use crate::local::{cures, runtime_phase};
use crate::process;
use crate::process::all;
use crate::scripting;

/// What a Python can or can't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Interpreters with a GIL of their own.
    OwnGil,
    /// The `allow_*` fields of an interpreter's config are enforced.
    Restrictions,
    /// The memory of interpreters can be counted and limited.
    MemoryAccounts,
    /// Interpreters in processes of their own.
    Processes,
    /// A time limit and an interrupt end waits in C. Known once Python is initialized.
    InterruptWaits,
    /// They end computations in C that look for signals. Known once Python is initialized.
    InterruptComputations,
}

/// One count of the runtime, given back when it is dropped.
#[derive(Debug)]
pub struct Runtime(());

impl Runtime {
    /// Starts Python, or joins the one that runs already. See [`retain`].
    ///
    /// ```
    /// let runtime = subpy_core::Runtime::initialize(&Default::default())?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn initialize(config: &RuntimeConfig) -> Result<Self> {
        retain(Some(config))?;
        Ok(Self(()))
    }

    /// Gives the count back, and says how that went. See [`release`].
    ///
    /// ```
    /// let runtime = subpy_core::Runtime::initialize(&Default::default())?;
    /// runtime.finalize()?;
    /// assert!(!subpy_core::runtime::is_initialized());
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn finalize(self) -> Result<()> {
        std::mem::forget(self);
        release()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = release();
    }
}

/// Starts Python, or joins the one that runs already; counts. `None` asks for nothing in particular:
/// the defaults, or what there is.
///
/// ```
/// use subpy_core::runtime;
///
/// runtime::retain(None)?;
/// runtime::release()?;
/// # Ok::<(), subpy_core::Error>(())
/// ```
pub fn retain(config: Option<&RuntimeConfig>) -> Result<()> {
    let config = config.map(with_absolute_paths);
    local::runtime::retain(config.as_ref(), scripting::prepare_main)
}

/// A relative path is meant from the folder that the process is in now.
fn with_absolute_paths(config: &RuntimeConfig) -> RuntimeConfig {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    RuntimeConfig {
        worker: config.worker.as_ref().map(absolute),
        ..config.clone()
    }
}

/// Gives back one [`retain`]. The last one destroys the interpreters, and finalizes Python unless the
/// host started it. `Busy`: nothing has happened.
///
/// ```
/// use subpy_core::{Status, runtime};
///
/// assert_eq!(runtime::release().unwrap_err().status(), Status::NotInitialized);
/// ```
pub fn release() -> Result<()> {
    local::runtime::release(all::end_all)
}

/// What `main` of a worker's program does first, with its only argument: nothing, if it is not started as one. Else it does
/// not return.
///
/// ```
/// subpy_core::worker_main(b"--help");
/// ```
pub fn worker_main(argument: &[u8]) {
    process::worker_main(argument, scripting::IN_WORKERS);
}

/// Whether Python is initialized, as far as subpy is concerned.
///
/// ```
/// assert!(!subpy_core::runtime::is_initialized());
/// ```
pub fn is_initialized() -> bool {
    runtime_phase::ready().is_ok()
}

/// The ids of all interpreters, in ascending order.
///
/// ```
/// use subpy_core::runtime;
///
/// runtime::retain(None)?;
/// assert_eq!(runtime::list_all()?, [runtime::main()?]);
/// runtime::release()?;
/// # Ok::<(), subpy_core::Error>(())
/// ```
pub fn list_all() -> Result<Vec<Id>> {
    runtime_phase::ready()?;
    Ok(Interpreter::ids())
}

/// The main interpreter's id.
///
/// ```
/// use subpy_core::runtime;
///
/// assert!(runtime::main().is_err()); // There is none before Python is initialized.
/// ```
pub fn main() -> Result<Id> {
    runtime_phase::ready()?;
    Ok(Id::MAIN)
}

/// The interpreter whose code runs in the calling thread now.
///
/// ```
/// # use subpy_core::{FunctionOptions, HostCall, Interpreter, InterpreterConfig, Runtime, Value};
/// use subpy_core::{Status, runtime};
///
/// # let runtime = Runtime::initialize(&Default::default())?;
/// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
/// let id = interpreter.id();
/// let check = Box::new(move |_: &mut HostCall<'_>, _: &[Value<'_>]| {
///     assert_eq!(runtime::current().unwrap(), id);
/// });
/// interpreter.define("host", "check", &FunctionOptions::default(), check)?;
/// interpreter.run("import host; host.check()")?;
/// assert_eq!(runtime::current().unwrap_err().status(), Status::NotFound);
/// # interpreter.destroy()?;
/// # Ok::<(), subpy_core::Error>(())
/// ```
pub fn current() -> Result<Id> {
    runtime_phase::ready()?;
    let here = local::runtime::current().or_else(all::stayed_in_here);
    here.ok_or_else(|| {
        let message = "no code of an interpreter that subpy knows runs in this thread";
        Error::new(Status::NotFound, message)
    })
}

/// The main interpreter becomes like this, where code may run in it ([`RuntimeConfig::allow_main`]). Once. Its callbacks are
/// called until Python is finalized.
///
/// ```
/// # use subpy_core::{Id, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status, runtime};
/// # let config = RuntimeConfig { allow_main: true, ..RuntimeConfig::default() };
/// # let runtime = Runtime::initialize(&config)?;
/// let config = InterpreterConfig { recursion_limit: 100, ..InterpreterConfig::default() };
/// runtime::configure_main(config)?;
/// Interpreter::find(Id::MAIN)?.run("import sys; assert sys.getrecursionlimit() == 100")?;
/// let again = runtime::configure_main(InterpreterConfig::default()).unwrap_err();
/// assert_eq!(again.status(), Status::NotPermitted);
/// # Ok::<(), subpy_core::Error>(())
/// ```
pub fn configure_main(config: InterpreterConfig) -> Result<()> {
    local::interpreter::Interpreter::configure_main(config)
}

/// The version of the Python library that is loaded.
///
/// ```
/// assert!(subpy_core::runtime::python_version().starts_with("3."));
/// ```
pub fn python_version() -> &'static str {
    cures::python_version()
}

/// Whether the Python that is loaded can do something.
///
/// ```
/// use subpy_core::{Feature, runtime};
///
/// let own_gil = runtime::supports(Feature::OwnGil);
/// assert_eq!(own_gil, runtime::supports(Feature::MemoryAccounts));
/// ```
pub fn supports(feature: Feature) -> bool {
    match feature {
        Feature::OwnGil | Feature::Restrictions | Feature::MemoryAccounts => cfg!(Py_3_12),
        Feature::Processes => true,
        Feature::InterruptWaits => signal_checks::ends_waits(),
        Feature::InterruptComputations => signal_checks::ends_computations(),
    }
}
