//! What is kept of an interpreter, for the one inside.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::data::config::{CacheLimits, Input, Output};
use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::data::object_handle::Home;
use crate::local::attach::Attached;
use crate::local::cures::import_first::LoadedExtensions;
use crate::local::cures::type_versions_apart::Range;
use crate::local::functions::names::Names;
use crate::local::interpreter::code_cache::CodeCache;
use crate::local::interpreter::input;
use crate::local::interpreter::modules::Modules;
use crate::local::interpreter::output;
use crate::local::interpreter::output::{Name, OutputMeter};
use crate::local::interpreter::resources;
use crate::local::memory::account::Account;
use crate::local::objects::namespaces::Namespace;
use crate::local::objects::owner::{Access, Owner};
use crate::local::objects::release::Loans;
use crate::local::python::exception;
use crate::local::python::gc_pause::collect;
use crate::local::python::object::{Object, clear_exception, import, in_sys, set_in_sys};
use crate::local::python::snapshot::Describer;

/// References into an interpreter. They are used and dropped while it is attached.
pub(crate) struct Inside {
    pub(super) main: Namespace,
    stdout: Option<output::Handle>,
    stderr: Option<output::Handle>,
    pub(super) code: Rc<RefCell<CodeCache>>,
    pub(super) modules: Rc<RefCell<Modules>>,
    /// Where the modules of the program are that was run from a file: the first place of `sys.path`.
    pub(super) place: Cell<Option<Object>>,
    pub(super) names: Names,
    pub(super) owner: Rc<Owner>,
    /// How many strings without a name of their own were compiled.
    pub(super) unnamed: Cell<u64>,
    pub(super) describer: Cell<Option<Describer>>,
    pub(super) extensions: LoadedExtensions,
    /// The main interpreter has become what it was to be.
    pub(super) is_configured: bool,
    /// Its types' versions, with the shared GIL.
    pub(super) apart: Option<Range>,
}

pub(super) fn not_prepared(py: Attached<'_>) -> Error {
    let (status, why) = match exception::raised(py) {
        Some(exception) => (
            resources::status_of(py, &exception),
            exception::line_of(py, &exception),
        ),
        None => (Status::Internal, "no exception".into()),
    };
    Error::new(status, format!("a new interpreter can't be used: {why}"))
}

impl Inside {
    /// Takes hold of what is needed of the attached interpreter, and has it search some paths first.
    pub(crate) fn new(
        py: Attached<'_>,
        home: &Arc<Home>,
        module_search_paths: &[PathBuf],
        cache: CacheLimits,
        account: Option<&'static Account>,
        access: Access,
    ) -> Result<Self> {
        let main = import(py, c"__main__").ok_or_else(|| not_prepared(py))?;
        let globals = main.names(py);
        search_first(py, module_search_paths).ok_or_else(|| not_prepared(py))?;
        let main = Namespace::main(globals.ok_or_else(|| not_prepared(py))?);
        Ok(Self {
            stdout: None,
            stderr: None,
            code: Rc::new(RefCell::new(CodeCache::new(cache))),
            modules: Rc::default(),
            place: Cell::default(),
            names: Names::new(),
            owner: Owner::new(py, home, account, access, &main),
            main,
            unnamed: Cell::new(0),
            describer: Cell::new(None),
            extensions: LoadedExtensions::default(),
            is_configured: false,
            apart: None,
        })
    }

    /// It imports from these places, and from no others.
    pub(crate) fn search(&self, py: Attached<'_>, places: &[String]) -> Result<()> {
        let search = || set_in_sys(py, c"path", &Object::list_of(py, places)?);
        self.prepared(py, search())
    }

    /// `None`: the exception that is set is why it can't be used.
    pub(crate) fn prepared(&self, py: Attached<'_>, done: Option<()>) -> Result<()> {
        done.ok_or_else(|| not_prepared(py))
    }

