//! The handle to an interpreter, whatever stands behind it.

mod files;
mod for_scripts;
mod namespaces;
mod objects;
mod stays;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::data::config::{CallOptions, RunOptions};
use crate::data::conversion::Conversion;
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::source::Source;
use crate::data::tree::OwnedValue;
use crate::local::convert::arguments::Arguments;
use crate::local::functions::host_function::{Definition, FunctionOptions, Handler};
use crate::local::interpreter as local;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::family;
use crate::local::interpreter::registry;
use crate::local::interpreter::stats::Stats;
use crate::local::memory::account::MemoryUsage;
use crate::local::runtime_phase;
use crate::process::all;
use crate::process::host::Remote;

/// A handle to an interpreter. It is cheap to clone, and dropping it does not destroy the interpreter. Once the
/// interpreter is destroyed, calls through the handle are `NotFound`.
///
/// ```
/// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
/// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
/// let interpreter = Interpreter::create(InterpreterConfig::default())?;
/// let other = interpreter.clone();
/// interpreter.destroy()?;
/// assert_eq!(other.run("x = 1").unwrap_err().status(), Status::NotFound);
/// # Ok::<(), subpy_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Interpreter(Backend);

/// What stands behind an interpreter.
#[derive(Clone)]
enum Backend {
    /// An interpreter of CPython's in this process.
    Local(local::Interpreter),
    /// One in a process of its own.
    Process(Arc<Remote>),
}

impl Interpreter {
    /// One of CPython's in this process.
    pub(crate) fn of_local(local: local::Interpreter) -> Self {
        Self(Backend::Local(local))
    }

    /// One that has a process of its own.
    pub(crate) fn of_process(far: Arc<Remote>) -> Self {
        Self(Backend::Process(far))
    }

    /// The interpreter with this id.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let found = Interpreter::find(interpreter.id())?;
    /// assert_eq!(found.id(), interpreter.id());
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn find(id: Id) -> Result<Self> {
        runtime_phase::ready()?;
        let here = registry::get(id).map(Backend::Local);
        let found = here.or_else(|| all::find(id).map(Backend::Process));
        found.map(Self).ok_or_else(|| registry::not_found(id))
    }

