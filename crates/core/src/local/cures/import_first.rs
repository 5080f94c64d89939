//! Defect: an extension module that is imported by a subinterpreter before the main one has it leaves
//! things of that subinterpreter in C statics, where the next one finds them, and the main one at its
//! end:
//! - to 3.11: two subinterpreters that import a single-phase module (`_asyncio`) at once, in two threads,
//!   run its initialization at once, each time the GIL is passed on in it;
//! - gh-117953, 3.12: a single-phase module (`_datetime`, `_decimal`, ...) runs its whole initialization
//!   in the subinterpreter before it is refused there; a second run replaces entries of static types;
//! - gh-117398, 3.12 and 3.13 (to 3.13.18 at least): the first importer of `_datetime` allocates what
//!   hangs on its static types, the last one to end frees it;
//! - 3.12: `_zoneinfo` finds no C API in a `datetime` whose `_datetime` was refused and raises
//!   AttributeError, where `zoneinfo` takes its Python code only after an ImportError.
//!
//! Has it: 3.13 and before.
//!
//! Cure: before a subinterpreter creates an extension module of the standard library for the first time in the
//! process, the main interpreter imports it. What is refused afterwards is refused before its initialization
//! runs. Its price is paid on first use; nothing is imported at start. And that AttributeError is made an
//! ImportError.
//!
//! A module from elsewhere is left to the interpreter that imports it: some accept one interpreter of a
//! process, and the main one would take that chance. Only where 3.12 runs its initialization too early, to
//! refuse it then, the main interpreter runs that: 3.12 does so with modules that are not initialized in phases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::local::attach::Attached;

/// Whether an interpreter has created an extension module from outside of the standard library. Nobody knows
/// what such a module keeps in C. (Known to 3.13; later on nobody asks.)
#[derive(Clone, Default)]
pub(crate) struct LoadedExtensions(Arc<AtomicBool>);

