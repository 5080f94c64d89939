//! What may be done with an interpreter by the one inside: programs run, and what becomes of their exceptions.
//!
//! What is always in line here: without it a run takes 5 instructions more.

mod coroutine;
mod exchange;
mod files;
mod namespaces;
mod objects;

use std::cell::RefMut;
use std::ffi::CString;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use pyo3_ffi as ffi;

use crate::data::config::{Budget, RunOptions};
use crate::data::error::{Error, Result, Status};
use crate::data::source::Source;
use crate::local::attach::Attached;
use crate::local::convert::from_python;
use crate::local::cures::parser_memory;
use crate::local::interpreter::budget::Spending;
use crate::local::interpreter::code_cache::{CodeCache, Mode, whole_lines};
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::inside::Inside;
use crate::local::interpreter::protected;
use crate::local::interpreter::shared::Shared;
use crate::local::memory::account::Work;
use crate::local::objects::namespaces::Namespace;
use crate::local::python::object::Object;
use crate::local::python::snapshot;

/// How much work reading an exception may be.
const READING: Duration = Duration::from_secs(1);

/// An interpreter that the calling thread has claimed, and is attached to, in one of its namespaces.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    py: Attached<'a>,
    shared: &'a Arc<Shared>,
    inside: &'a Inside,
    /// Where it is done.
    namespace: &'a Namespace,
}

impl Deref for Context<'_> {
    type Target = Inside;

    #[inline(always)]
    fn deref(&self) -> &Inside {
        self.inside
    }
}

impl<'a> Context<'a> {
    #[inline(always)]
    pub(super) fn new(py: Attached<'a>, shared: &'a Arc<Shared>, inside: &'a Inside) -> Self {
        let namespace = &inside.main;
        Self {
            py,
            shared,
            inside,
            namespace,
        }
    }

