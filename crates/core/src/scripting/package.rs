//! `import subpy`: its modules are in memory.

use std::ptr::null_mut;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::pickling;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::method::{Method, method};
use crate::local::python::object::Object;
use crate::queue;
use crate::scripting::caller::Caller;
use crate::scripting::functions;

/// Finds the modules, before any in a file.
static FINDER: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    c"
def install(names, fill):
    import sys
    from _frozen_importlib import ModuleSpec

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name in names:
                return ModuleSpec(name, self, origin='subpy', is_package=name == 'subpy')

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            fill(module.__name__, module.__dict__)

    sys.meta_path.insert(0, Finder())
",
);

/// A file beside this one, as a module.
macro_rules! module {
    ($name:literal, $file:literal) => {
        Module {
            name: $name,
            code: EmbeddedCode::new(
                EmbeddedCode::text(concat!("<", $name, ">\0")),
                EmbeddedCode::text(concat!(include_str!($file), "\0")),
            ),
        }
    };
}

struct Module {
    name: &'static str,
    code: EmbeddedCode,
}

static MODULES: [Module; 7] = [
    module!("subpy", "python/package.py"),
    module!("subpy._interpreters", "python/_interpreters.py"),
    module!("subpy._dummy_interpreters", "python/_dummy_interpreters.py"),
    module!("subpy.interpreters", "python/interpreters.py"),
    module!("subpy._executors", "python/_executors.py"),
    module!("subpy._interpreter_pool", "python/_interpreter_pool.py"),
    module!("subpy._process_pool", "python/_process_pool.py"),
];

static FILL: Method = Method::new(c"fill", fill, ffi::METH_VARARGS);

/// Compiles all of it, for those that this process forks. `None`: an exception is set.
pub(super) fn compile_now(py: Attached<'_>) -> Option<()> {
    let modules = MODULES.iter().map(|module| &module.code);
    let mut all = modules.chain([&FINDER, &pickling::FUNCTIONS, &queue::NAMES]);
    all.try_for_each(|code| code.compile_now(py))
}

/// The attached interpreter, which is the caller's, has the package. `None`: an exception is set.
pub(super) fn install(py: Attached<'_>, caller: Caller) -> Option<()> {
    let install = EmbeddedCode::function(py, &FINDER.run(py)?, c"install")?;
    let caller = caller.bound(py)?;
    let names = MODULES.iter().map(|module| Object::text(py, module.name));
    let names: Vec<Object> = names.collect::<Option<_>>()?;
    // SAFETY: attached; a new set, and live objects.
    let set = unsafe { Object::owned(py, ffi::PyFrozenSet_New(null_mut())) }?;
    for name in &names {
        // SAFETY: as above; nobody else has the set yet.
        if unsafe { ffi::PySet_Add(set.as_ptr(), name.as_ptr()) } != 0 {
            return None;
        }
    }
    install
        .call(py, &[&set, &FILL.bind(py, Some(&caller))?])
        .map(drop)
}

/// The module that is asked for by a str.
fn module_of(py: Attached<'_>, name: &Object) -> Option<&'static Module> {
    let name = name.to_text(py)?;
    MODULES.iter().find(|module| module.name == name)
}

// `fill(name, namespace)`: what a module does when it is imported.
method!(fill, |py, Some(this), Some(arguments)| {
    let (name, namespace) = (arguments.at(py, 0)?, arguments.at(py, 1)?);
    let module = module_of(py, &name)?;
    functions::add(py, module.name, this, &namespace, &name)?;
    module.code.run_in(py, &namespace)?;
    functions::added(py, module.name, this, &namespace)?;
    Object::none(py)
});