impl LoadedExtensions {
    #[cfg(not(Py_3_14))]
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does some work in the main interpreter, whose GIL it waits for.
pub(crate) type InMain = fn(work: &mut dyn FnMut(Attached<'_>));

#[cfg(Py_3_14)]
mod cure {
    use crate::local::attach::Attached;

    /// Nothing to do in this version.
    pub(crate) fn install(
        _: Attached<'_>,
        _own_gil: bool,
        _: super::InMain,
    ) -> Option<super::LoadedExtensions> {
        Some(super::LoadedExtensions::default())
    }
}

#[cfg(not(Py_3_14))]
mod cure {
    use std::collections::HashSet;
    use std::ffi::CStr;

    use std::sync::{Mutex, PoisonError};

    use pyo3_ffi as ffi;

    use super::{InMain, LoadedExtensions};
    use crate::local::attach::Attached;
    use crate::local::cures::strptime;
    use crate::local::python::capsule::{capsule, value_of};
    use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
    use crate::local::python::method::{Method, method};
    use crate::local::python::object::{Object, clear_exception, import};

    /// Puts the cure before the two loaders of extension modules.
    static INSTALL: EmbeddedCode = EmbeddedCode::new(
        OF_IMPORT,
        c"
def wrap(first, frozen, external):
    import sys
    version = '%d.%d' % sys.version_info[:2]
    library = f'{sys.base_exec_prefix}/{sys.platlibdir}/python{version}/lib-dynload/'
    create_dynamic = external.ExtensionFileLoader.create_module
    create_builtin = frozen.BuiltinImporter.create_module
    execute = external.ExtensionFileLoader.exec_module

    def create_module(self, spec):
        first(spec.name, spec.origin, spec.origin.startswith(library))
        return create_dynamic(self, spec)

    def create_builtin_module(spec):
        first(spec.name, spec.origin, True)
        return create_builtin(spec)

    def exec_module(self, module):
        try:
            execute(self, module)
        except AttributeError as e:
            if 'datetime_CAPI' not in str(e):
                raise
            raise ImportError(f'{self.name} needs _datetime: {e}', name=self.name) from e

    external.ExtensionFileLoader.create_module = create_module
    external.ExtensionFileLoader.exec_module = exec_module
    frozen.BuiltinImporter.create_module = staticmethod(create_builtin_module)
",
    );

    /// In the main interpreter: imports a module of the standard library, if that is what it would import under
    /// this name itself. Of anything else it runs only the part that CPython runs too early, where it does.
    static IMPORT: EmbeddedCode = EmbeddedCode::new(
        OF_IMPORT,
        c"
def is_in_phases(origin):
    import _io
    with _io.open_code(origin) as file:
        return b'PyModuleDef_Init' in file.read()

def load(name, origin, of_library, too_early):
    import sys, _imp
    from importlib.machinery import BuiltinImporter, ExtensionFileLoader, ModuleSpec, PathFinder
    if name in sys.modules:
        return
    if of_library:
        spec = BuiltinImporter.find_spec(name) or PathFinder.find_spec(name)
        if spec is not None and spec.origin == origin:
            __import__(name)
            return
    if too_early and not is_in_phases(origin):
        _imp.create_dynamic(ModuleSpec(name, ExtensionFileLoader(name, origin), origin=origin))
",
    );

    /// What the main interpreter has, or can't import. Held to look or to add, never over an import.
    static DONE: Mutex<Option<HashSet<String>>> = Mutex::new(None);

    fn is_done(name: &str) -> bool {
        let done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        done.as_ref().is_some_and(|done| done.contains(name))
    }

    fn set_done(name: String) {
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        done.get_or_insert_default().insert(name);
    }

    /// What an interpreter's `first` knows of it: what its capsule holds.
    struct Of {
        /// CPython runs the initialization of modules that it refuses then.
        too_early: bool,
        in_main: InMain,
        extensions: LoadedExtensions,
    }

    const NAME: &CStr = c"subpy.import_first";

    /// Has the attached interpreter, a new one, ask the main one first. `None`: an exception is set.
    pub(crate) fn install(
        py: Attached<'_>,
        own_gil: bool,
        in_main: InMain,
    ) -> Option<LoadedExtensions> {
        let wrap = EmbeddedCode::function(py, &INSTALL.run(py)?, c"wrap")?;
        let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
        let [frozen, external] = modules.map(|name| import(py, name));
        let extensions = LoadedExtensions::default();
        let of = Of {
            too_early: own_gil && cfg!(all(Py_3_12, not(Py_3_13))),
            in_main,
            extensions: extensions.clone(),
        };
        let capsule = capsule(py, NAME, of)?;
        let first = FIRST.bind(py, Some(&capsule))?;
        wrap.call(py, &[&first, &frozen?, &external?])?;
        Some(extensions)
    }

    /// Calls the function in [`IMPORT`].
    fn load(
        py: Attached<'_>,
        name: &str,
        origin: &str,
        of_library: bool,
        too_early: bool,
    ) -> Option<()> {
        let load = EmbeddedCode::function(py, &IMPORT.run(py)?, c"load")?;
        let flag = |flag: bool| Object::bool(py, flag);
        let (name, origin) = (Object::text(py, name)?, Object::text(py, origin)?);
        load.call(py, &[&name, &origin, &flag(of_library)?, &flag(too_early)?])?;
        Some(())
    }

    static FIRST: Method = Method::new(c"first", first, ffi::METH_VARARGS);

    // `first(name, origin, of_library)`: returns when the main interpreter has the module, or can't have it.
    method!(first, |py, Some(capsule), Some(arguments)| {
        let of = value_of::<Of>(py, capsule, NAME);
        let text = [0, 1].map(|i| arguments.at(py, i)?.to_text(py));
        let of_library = arguments.at(py, 2)?.is_true(py);
        if !of_library {
            of.extensions.set();
        }
        if let [Some(name), Some(origin)] = text
            && (of_library || of.too_early)
            && !is_done(&name)
        {
            (of.in_main)(&mut |py| {
                load(py, &name, &origin, of_library, of.too_early);
                clear_exception(py);
                if name == "_datetime" {
                    strptime::cure(py);
                    clear_exception(py);
                }
            });
            set_done(name);
        }
        clear_exception(py);
        Object::none(py)
    });
}

pub(crate) use cure::install;
