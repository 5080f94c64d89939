//! See [`type_versions`](super).

mod assign;
mod counter;

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use pyo3_ffi as ffi;

use self::assign::Versions;
use crate::local::attach::Attached;
use crate::local::cures::type_versions_apart::Range;
use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
use crate::local::python::method::{Method, method};
use crate::local::python::object::{Object, clear_exception, import};

/// The first version that an interpreter may give; 0: CPython counts.
static FIRST: AtomicU32 = AtomicU32::new(0);
/// Has the main interpreter import as before. Used while that is attached.
static UNDO: AtomicPtr<ffi::PyObject> = AtomicPtr::new(null_mut());

/// Ends CPython's counter, and gives the types of the main interpreter their versions, from now on. To be
/// called while that is attached. `None`: an exception is set.
pub(crate) fn take_over(py: Attached<'_>) -> Option<()> {
    let none = Object::none(py)?;
    let undo = after_each_import(py, &none)?;
    match counter::end(py) {
        Some(first) => {
            assign::begin(first);
            FIRST.store(first, Ordering::Relaxed);
            UNDO.store(undo.into_ptr(), Ordering::Relaxed);
            assign::give_versions(py, None)
        }
        None => undo.call(py, &[]).map(drop),
    }
}

/// CPython counts again, since the host goes on with its Python. To be called while the main interpreter is
/// attached.
pub(crate) fn hand_back(py: Attached<'_>) {
    if FIRST.swap(0, Ordering::Relaxed) != 0 {
        counter::restart(assign::end());
        // SAFETY: attached; the reference was put there by `take_over`.
        let undo = unsafe { Object::owned(py, UNDO.swap(null_mut(), Ordering::Relaxed)) };
        undo.and_then(|undo| undo.call(py, &[]));
        clear_exception(py);
    }
}

/// Gives the types of the attached interpreter, a new one, their versions, from now on: those of a range of its own, or
/// those that each has. `None`: an exception is set.
pub(crate) fn install(py: Attached<'_>, apart: Option<&Range>) -> Option<()> {
    let first = FIRST.load(Ordering::Relaxed);
    if first == 0 {
        return Some(());
    }
    let own = match apart {
        Some(range) => range.of_immutable(),
        None => assign::own_from(first),
    };
    // SAFETY: attached; a block of so many bytes, which are written before they are read.
    let versions = unsafe {
        let length = size_of::<Versions>() as isize;
        let versions = ffi::PyByteArray_FromStringAndSize(std::ptr::null(), length);
        let versions = Object::owned(py, versions)?;
        versions_in(&versions).set(own.start, own.end);
        versions
    };
    after_each_import(py, &versions)?;
    // SAFETY: what was made just now.
    assign::give_versions(py, Some(unsafe { versions_in(&versions) }))
}

/// # Safety
/// A bytearray of a [`Versions`]' size.
unsafe fn versions_in(bytes: &Object) -> &Versions {
    // SAFETY: the caller's promise; they are a block of their own, and used by one thread at a time.
    unsafe { &*ffi::PyByteArray_AsString(bytes.as_ptr()).cast() }
}

static AFTER: EmbeddedCode = EmbeddedCode::new(
    OF_IMPORT,
    c"
def after_each_import(give_versions, frozen, external):
    builtin, extension = frozen.BuiltinImporter, external.ExtensionFileLoader
    execute_builtin, execute = builtin.exec_module, extension.exec_module

    def exec_builtin_module(module):
        execute_builtin(module)
        give_versions()

    def exec_module(self, module):
        execute(self, module)
        give_versions()

    def undo():
        builtin.exec_module = staticmethod(execute_builtin)
        extension.exec_module = execute

    builtin.exec_module = staticmethod(exec_builtin_module)
    extension.exec_module = exec_module
    return undo
",
);

static GIVE_VERSIONS: Method = Method::new(c"give_versions", after_import, ffi::METH_NOARGS);

/// Has the attached interpreter give new types their versions whenever it has imported an extension module.
/// `versions`: a bytearray with those of its own; None in the main interpreter. The answer undoes it;
/// `None`: an exception is set.
fn after_each_import(py: Attached<'_>, versions: &Object) -> Option<Object> {
    let after = EmbeddedCode::function(py, &AFTER.run(py)?, c"after_each_import")?;
    let give = GIVE_VERSIONS.bind(py, Some(versions))?;
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(|name| import(py, name));
    after.call(py, &[&give, &frozen?, &external?])
}

method!(after_import, |py, Some(versions), _| {
    // SAFETY: bound to what `after_each_import` was given.
    let own = (!versions.is_none(py)).then(|| unsafe { versions_in(versions) });
    assign::give_versions(py, own)?;
    Object::none(py)
});