    /// What is its own.
    pub(crate) fn owner(&self) -> &Rc<Owner> {
        &self.owner
    }

    pub(crate) fn take_streams(
        &mut self,
        py: Attached<'_>,
        id: Id,
        stdout: Option<Output>,
        stderr: Option<Output>,
        bytes: bool,
        meter: &Arc<OutputMeter>,
    ) -> Result<()> {
        let install = |name, sink| {
            output::install(py, id, name, sink, bytes, meter).ok_or_else(|| not_prepared(py))
        };
        self.stdout = install(Name::Stdout, stdout)?;
        self.stderr = install(Name::Stderr, stderr)?;
        Ok(())
    }

    /// What its programs get: their arguments, where they import from first, and what they read.
    pub(crate) fn take_program(
        &self,
        py: Attached<'_>,
        arguments: &[String],
        search_paths: &[PathBuf],
        stdin: Option<Input>,
    ) -> Result<()> {
        let take = || {
            if !arguments.is_empty() {
                set_in_sys(py, c"argv", &Object::list_of(py, arguments)?)?;
            }
            search_first(py, search_paths)?;
            stdin.map_or(Some(()), |stdin| input::install(py, self.owner.id, stdin))
        };
        self.prepared(py, take())
    }

    /// What is written to the process's streams goes here from now on. The cache is empty, and has these limits.
    pub(crate) fn become_like(
        &mut self,
        py: Attached<'_>,
        (stdout, stderr): (Option<Output>, Option<Output>),
        bytes: bool,
        cache: CacheLimits,
        meter: &Arc<OutputMeter>,
    ) -> Option<()> {
        self.code.borrow_mut().set_limits(cache);
        let id = self.owner.id;
        let replace =
            |name, installed, sink| output::replace(py, id, name, installed, sink, bytes, meter);
        replace(Name::Stdout, &mut self.stdout, stdout)?;
        replace(Name::Stderr, &mut self.stderr, stderr)
    }

    /// How many buffers of its objects the host holds.
    pub(crate) fn pins(&self) -> usize {
        self.owner.pins.get()
    }

    /// Whether it has loaded extension modules from outside of the standard library: to be asked at its end.
    pub(crate) fn extensions(&self) -> LoadedExtensions {
        self.extensions.clone()
    }

    /// What it has borrowed of the host.
    pub(crate) fn loans(&self) -> Loans {
        self.owner.loans.clone()
    }

    /// The names of `__main__` and of the namespaces go, and what only they had.
    pub(crate) fn forget_names(&self, py: Attached<'_>) {
        self.owner.namespaces.clear(py);
        self.main.clear(py);
        collect(py);
    }

    /// Hands on what was written and waits in our streams. `None`: what went to stdout can't be written.
    #[inline]
    pub(super) fn flush(&self, py: Attached<'_>) -> Option<()> {
        if let Some(stdout) = &self.stdout {
            stdout.flush(py)?;
        }
        self.flush_stderr(py);
        Some(())
    }

    /// Python says nothing of a stderr that can't be written.
    #[inline]
    pub(super) fn flush_stderr(&self, py: Attached<'_>) {
        if let Some(stderr) = &self.stderr
            && stderr.flush(py).is_none()
        {
            clear_exception(py);
        }
    }
}

/// Imports look there before they look anywhere else. `None`: an exception is set.
fn search_first(py: Attached<'_>, places: &[PathBuf]) -> Option<()> {
    if places.is_empty() {
        return Some(());
    }
    let path = in_sys(py, c"path")?;
    for (i, place) in (0..).zip(places) {
        let place = Object::text(py, &place.to_string_lossy())?;
        // SAFETY: attached; live objects.
        if unsafe { ffi::PyList_Insert(path.as_ptr(), i, place.as_ptr()) } != 0 {
            return None;
        }
    }
    Some(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Its objects may keep the owner.
        self.owner.namespaces.forget();
    }
}