    /// Calls `use_it` with the interpreter of this id. It takes no lock if the calling thread has used that before.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// # let id = interpreter.id();
    /// Interpreter::at(id, |interpreter| interpreter.run("x = 1"))?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn at<T>(id: Id, use_it: impl FnOnce(&Interpreter) -> Result<T>) -> Result<T> {
        let interpreter = match registry::take(id) {
            Some(local) => Self(Backend::Local(local)),
            None => Self::find(id)?,
        };
        let result = use_it(&interpreter);
        if let Backend::Local(local) = interpreter.0 {
            registry::put(local);
        }
        result
    }

    /// Its id.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert_ne!(interpreter.id(), subpy_core::runtime::main()?);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn id(&self) -> Id {
        match &self.0 {
            Backend::Local(local) => local.id(),
            Backend::Process(far) => far.id,
        }
    }

    /// Finalizes the interpreter. `Busy` if it runs, or if Python threads of its scripts do.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.destroy()?;
    /// assert!(Interpreter::find(interpreter.id()).is_err());
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn destroy(&self) -> Result<()> {
        self.destroy_within(Duration::ZERO)
    }

    /// As [`destroy`](Self::destroy), but waits up to `timeout` for the Python threads of its scripts
    /// to end. Idle workers of `concurrent.futures` are told to.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import threading; threading.Timer(0.01, print).start()")?;
    /// interpreter.destroy_within(Duration::from_secs(60))?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn destroy_within(&self, timeout: Duration) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.destroy(timeout, false),
            Backend::Process(far) => Self::destroy_far(far, timeout, false, false),
        }
    }

    /// As [`destroy_within`](Self::destroy_within), but asks the threads that are left then to end, by a SystemExit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import threading\ndef work():\n  while True: pass\nthreading.Thread(target=work).start()")?;
    /// interpreter.destroy_and_stop_threads(Duration::ZERO)?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn destroy_and_stop_threads(&self, timeout: Duration) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.destroy(timeout, true),
            Backend::Process(far) => Self::destroy_far(far, timeout, true, false),
        }
    }

    fn destroy_far(far: &Arc<Remote>, timeout: Duration, stop: bool, kill: bool) -> Result<()> {
        far.there()?
            .destroy(&EndOptions::within(timeout, stop), kill)
    }

    /// Ends it at once, whatever it does: each call of it is `Lost` from then on, until it is destroyed. `Unsupported` for an
    /// interpreter in this process.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert_eq!(interpreter.kill().unwrap_err().status(), Status::Unsupported);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn kill(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => {
                let message = format!(
                    "interpreter {} has no process of its own, which could be killed: create it with \
                     SUBPY_BACKEND_PROCESS",
                    local.id()
                );
                Err(Error::new(Status::Unsupported, message))
            }
            Backend::Process(far) => far.there()?.kill(),
        }
    }

    /// As [`destroy`](Self::destroy), but kills it first, if it has a process of its own.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert!(interpreter.destroy_and_kill().is_err());
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn destroy_and_kill(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(_) => self.kill(),
            Backend::Process(far) => Self::destroy_far(far, Duration::ZERO, false, true),
        }
    }

    /// Asks the Python threads that its scripts have started to end, by a SystemExit, again and again for so long. The
    /// answer is how many have not ended. `Busy` if it runs.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import threading\ndef work():\n  while True: pass\nthreading.Thread(target=work).start()")?;
    /// assert_eq!(interpreter.stop_threads(Duration::from_secs(60))?, 0);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn stop_threads(&self, timeout: Duration) -> Result<usize> {
        match &self.0 {
            Backend::Local(local) => local.stop_threads(timeout),
            Backend::Process(far) => far.stop_threads(timeout),
        }
    }

    /// The names of the Python threads that its scripts have started by `threading`, each a str. `Busy` if it runs.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import threading; e = threading.Event()")?;
    /// interpreter.run("threading.Thread(target=e.wait, name='worker').start()")?;
    /// let names = interpreter.thread_names()?;
    /// assert!(matches!(names[0].get().view(), View::Str("worker")));
    /// interpreter.run("e.set()")?;
    /// # interpreter.destroy_within(Duration::from_secs(60))?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn thread_names(&self) -> Result<Vec<OwnedValue>> {
        match &self.0 {
            Backend::Local(local) => local.thread_names(),
            Backend::Process(far) => far.thread_names(),
        }
    }

    /// It does not end with its creator any more, and does not count there. Nothing happens if no script has created it.
    ///
    /// ```
    /// # use subpy_core::{Id, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let config = InterpreterConfig { allow_interpreters: true, ..InterpreterConfig::default() };
    /// let creator = Interpreter::create(config)?;
    /// creator.run("from subpy import interpreters; created = interpreters.create()")?;
    /// let View::Int(id) = creator.eval("created.id")?.get().view() else { panic!() };
    /// let created = Interpreter::find(Id::new(id))?;
    /// created.take_over()?;
    /// creator.destroy()?;
    /// created.run("x = 1")?;
    /// # created.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn take_over(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.take_over(),
            Backend::Process(far) => {
                family::take_over(far.there()?.id);
                Ok(())
            }
        }
    }

    /// Whether a run is under way. The answer may be old by the time it arrives.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert!(!interpreter.is_running()?);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn is_running(&self) -> Result<bool> {
        match &self.0 {
            Backend::Local(local) => local.is_running(),
            Backend::Process(far) => Ok(far.there()?.is_running()),
        }
    }

    /// How much memory it has. Takes no lock and waits for no run.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let error = interpreter.memory_usage().unwrap_err(); // RuntimeConfig::account_memory was not set.
    /// assert_eq!(error.status(), Status::Unsupported);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn memory_usage(&self) -> Result<MemoryUsage> {
        match &self.0 {
            Backend::Local(local) => local.memory_usage(),
            Backend::Process(far) => far.there()?.memory_usage(),
        }
    }

    /// What it has done so far. Takes no lock and waits for no run.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("x = 1")?;
    /// interpreter.run("x = 1")?;
    /// assert_eq!(interpreter.stats()?.code_cache_hits, 1);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn stats(&self) -> Result<Stats> {
        match &self.0 {
            Backend::Local(local) => local.stats(),
            Backend::Process(far) => Ok(far.there()?.stats()),
        }
    }

    /// Asks the run that is under way to end: it gets a KeyboardInterrupt, and returns `Interrupted`.
    /// Nothing happens if there is none. Waits for nobody.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let error = std::thread::scope(|scope| {
    ///     let run = scope.spawn(|| interpreter.run("while True: pass").unwrap_err());
    ///     while !run.is_finished() {
    ///         interpreter.interrupt().unwrap();
    ///         std::thread::yield_now();
    ///     }
    ///     run.join().unwrap()
    /// });
    /// assert_eq!(error.status(), Status::Interrupted);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn interrupt(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.interrupt(),
            Backend::Process(far) => {
                far.there()?.interrupt();
                Ok(())
            }
        }
    }

    /// As [`interrupt`](Self::interrupt), for a signal handler: it takes no lock and no memory, and a thread of ours does it
    /// soon. Two that come at once may count as one.
    ///
    /// ```
    /// # use subpy_core::{Id, Interpreter, Status};
    /// assert_eq!(Interpreter::interrupt_soon(Id::MAIN), Err(Status::NotInitialized));
    /// ```
    pub fn interrupt_soon(id: Id) -> std::result::Result<(), Status> {
        match local::Interpreter::interrupt_soon(id) {
            Err(Status::NotFound) => all::interrupt_soon(id),
            asked => asked,
        }
    }

    /// Runs a program in `__main__`, in the calling thread.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("words = 'names stay from run to run'.split()")?;
    /// interpreter.run("assert len(words) == 6")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn run(&self, code: &str) -> Result<()> {
        self.run_with(code.as_bytes(), &RunOptions::default())
    }

    /// As [`run`](Self::run), for code that need not be UTF-8 and is refused then.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Status};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let options = RunOptions { timeout: Some(Duration::from_millis(50)), ..RunOptions::default() };
    /// let error = interpreter.run_with(b"while True: pass", &options).unwrap_err();
    /// assert_eq!(error.status(), Status::Timeout);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn run_with(&self, code: &[u8], options: &RunOptions) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.run(code, options),
            Backend::Process(far) => far.run(code, options),
        }
    }

    /// As [`run`](Self::run), for a text whose length is not known yet. A large one that ran last is found without it.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// struct Text(&'static str);
    ///
    /// impl subpy_core::Source for Text {
    ///     fn is(&self, text: &std::ffi::CStr) -> bool {
    ///         text.to_bytes() == self.text()
    ///     }
    ///
    ///     fn text(&self) -> &[u8] {
    ///         self.0.as_bytes()
    ///     }
    /// }
    ///
    /// interpreter.run_source(&Text("x = 1"))?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn run_source(&self, program: &impl Source) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.run_source(program),
            Backend::Process(far) => far.run(program.text(), &RunOptions::DEFAULT),
        }
    }

    /// Attaches the interpreter and detaches it: what CPython's pair of calls is compared with.
    #[cfg(feature = "bench")]
    #[doc(hidden)]
    #[inline]
    pub fn attach(&self) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.attach(),
            Backend::Process(far) => far.there().map(drop),
        }
    }

    /// Gives a value a name in `__main__`.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.set("name", &Value::str("Ada"))?;
    /// interpreter.run("assert name.upper() == 'ADA'")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn set<'a>(&self, name: impl AsRef<[u8]>, value: impl Into<Arguments<'a>>) -> Result<()> {
        self.set_with(name, value, &RunOptions::default())
    }

    /// As [`set`](Self::set).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use subpy_core::{Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let options = RunOptions { timeout: Some(Duration::from_secs(60)), ..RunOptions::default() };
    /// interpreter.set_with("x", &Value::int(1), &options)?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn set_with<'a>(
        &self,
        name: impl AsRef<[u8]>,
        value: impl Into<Arguments<'a>>,
        options: &RunOptions<'_>,
    ) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.set(name.as_ref(), value.into(), options),
            Backend::Process(far) => far.set(name.as_ref(), &value.into(), options),
        }
    }

    /// The value that a name has in `__main__`.
    ///
    /// ```
    /// # use subpy_core::{Conversion, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("answer = 6 * 7")?;
    /// let answer = interpreter.get("answer", Conversion::default())?;
    /// assert_eq!(answer.get().view(), View::Int(42));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn get(&self, name: impl AsRef<[u8]>, conversion: Conversion) -> Result<OwnedValue> {
        let mut result = OwnedValue::NONE;
        let options = CallOptions {
            conversion: Some(conversion),
            ..CallOptions::DEFAULT
        };
        self.get_into(name.as_ref(), &options, &mut result)?;
        Ok(result)
    }

    /// As [`get`](Self::get), into a place of the caller's. It is left as it was if the call fails.
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, OwnedValue, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let mut name = OwnedValue::NONE;
    /// interpreter.get_into(b"__name__", &CallOptions::default(), &mut name)?;
    /// assert_eq!(name.get().view(), View::Str("__main__"));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn get_into(
        &self,
        name: &[u8],
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.get(name, options, result),
            Backend::Process(far) => {
                *result = far.get(name, options)?;
                Ok(())
            }
        }
    }

    /// The value of an expression.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// assert_eq!(interpreter.eval("sum(range(10))")?.get().view(), View::Int(45));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn eval(&self, source: impl AsRef<[u8]>) -> Result<OwnedValue> {
        self.eval_with(source, &CallOptions::default())
    }

    /// As [`eval`](Self::eval).
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Conversion, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let conversion = Conversion { lossless_text: true, ..Conversion::default() };
    /// let options = CallOptions { conversion: Some(conversion), ..CallOptions::default() };
    /// let large = interpreter.eval_with("2 ** 64", &options)?;
    /// assert_eq!(large.get().view(), View::BigInt("0x10000000000000000"));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn eval_with(
        &self,
        source: impl AsRef<[u8]>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        match &self.0 {
            Backend::Local(local) => local.eval(source.as_ref(), options),
            Backend::Process(far) => far.eval(source.as_ref(), options),
        }
    }

    /// Calls `name` of `__main__`, or `package.module:qualified.name`, which is imported. A coroutine
    /// is run to its end, as `asyncio.run()` does, and leaves the script's event loop alone.
    ///
    /// ```
    /// # use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let length = interpreter.call("builtins:len", &Value::str("four"))?;
    /// assert_eq!(length.get().view(), View::Int(4));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn call<'a>(
        &self,
        callable: impl AsRef<[u8]>,
        arguments: impl Into<Arguments<'a>>,
    ) -> Result<OwnedValue> {
        self.call_with(callable, arguments, &CallOptions::default())
    }

    /// As [`call`](Self::call).
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, RunOptions, Runtime, RuntimeConfig, Status, Value};
    /// # use std::time::Duration;
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let run = RunOptions { timeout: Some(Duration::from_millis(50)), ..RunOptions::default() };
    /// let options = CallOptions { run, ..CallOptions::default() };
    /// interpreter.run("def forever():\n  while True: pass")?;
    /// let error = interpreter.call_with("forever", &[], &options).unwrap_err();
    /// assert_eq!(error.status(), Status::Timeout);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn call_with<'a>(
        &self,
        callable: impl AsRef<[u8]>,
        arguments: impl Into<Arguments<'a>>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        let mut result = OwnedValue::NONE;
        let arguments = &mut arguments.into();
        self.call_into(callable.as_ref(), arguments, options, &mut result)?;
        Ok(result)
    }

    /// As [`call`](Self::call), into a place of the caller's. It is left as it was if the call fails.
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, Arguments, OwnedValue, Runtime, RuntimeConfig, Value, View};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let (numbers, mut largest) = ([Value::int(3), Value::int(7)], OwnedValue::NONE);
    /// let mut arguments = Arguments::from(&numbers);
    /// interpreter.call_into(b"builtins:max", &mut arguments, &CallOptions::default(), &mut largest)?;
    /// assert_eq!(largest.get().view(), View::Int(7));
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    #[inline]
    pub fn call_into(
        &self,
        callable: &[u8],
        arguments: &mut Arguments<'_>,
        options: &CallOptions<'_>,
        result: &mut OwnedValue,
    ) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.call(callable, arguments, options, result),
            Backend::Process(far) => {
                *result = far.call(callable, arguments, options)?;
                Ok(())
            }
        }
    }

    /// Adds the named values to `__main__`, but for those that start with `__`; runs a program there; and returns
    /// the names that are there then, with their values. Left out are those that start with `__`, and
    /// those whose value can't be shared.
    ///
    /// ```
    /// # use subpy_core::{CallOptions, Interpreter, InterpreterConfig, Arguments, Runtime, RuntimeConfig};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let names = Arguments::new(&[], None);
    /// let left = interpreter.run_unrestricted("x = 1", names, &CallOptions::default())?;
    /// # drop(left);
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn run_unrestricted(
        &self,
        source: impl AsRef<[u8]>,
        names: Arguments<'_>,
        options: &CallOptions<'_>,
    ) -> Result<OwnedValue> {
        match &self.0 {
            Backend::Local(local) => local.run_unrestricted(source.as_ref(), names, options),
            Backend::Process(far) => far.run_unrestricted(source.as_ref(), &names, options),
        }
    }

    /// Puts a function into a module, which is imported, or made if there is none. The handler is
    /// dropped when Python does not need the function any more, when the interpreter has ended, or if
    /// this fails.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// # let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// let answer = Box::new(|call: &mut subpy_core::HostCall<'_>, _: &[Value<'_>]| call.answer(&Value::int(42)));
    /// interpreter.define("host", "answer", &FunctionOptions::default(), answer)?;
    /// interpreter.run("import host; assert host.answer() == 42")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn define(
        &self,
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        match &self.0 {
            Backend::Local(local) => local.define(module, name, options, handler),
            Backend::Process(far) => far.put(Definition::new(module, name, options, handler)?),
        }
    }

    /// As [`define`](Self::define), in every interpreter that is created from now on until the runtime
    /// is finalized.
    ///
    /// ```
    /// # use subpy_core::{FunctionOptions, Interpreter, InterpreterConfig, Runtime, RuntimeConfig, Value};
    /// # let runtime = Runtime::initialize(&RuntimeConfig::default())?;
    /// let answer = Box::new(|call: &mut subpy_core::HostCall<'_>, _: &[Value<'_>]| call.answer(&Value::int(42)));
    /// Interpreter::define_everywhere("host", "answer", &FunctionOptions::default(), answer)?;
    /// let interpreter = Interpreter::create(InterpreterConfig::default())?;
    /// interpreter.run("import host; assert host.answer() == 42")?;
    /// # interpreter.destroy()?;
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn define_everywhere(
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<()> {
        local::Interpreter::define_everywhere(module, name, options, handler)
    }
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interpreter").field(&self.id()).finish()
    }
}
