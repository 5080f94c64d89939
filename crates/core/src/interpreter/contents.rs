//! What is kept of an interpreter while it lives, and what a run does with it.

mod coroutine;
mod exchange;

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use pyo3_ffi as ffi;

use crate::data::config::{CacheLimits, Output, RunOptions};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::interpreter::code_cache::{CodeCache, Mode, whole_lines};
use crate::interpreter::control::Control;
use crate::interpreter::deadline::Deadline;
use crate::interpreter::faulthandler;
use crate::interpreter::foreign_threads;
use crate::interpreter::output;
use crate::interpreter::output::Name;
use crate::interpreter::protected;
use crate::interpreter::registry;
use crate::interpreter::resources;
use crate::interpreter::signals;
use crate::interpreter::sources;
use crate::local::attach;
use crate::local::convert::from_python;
use crate::local::cures;
use crate::local::cures::Environment;
use crate::local::cures::import_first::Outside;
use crate::local::cures::parser_memory;
use crate::local::cures::type_versions_apart::Range;
use crate::local::functions::names::Names;
use crate::local::memory::account::Work;
use crate::local::objects::local::Local;
use crate::local::objects::release::Ledger;
use crate::local::phase;
use crate::local::python::exception;
use crate::local::python::exception::Describer;
use crate::local::python::object::{Object, clear_exception, import};

/// How much work reading an exception may be.
const READING: Duration = Duration::from_secs(1);

/// References into an interpreter. They are used and dropped while it is attached.
pub(crate) struct Contents {
    /// The namespace of `__main__`.
    namespace: Object,
    stdout: Option<output::Handle>,
    stderr: Option<output::Handle>,
    code: Rc<RefCell<CodeCache>>,
    names: Names,
    local: Rc<Local>,
    /// How many strings without a name of their own were compiled.
    unnamed: Cell<u64>,
    describer: Cell<Option<Describer>>,
    outside: Outside,
    /// Its types' versions, with the shared GIL.
    apart: Option<Range>,
    control: Arc<Control>,
}

fn not_prepared() -> Error {
    let (status, why) = match exception::raised() {
        Some(exception) => (
            resources::status_of(&exception),
            exception::line_of(&exception),
        ),
        None => (Status::Internal, "no exception".into()),
    };
    Error::new(status, format!("a new interpreter can't be used: {why}"))
}

/// Does some work in an interpreter that its pins keep.
fn visit(id: Id, work: &mut dyn FnMut()) {
    let _ = phase::ready().and_then(|_| {
        // SAFETY: it is not ended.
        registry::with(id, |interpreter| unsafe {
            interpreter.visit(work);
            Ok(())
        })
    });
}

impl Contents {
    /// Takes hold of what is needed of the attached interpreter, and has it search some paths first.
    pub(crate) fn new(
        id: Id,
        module_search_paths: &[PathBuf],
        cache: CacheLimits,
        control: &Arc<Control>,
    ) -> Result<Self> {
        let main = import(c"__main__").ok_or_else(not_prepared)?;
        // SAFETY: attached; a module has a dict; `sys.path` is borrowed.
        let (namespace, path) = unsafe {
            (
                Object::borrowed(ffi::PyModule_GetDict(main.as_ptr())),
                Object::borrowed(ffi::PySys_GetObject(c"path".as_ptr())),
            )
        };
        for (i, place) in module_search_paths.iter().enumerate() {
            let place = Object::text(&place.to_string_lossy()).ok_or_else(not_prepared)?;
            let path = path.as_ref().ok_or_else(not_prepared)?;
            // SAFETY: attached; live objects.
            if unsafe { ffi::PyList_Insert(path.as_ptr(), i as isize, place.as_ptr()) } != 0 {
                return Err(not_prepared());
            }
        }
        Ok(Self {
            namespace: namespace.ok_or_else(not_prepared)?,
            stdout: None,
            stderr: None,
            code: Rc::new(RefCell::new(CodeCache::new(cache))),
            names: Names::new(),
            local: Local::new(id, control.account, visit),
            unnamed: Cell::new(0),
            describer: Cell::new(None),
            outside: Outside::default(),
            apart: None,
            control: control.clone(),
        })
    }

    /// It imports from these places, and from no others.
    pub(crate) fn search(&self, places: &[String]) -> Result<()> {
        let search = || {
            // SAFETY: attached; a new list, which takes the new references.
            unsafe {
                let path = Object::owned(ffi::PyList_New(0))?;
                for place in places {
                    let place = Object::text(place)?;
                    if ffi::PyList_Append(path.as_ptr(), place.as_ptr()) != 0 {
                        return None;
                    }
                }
                (ffi::PySys_SetObject(c"path".as_ptr(), path.as_ptr()) == 0).then_some(())
            }
        };
        self.prepared(search())
    }