    /// The proof that it is attached.
    pub(crate) fn attached(&self) -> Attached<'a> {
        self.py
    }

    /// Runs a program.
    #[inline(always)]
    pub(crate) fn run(&self, source: &[u8], options: &RunOptions) -> Result<()> {
        self.evaluate(Mode::Program, source, options).map(drop)
    }

    /// As [`run`](Self::run), with the defaults: a large one that ran last is found without its length.
    #[inline(always)]
    pub(crate) fn run_source(&self, program: &impl Source) -> Result<()> {
        let cache = self.code.borrow_mut();
        let Some(code) = cache.last_large(program).map(Object::as_ptr) else {
            let (mode, options) = (Mode::Program, &RunOptions::DEFAULT);
            return self
                .evaluate_by(cache, mode, program.text(), options)
                .map(drop);
        };
        drop(cache);
        self.shared.stats.hit();
        // SAFETY: the cache keeps it until Python does.
        unsafe { self.execute(code, || program.text(), &RunOptions::DEFAULT) }.map(drop)
    }

    /// Evaluates a program or an expression.
    #[inline(always)]
    fn evaluate(&self, mode: Mode, source: &[u8], options: &RunOptions) -> Result<Object> {
        self.evaluate_by(self.code.borrow_mut(), mode, source, options)
    }

    #[inline(always)]
    fn evaluate_by(
        &self,
        mut cache: RefMut<'_, CodeCache>,
        mode: Mode,
        source: &[u8],
        options: &RunOptions,
    ) -> Result<Object> {
        let kept = cache.get(mode, options.filename, source);
        let kept = kept.map(Object::as_ptr);
        drop(cache);
        if let Some(code) = kept {
            self.shared.stats.hit();
            // SAFETY: the cache keeps it until Python does.
            return unsafe { self.execute(code, || source, options) };
        }
        let code = self.compile(mode, source, options)?;
        let (count, bytes) = (self.code.borrow().len(), self.code.borrow().bytes());
        self.shared.stats.miss(count, bytes);
        // SAFETY: it is ours.
        unsafe { self.execute(code.as_ptr(), || source, options) }
    }

    /// Does `work`, with a limit on its time or its time measured.
    pub(crate) fn timed<T>(
        &self,
        options: &RunOptions,
        work: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        self.shared.stats.measure(|| {
            let limit = |time| Deadline::new(self.shared, time, options.on_deadline.clone());
            let deadline = options.timeout.map(limit).transpose()?;
            let outcome = match options.budget == Budget::NONE {
                true => work(self),
                false => self.within(options.budget, work),
            };
            outcome.map_err(|error| match &deadline {
                Some(deadline) => deadline.error(error),
                None => error,
            })
        })
    }

    /// Does `work`, which may use so much.
    #[cold]
    fn within<T>(&self, budget: Budget, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let spending = Spending::new(self.shared, budget)?;
        work(self).map_err(|error| spending.error(error))
    }

    /// As [`do_and_flush`](Self::do_and_flush), in an interpreter whose runs have a budget.
    #[cold]
    pub(super) fn do_within_budget<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.within(self.shared.budget.get(), |context| {
            context.do_and_flush(work)
        })
    }

    /// Does `work`, and hands on what was written.
    #[inline(always)]
    pub(crate) fn do_and_flush<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let outcome = work(self);
        match self.flush(self.py) {
            Some(()) => outcome,
            None => self.not_flushed(outcome),
        }
    }

    /// What becomes of a run whose output can't be written: its script was not told.
    #[cold]
    fn not_flushed<T>(&self, outcome: Result<T>) -> Result<T> {
        let error = self.exception(b"", None);
        self.flush_stderr(self.py);
        outcome.and(Err(error))
    }

    /// # Safety
    /// A code object that lives until it runs: from then on Python keeps it.
    #[inline(always)]
    unsafe fn execute<'s>(
        &self,
        code: *mut ffi::PyObject,
        source: impl FnOnce() -> &'s [u8],
        options: &RunOptions,
    ) -> Result<Object> {
        let namespace = self.namespace.globals().as_ptr();
        // SAFETY: attached, and by the caller's promise; the result is ours.
        match unsafe { Object::owned(self.py, ffi::PyEval_EvalCode(code, namespace, namespace)) } {
            Some(result) => Ok(result),
            None => Err(self.exception(source(), options.filename)),
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
        self.shared.work_begins(Work::Own);
        // SAFETY: attached; strings that end in a NUL; the result is new.
        let code = Object::text(self.py, &filename).and_then(|name| unsafe {
            Object::owned(
                self.py,
                ffi::Py_CompileStringObject(
                    c_text.as_ptr(),
                    name.as_ptr(),
                    match mode {
                        Mode::Program => ffi::Py_file_input,
                        Mode::Expression => ffi::Py_eval_input,
                    },
                    &mut flags,
                    -1,
                ),
            )
        });
        self.shared.work_begins(Work::Script);
        let Some(code) = code else {
            parser_memory::raise(self.py);
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
        let (cache, modules) = (self.code.clone(), self.modules.clone());
        let request = self.shared.forget_request(self.py);
        // The script's own code may run when an exception is read, and needs a limit, too.
        let _deadline = Deadline::of_work(self.shared, READING).ok();
        self.shared.work_begins(Work::Exception);
        // A run inside of this one, which a script of the exception's makes, has one of its own.
        let mut describer = self.describer.take();
        let source = |name: &str| {
            if Some(name) == filename {
                return std::str::from_utf8(source).ok().map(whole_lines);
            }
            let run = cache.borrow().source(name);
            run.or_else(|| modules.borrow().source(name))
        };
        let read = |args: &Object| from_python::read_or_describe(self.py, args, &self.owner);
        let told = request.map(|request| (request.status(), request.message()));
        let error = snapshot::take(self.py, &mut describer, told, source, read);
        self.describer.set(describer);
        self.shared.forget_request(self.py);
        if request.is_some() {
            protected::release_import_locks(self.py);
        }
        self.shared.work_begins(Work::Script);
        error
    }
}
