//! Defect: CPython refuses an extension module that is not made for a GIL of its own, and does not say what takes it. It
//! refuses some of its own, too, which other modules import without need. On 3.12, `xml` says that there is no expat.
//!
//! Has it: 3.12 and later.
//!
//! Cure: the ImportError names the way out. In the place of a refused `_tracemalloc` an interpreter gets one that does not
//! trace and can't start to, so that `tracemalloc` can be imported and asked. `faulthandler` is made empty, in all versions,
//! and filled by [`faulthandler`](crate::interpreter).

use super::library::Functions;
use crate::python::object::import;
use crate::python::own_code::{OF_IMPORT, OwnCode};

static INSTALL: OwnCode = OwnCode::new(
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
                e.msg = f'{e.msg}: it needs an interpreter with subpy_interpreter_config::gil = SUBPY_GIL_SHARED'
                e.args = e.msg,
                raise

        return create_module

    builtin, extension = frozen.BuiltinImporter, external.ExtensionFileLoader
    builtin.create_module = staticmethod(wrapped(builtin.create_module))
    extension.create_module = wrapped(extension.create_module)
",
);

/// Has the attached interpreter say so. `None`: an exception is set.
pub(super) fn install() -> Option<()> {
    let wrap = OwnCode::function(&INSTALL.run()?, c"wrap")?;
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(import);
    wrap.call(&[&frozen?, &external?]).map(drop)
}

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"_tracemalloc", c"xml.etree.ElementTree", c"xml.sax"],
    c"
def replacers(call, put):
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

    def fill(module):
        if hasattr(module, 'start'):
            return

        def start(nframe=1, /):
            raise RuntimeError(
                'tracemalloc traces the memory of the whole process: '
                'it needs an interpreter with subpy_interpreter_config::gil = SUBPY_GIL_SHARED'
            )

        nothing = lambda: None
        module.start, module.stop, module.clear_traces, module.reset_peak = start, nothing, nothing, nothing
        module.is_tracing = lambda: False
        module.get_traceback_limit = lambda: 1
        module.get_traced_memory = lambda: (0, 0)
        module.get_tracemalloc_memory = lambda: 0
        module._get_traces = list
        module._get_object_traceback = lambda obj, /: None

    return {
        '_tracemalloc': fill,
        'xml.etree.ElementTree': lambda module: say_why(
            module.XMLParser.__init__, 'No module named expat; use SimpleXMLTreeBuilder instead'
        ),
        'xml.sax': lambda module: say_why(module.make_parser, 'No parsers found'),
    }
",
);
