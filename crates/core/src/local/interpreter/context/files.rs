//! Programs in files, modules that are run as programs, and imports.

use pyo3_ffi as ffi;

use super::Context;
use crate::data::config::FileOptions;
use crate::data::error::{Error, Result, Status};
use crate::local::functions::names;
use crate::local::functions::names::is_identifier;
use crate::local::python::embedded_code::EmbeddedCode;
use crate::local::python::object::Object;

/// `prepare` finds the code of a program, and what its globals get: as `python PATH` and `python -m MODULE`, so the arguments
/// and the place of its modules are in `sys` then. In a namespace these stay as they are. A str says why there is none.
static FILES: EmbeddedCode = EmbeddedCode::new(
    c"<subpy>",
    c"
def importer_of(path):
    import sys
    for hook in sys.path_hooks:
        try:
            return hook(path)
        except ImportError:
            pass

def of_spec(spec, code):
    return code, {
        '__file__': spec.origin, '__cached__': getattr(spec, 'cached', None), '__doc__': None,
        '__loader__': spec.loader, '__package__': spec.parent, '__spec__': spec,
    }

def of_module(name):
    from runpy import _get_module_details

    class Missing(ImportError):
        pass

    try:
        _, spec, code = _get_module_details(name, Missing)
    except Missing as missing:
        return str(missing)
    return *of_spec(spec, code), spec.origin, None

def of_file(path, given, name):
    from _frozen_importlib_external import SourceFileLoader, SourcelessFileLoader
    from io import open_code
    from os.path import dirname, realpath
    importer = importer_of(path)
    if importer is not None:
        importer.invalidate_caches()
        spec = importer.find_spec('__main__')
        if spec is None:
            return f'{given!r} has no __main__.py, so there is nothing to run'
        return *of_spec(spec, spec.loader.get_code('__main__')), given, path
    if path.endswith('.pyc'):
        loader = SourcelessFileLoader(name, path)
    else:
        loader = SourceFileLoader(name, path)
    try:
        with open_code(path) as file:
            source = file.read()
    except FileNotFoundError:
        return f'there is no file {given!r}'
    if path.endswith('.pyc'):
        code = loader.get_code(name)
    else:
        code = compile(source, path, 'exec', dont_inherit=True)
    names = {'__file__': path, '__cached__': None, '__doc__': None, '__loader__': loader, '__package__': None, '__spec__': None}
    return code, names, given, dirname(realpath(path))

def prepare(path, given, arguments, name, last_place):
    import sys
    found = of_module(given) if path is None else of_file(path, given, name)
    if isinstance(found, str):
        return found
    code, names, first, place = found
    if name != '__main__':
        return code, names, None
    sys.argv = [first, *(sys.argv[1:] if arguments is None else arguments)]
    if last_place is not None and sys.path[:1] == [last_place]:
        del sys.path[0]
    if place is not None:
        sys.path.insert(0, place)
    return code, names, place
",
);

impl Context<'_> {
    /// Runs a program that is in a file, in a folder or a zip file with a `__main__.py`, or, where there is no `path`, the
    /// module that is `given`.
    pub(crate) fn run_file(
        &self,
        path: Option<&str>,
        given: &str,
        options: &FileOptions<'_>,
    ) -> Result<()> {
        let prepare = || {
            let function = EmbeddedCode::function(self.py, &FILES.run(self.py)?, c"prepare")?;
            let text = |text: Option<&str>| match text {
                Some(text) => Object::text(self.py, text),
                None => Object::none(self.py),
            };
            let arguments = match options.arguments {
                Some(given) => Object::list_of(self.py, given)?,
                None => Object::none(self.py)?,
            };
            let name = text(Some(self.namespace.name()))?;
            let last = self.place.take();
            let last = last.map_or_else(|| Object::none(self.py), Some)?;
            self.place
                .set(Some(last.clone()).filter(|last| !last.is_none(self.py)));
            function.call(
                self.py,
                &[&text(path)?, &text(Some(given))?, &arguments, &name, &last],
            )
        };
        let prepared = prepare().ok_or_else(|| self.raised())?;
        if let Some(why) = prepared.to_text(self.py) {
            return Err(Error::new(Status::NotFound, why));
        }
        let parts = || {
            let part = |at| prepared.at(self.py, at);
            Some((part(0)?, part(1)?, part(2)?))
        };
        let (code, names, place) = parts().ok_or_else(|| self.raised())?;
        if !place.is_none(self.py) {
            drop(self.place.replace(Some(place)));
        }
        // SAFETY: attached; dicts, of which the keys are strs: no Python code runs.
        if unsafe { ffi::PyDict_Update(self.namespace.globals().as_ptr(), names.as_ptr()) } != 0 {
            return Err(self.raised());
        }
        // SAFETY: it is ours.
        unsafe { self.execute(code.as_ptr(), || b"", &options.run) }.map(drop)
    }

    /// Imports a module, and gives it no name.
    pub(crate) fn import(&self, name: &str) -> Result<()> {
        if !name.split('.').all(is_identifier) {
            let message = format!("module {name:?} can't be a module's name");
            return Err(Error::new(Status::InvalidArgument, message));
        }
        let object = Object::text(self.py, name).ok_or_else(|| self.raised())?;
        let imported = names::module(self.py, &object);
        imported.map(drop).map_err(|missing| self.missing(missing))
    }
}