    /// `None`: the exception that is set is why it can't be used.
    pub(crate) fn prepared(&self, done: Option<()>) -> Result<()> {
        done.ok_or_else(not_prepared)
    }

    /// What is its own.
    pub(crate) fn local(&self) -> &Rc<Local> {
        &self.local
    }

    /// Cures what is defective in how the interpreter imports.
    pub(crate) fn cure(&mut self, own_gil: bool, environment: Environment) -> Result<()> {
        self.outside = cures::import_first::install(own_gil, |work| attach::visit_main(work))
            .ok_or_else(not_prepared)?;
        self.cure_functions(environment, true)?;
        self.apart = if own_gil { None } else { Range::take() };
        clear_exception();
        cures::type_versions::install(self.apart.as_ref()).ok_or_else(not_prepared)
    }

    /// Replaces functions of the standard library that reach what all interpreters share. A host's own main
    /// interpreter keeps what it has.
    pub(crate) fn cure_functions(
        &self,
        environment: Environment,
        take_signals: bool,
    ) -> Result<()> {
        let mut others = vec![&foreign_threads::FUNCTIONS, &sources::FUNCTIONS];
        if environment != Environment::OfMain {
            others.push(&faulthandler::FUNCTIONS);
        }
        if take_signals {
            others.push(&signals::FUNCTIONS);
        }
        signals::install(&self.control).ok_or_else(not_prepared)?;
        sources::install(&self.code).ok_or_else(not_prepared)?;
        cures::install_functions(environment, &others).ok_or_else(not_prepared)
    }

    /// Cures what is defective in the main interpreter.
    pub(crate) fn cure_main(&self) -> Result<()> {
        cures::unicode_names::load();
        cures::sigint::import_signal();
        cures::builtin_types::note().ok_or_else(not_prepared)?;
        cures::type_versions::take_over().ok_or_else(not_prepared)
    }

    /// Has the host's end of Python end subpy's interpreters first.
    pub(crate) fn end_before_main(&self) -> Result<()> {
        cures::remaining_interpreters::register().ok_or_else(not_prepared)
    }

    pub(crate) fn take_streams(
        &mut self,
        id: Id,
        stdout: Option<Output>,
        stderr: Option<Output>,
        bytes: bool,
    ) -> Result<()> {
        let install = |name, sink| output::install(id, name, sink, bytes).ok_or_else(not_prepared);
        self.stdout = install(Name::Stdout, stdout)?;
        self.stderr = install(Name::Stderr, stderr)?;
        Ok(())
    }

    /// Runs a program in `__main__`.
    #[inline(always)]
    pub(crate) fn run(&self, source: &[u8], options: &RunOptions) -> Result<()> {
        self.evaluate(Mode::Program, source, options).map(drop)
    }

    /// Evaluates a program or an expression in `__main__`.
    #[inline(always)]
    fn evaluate(&self, mode: Mode, source: &[u8], options: &RunOptions) -> Result<Object> {
        let mut cache = self.code.borrow_mut();
        let kept = cache.get(mode, options.filename, source);
        let kept = kept.map(Object::as_ptr);
        drop(cache);
        if let Some(code) = kept {
            self.control.stats.hit();
            // SAFETY: the cache keeps it until Python does.
            return unsafe { self.execute(code, source, options) };
        }
        let code = self.compile(mode, source, options)?;
        let (count, bytes) = (self.code.borrow().len(), self.code.borrow().bytes());
        self.control.stats.miss(count, bytes);
        // SAFETY: it is ours.
        unsafe { self.execute(code.as_ptr(), source, options) }
    }

    /// As [`run`](Self::run), with a limit on its time or its time measured.
    #[cold]
    pub(crate) fn run_timed(&self, source: &[u8], options: &RunOptions) -> Result<()> {
        self.timed(options, |contents| contents.run(source, options))
    }

