//! Defect: CPython refuses an extension module that is not made for a GIL of its own, and does not say what takes it. It
//! refuses some of its own, too, which other modules import without need. On 3.12, `xml` says that there is no expat.
//!
//! Has it: 3.12 and later.
//!
//! Cure: the ImportError names the way out. A refused `_tracemalloc` is made empty, and filled by
//! [`tracemalloc`](super::tracemalloc); `faulthandler` in all versions, by [`faulthandler`](crate::local::interpreter).

use super::stdlib_functions::Functions;
use crate::local::attach::Attached;
use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
use crate::local::python::object::import;

static INSTALL: EmbeddedCode = EmbeddedCode::new(
    OF_IMPORT,
    c"
def wrap(frozen, external):
    import sys
    REFUSED = 'does not support loading in subinterpreters'

    def wrapped(create):
        def create_module(*arguments):
            spec = arguments[-1]
            if spec.name == 'faulthandler':
                return type(sys)(spec.name)
            try:
                return create(*arguments)
            except ImportError as e:
                if REFUSED not in str(e):
                    raise
                if spec.name == '_tracemalloc':
                    return type(sys)(spec.name)
                e.msg = f'{e.msg}: it needs an interpreter with subpy_interpreter_config::gil = SUBPY_GIL_SHARED, or a process of its own, SUBPY_BACKEND_PROCESS'
                e.args = e.msg,
                raise

        return create_module

    builtin, extension = frozen.BuiltinImporter, external.ExtensionFileLoader
    builtin.create_module = staticmethod(wrapped(builtin.create_module))
    extension.create_module = wrapped(extension.create_module)
",
);

/// Has the attached interpreter say so. `None`: an exception is set.
pub(super) fn install(py: Attached<'_>) -> Option<()> {
    let wrap = EmbeddedCode::function(py, &INSTALL.run(py)?, c"wrap")?;
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(|name| import(py, name));
    wrap.call(py, &[&frozen?, &external?]).map(drop)
}

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"xml.etree.ElementTree", c"xml.sax"],
    c"
def replacers(call, put, at_end):
    import sys

    def say_why(function, text):
        if sys.version_info[:2] != (3, 12):
            return
        try:
            import pyexpat
        except ImportError as e:
            code, why = function.__code__, f'{text}: {e}'
            constants = tuple(why if constant == text else constant for constant in code.co_consts)
            function.__code__ = code.replace(co_consts=constants)

    return {
        'xml.etree.ElementTree': lambda module: say_why(
            module.XMLParser.__init__, 'No module named expat; use SimpleXMLTreeBuilder instead'
        ),
        'xml.sax': lambda module: say_why(module.make_parser, 'No parsers found'),
    }
",
);
