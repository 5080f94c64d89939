//! Modules whose source the host has given: `import` finds them before those in files. What has modules in it is a package.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ops::Bound;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3_ffi as ffi;

use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::functions::names::is_identifier;
use crate::local::interpreter::code_cache::whole_lines;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Method, method};

const MODULES: &CStr = c"subpy.modules";

/// The first finder has the modules that were added, and the last one the packages that are only there for what is in them.
static FINDERS: EmbeddedCode = EmbeddedCode::new(
    OF_IMPORT,
    c"
def install(find):
    import sys
    from _frozen_importlib import ModuleSpec, _call_with_frames_removed

    class Loader:
        def __init__(self, text, filename):
            self.text = text
            self.filename = filename

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            _call_with_frames_removed(exec, self.get_code(module.__name__), module.__dict__)

        def get_code(self, name):
            return _call_with_frames_removed(compile, self.text, self.filename, 'exec', 0, True)

        def get_source(self, name):
            return self.text

        def is_package(self, name):
            return find(name)[2]

    class Finder:
        def __init__(self, implicit):
            self.implicit = implicit

        def find_spec(self, name, path=None, target=None):
            found = find(name)
            if found is None or (found[0] is None) is not self.implicit:
                return None
            text, filename, is_package, has_file = found
            loader = None if text is None else Loader(text, filename)
            spec = ModuleSpec(name, loader, origin=filename, is_package=is_package)
            spec.has_location = has_file
            return spec

    sys.meta_path.insert(0, Finder(False))
    sys.meta_path.append(Finder(True))
",
);

/// A module that the host has given.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: Box<str>,
    pub(crate) source: Box<str>,
    /// `None`: it is in no file.
    pub(crate) file: Option<Box<str>>,
}

impl Module {
    /// Fails for what can't be a module.
    pub(crate) fn new(name: &str, source: &[u8], file: Option<&str>) -> Result<Arc<Self>> {
        let invalid = |message| Err(Error::new(Status::InvalidArgument, message));
        if !name.split('.').all(is_identifier) {
            return invalid(format!("name {name:?} can't be a module's name"));
        }
        let text = match std::str::from_utf8(source) {
            Ok(text) => text,
            Err(wrong) => {
                let at = wrong.valid_up_to();
                return invalid(format!(
                    "the source is not UTF-8: the byte at offset {at} is wrong"
                ));
            }
        };
        if let Some(at) = text.find('\0') {
            return invalid(format!("the source has a NUL character, at offset {at}"));
        }
        Ok(Arc::new(Self {
            name: name.into(),
            source: text.strip_prefix('\u{feff}').unwrap_or(text).into(),
            file: file.map(Into::into),
        }))
    }

    /// What tracebacks call it.
    fn filename(&self) -> String {
        let file = self.file.as_deref().map(str::to_owned);
        file.unwrap_or_else(|| format!("<{}>", self.name))
    }
}

/// Those of every interpreter that is created from now on. The lock is held to look at them or to change them.
static EVERYWHERE: Mutex<Vec<Arc<Module>>> = Mutex::new(Vec::new());

fn everywhere() -> MutexGuard<'static, Vec<Arc<Module>>> {
    EVERYWHERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds it to every interpreter that is created from now on.
pub(crate) fn add_everywhere(module: Arc<Module>) {
    let mut all = everywhere();
    all.retain(|other| other.name != module.name);
    all.push(module);
}

/// Those that were added everywhere so far.
pub(crate) fn added_everywhere() -> Vec<Arc<Module>> {
    everywhere().clone()
}

/// Forgets those: Python is left.
pub(crate) fn forget_everywhere() {
    everywhere().clear();
}

/// Those of an interpreter, by their names.
#[derive(Default)]
pub(crate) struct Modules(BTreeMap<Box<str>, Arc<Module>>);

impl Modules {
    /// Adds one to the attached interpreter, in the place of one of that name. `None`: an exception is set.
    pub(crate) fn add(
        this: &Rc<RefCell<Self>>,
        py: Attached<'_>,
        module: Arc<Module>,
    ) -> Option<()> {
        if this.borrow().0.is_empty() {
            keep(py, MODULES, &capsule(py, MODULES, Rc::downgrade(this))?)?;
            let install = EmbeddedCode::function(py, &FINDERS.run(py)?, c"install")?;
            install.call(py, &[&FIND.bind(py, None)?])?;
        }
        let old = this.borrow_mut().0.insert(module.name.clone(), module);
        drop(old);
        Some(())
    }

    /// The source that tracebacks call `filename`, with a line's end at its end.
    pub(crate) fn source(&self, filename: &str) -> Option<String> {
        let found = self
            .0
            .values()
            .find(|module| module.filename() == filename)?;
        Some(whole_lines(&found.source))
    }

    /// Whether there are modules in the package of this name.
    fn is_package(&self, name: &str) -> bool {
        let inside = format!("{name}.");
        let from = (Bound::Included(&*inside), Bound::Unbounded);
        let next = self.0.range::<str, _>(from).next();
        next.is_some_and(|(name, _)| name.starts_with(&inside))
    }
}

static FIND: Method = Method::new(c"find", find, ffi::METH_VARARGS);

// `find(name)`: its source, what tracebacks call it, whether it is a package, and whether that is a file. None: there is none.
method!(find, |py, _, Some(arguments)| {
    let name = arguments.at(py, 0)?.to_text(py)?;
    let capsule = kept(py, MODULES)?;
    let modules: &Weak<RefCell<Modules>> = value_of(py, &capsule, MODULES);
    let Some(modules) = modules.upgrade() else {
        return Object::none(py);
    };
    let (module, is_package) = {
        let modules = modules.borrow();
        (modules.0.get(&*name).cloned(), modules.is_package(&name))
    };
    let is_package_object = Object::bool(py, is_package)?;
    match module {
        Some(module) => {
            let source = Object::text(py, &module.source)?;
            let filename = Object::text(py, &module.filename())?;
            let has_file = Object::bool(py, module.file.is_some())?;
            Object::tuple(py, &[&source, &filename, &is_package_object, &has_file])
        }
        None if is_package => {
            let none = Object::none(py)?;
            let no = Object::bool(py, false)?;
            Object::tuple(py, &[&none, &none, &is_package_object, &no])
        }
        None => Object::none(py),
    }
});