    /// Does `work`, with a limit on its time or its time measured.
    pub(crate) fn timed<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let control = self.control.clone();
        control.stats.measure(|| {
            let limit = |time| Deadline::new(&control, time, options.on_deadline.clone());
            let _deadline = options.timeout.map(limit).transpose()?;
            work(self)
        })
    }

    /// How many buffers of its objects the host holds.
    pub(crate) fn pins(&self) -> usize {
        self.local.pins.get()
    }

    /// Whether it has loaded extension modules from outside of the standard library: to be asked at its end.
    pub(crate) fn outside(&self) -> Outside {
        self.outside.clone()
    }

    /// What it has borrowed of the host.
    pub(crate) fn ledger(&self) -> Ledger {
        self.local.ledger.clone()
    }

    /// The names of `__main__` go, and what only they had.
    pub(crate) fn forget_names(&self) {
        // SAFETY: attached; a dict.
        unsafe {
            ffi::PyDict_Clear(self.namespace.as_ptr());
            ffi::PyGC_Collect();
        }
    }

    /// Does `work`, and hands on what was written.
    #[inline(always)]
    pub(crate) fn do_and_flush<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let outcome = work(self);
        match self.flush() {
            Some(()) => outcome,
            None => self.not_flushed(outcome),
        }
    }

    /// Hands on what was written and waits in our streams. `None`: what went to stdout can't be written.
    #[inline(always)]
    fn flush(&self) -> Option<()> {
        if let Some(stdout) = &self.stdout {
            stdout.flush()?;
        }
        self.flush_stderr();
        Some(())
    }

    /// Python says nothing of a stderr that can't be written.
    #[inline(always)]
    fn flush_stderr(&self) {
        if let Some(stderr) = &self.stderr
            && stderr.flush().is_none()
        {
            clear_exception();
        }
    }

    /// What becomes of a run whose output can't be written: its script was not told.
    #[cold]
    fn not_flushed<T>(&self, outcome: Result<T>) -> Result<T> {
        let error = self.exception(b"", None);
        self.flush_stderr();
        outcome.and(Err(error))
    }

    /// # Safety
    /// A code object that lives until it runs: from then on Python keeps it.
    #[inline(always)]
    unsafe fn execute(
        &self,
        code: *mut ffi::PyObject,
        source: &[u8],
        options: &RunOptions,
    ) -> Result<Object> {
        let namespace = self.namespace.as_ptr();
        // SAFETY: attached, and by the caller's promise; the result is ours.
        match unsafe { Object::owned(ffi::PyEval_EvalCode(code, namespace, namespace)) } {
            Some(result) => Ok(result),
            None => Err(self.exception(source, options.filename)),
        }
    }

    /// Compiles `source` and keeps the code.
    #[cold]
    fn compile(&self, mode: Mode, source: &[u8], options: &RunOptions) -> Result<Object> {
        let invalid = |message| Error::new(Status::InvalidArgument, message);
        let text = std::str::from_utf8(source).map_err(|e| {
            let at = e.valid_up_to();
            invalid(format!(
                "the code is not UTF-8: the byte at offset {at} is wrong"
            ))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let c_text = CString::new(text).map_err(|e| {
            let at = e.nul_position();
            invalid(format!("the code has a NUL character, at offset {at}"))
        })?;
        let filename = match options.filename {
            Some(filename) => filename.to_owned(),
            None => {
                self.unnamed.set(self.unnamed.get() + 1);
                match self.unnamed.get() {
                    1 => "<string>".to_owned(),
                    n => format!("<string-{n}>"),
                }
            }
        };
        /// The source is UTF-8 whatever an encoding cookie says.
        const PYCF_SOURCE_IS_UTF8: i32 = 0x0100;
        const PYCF_IGNORE_COOKIE: i32 = 0x0800;
        let mut flags = ffi::PyCompilerFlags {
            cf_flags: PYCF_SOURCE_IS_UTF8 | PYCF_IGNORE_COOKIE,
            cf_feature_version: 0,
        };
        // An interpreter that is full has to be able to run what makes room.
        self.control.work_begins(Work::Own);
        // SAFETY: attached; strings that end in a NUL; the result is new.
        let code = Object::text(&filename).and_then(|name| unsafe {
            Object::owned(ffi::Py_CompileStringObject(
                c_text.as_ptr(),
                name.as_ptr(),
                match mode {
                    Mode::Program => ffi::Py_file_input,
                    Mode::Expression => ffi::Py_eval_input,
                },
                &mut flags,
                -1,
            ))
        });
        self.control.work_begins(Work::Script);
        let Some(code) = code else {
            parser_memory::raise();
            return Err(self.exception(source, Some(&filename)));
        };
        let mut cache = self.code.borrow_mut();
        let gone = cache.insert(mode, options.filename, &filename, source, code.clone());
        drop(cache);
        drop(gone);
        Ok(code)
    }

    /// The exception that is set. `source` was run under `filename`, if it was given one.
    #[cold]
    fn exception(&self, source: &[u8], filename: Option<&str>) -> Error {
        let cache = self.code.clone();
        let request = self.control.forget_request();
        // The script's own code may run when an exception is read, and needs a limit, too.
        let _deadline = Deadline::of_work(&self.control, READING).ok();
        self.control.work_begins(Work::Exception);
        // A run inside of this one, which a script of the exception's makes, has one of its own.
        let mut describer = self.describer.take();
        let source = |name: &str| {
            if Some(name) == filename {
                return std::str::from_utf8(source).ok().map(whole_lines);
            }
            cache.borrow().source(name)
        };
        // SAFETY: attached.
        let read = |args: &Object| unsafe { from_python::read_or_describe(args, &self.local) };
        let told = request.map(|request| (request.status(), request.message()));
        let error = exception::take(&mut describer, told, source, read);
        self.describer.set(describer);
        self.control.forget_request();
        if request.is_some() {
            protected::release_import_locks();
        }
        self.control.work_begins(Work::Script);
        error
    }
}
