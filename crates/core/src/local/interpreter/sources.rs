//! The sources of the strings that an interpreter has run, and of the modules that its host has given, for scripts:
//! `linecache` has them, so `inspect.getsource()`, debuggers and a script's own tracebacks do. The former are those of the
//! [code cache](super::code_cache), and go with it.

use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::{Rc, Weak};

use crate::local::attach::Attached;
use crate::local::cures::stdlib_functions::Functions;
use crate::local::interpreter::code_cache::CodeCache;
use crate::local::interpreter::modules::Modules;
use crate::local::python::capsule::{capsule, value_of};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::method;
use crate::local::python::object::clear_exception;

const SOURCES: &CStr = c"subpy.sources";

/// Where they are.
type Places = (Weak<RefCell<CodeCache>>, Weak<RefCell<Modules>>);

/// `linecache` gets a cache that has them, too.
pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"linecache"],
    c"
def replacers(call, put, at_end):
    from _io import StringIO

    class Cache(dict):
        def __missing__(self, name):
            source = call(name)
            if source is None:
                raise KeyError(name)
            return len(source), None, StringIO(source, None).readlines(), name

        def __contains__(self, name):
            return dict.__contains__(self, name) or call(name) is not None

        def get(self, name, default=None):
            return self[name] if name in self else default

    def replace(module):
        module.cache = Cache(module.cache)

    return {'linecache': replace}
",
    call,
);

/// The attached interpreter gets what [`FUNCTIONS`] need. `None`: an exception is set.
pub(super) fn install(
    py: Attached<'_>,
    code: &Rc<RefCell<CodeCache>>,
    modules: &Rc<RefCell<Modules>>,
) -> Option<()> {
    let places: Places = (Rc::downgrade(code), Rc::downgrade(modules));
    keep(py, SOURCES, &capsule(py, SOURCES, places)?)
}

// `call(name)`: the source that tracebacks call so. None: there is none.
method!(call, |py, _, Some(arguments)| {
    let source = || {
        let capsule = kept(py, SOURCES)?;
        let (code, modules): &Places = value_of(py, &capsule, SOURCES);
        let (name, code) = (arguments.at(py, 0)?.to_text(py)?, code.upgrade()?);
        let run = code.try_borrow().ok()?.source(&name);
        let source = run.or_else(|| modules.upgrade()?.try_borrow().ok()?.source(&name));
        Object::text(py, &source?)
    };
    source().or_else(|| {
        clear_exception(py);
        Object::none(py)
    })
});
