//! See [`type_versions`](super).

mod counter;
mod giver;

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use pyo3_ffi as ffi;

use crate::python::method::Method;
use crate::python::object::{Object, clear_exception, import};
use crate::python::own_code::{OF_IMPORT, OwnCode};

/// The first version that an interpreter may give; 0: CPython counts.
static FIRST: AtomicU32 = AtomicU32::new(0);
/// Has the main interpreter import as before. Used while that is attached.
static UNDO: AtomicPtr<ffi::PyObject> = AtomicPtr::new(null_mut());

/// Ends CPython's counter, and gives the types of the main interpreter their versions, from now on. To be
/// called while that is attached. `None`: an exception is set.
pub(crate) fn take_over() -> Option<()> {
    // SAFETY: attached; None lives as long as Python.
    let none = unsafe { Object::borrowed(ffi::Py_None())? };
    let undo = after_each_import(&none)?;
    match counter::end() {
        Some(first) => {
            giver::begin(first);
            FIRST.store(first, Ordering::Relaxed);
            UNDO.store(undo.into_ptr(), Ordering::Relaxed);
            giver::give_versions(None)
        }
        None => undo.call(&[]).map(drop),
    }
}

/// CPython counts again, since the host goes on with its Python. To be called while the main interpreter is
/// attached.
pub(crate) fn hand_back() {
    if FIRST.swap(0, Ordering::Relaxed) != 0 {
        counter::restart(giver::end());
        // SAFETY: attached; the reference was put there by `take_over`.
        let undo = unsafe { Object::owned(UNDO.swap(null_mut(), Ordering::Relaxed)) };
        undo.and_then(|undo| undo.call(&[]));
        clear_exception();
    }
}

/// Gives the types of the attached interpreter, a new one, their versions, from now on. `None`: an exception
/// is set.
pub(crate) fn install() -> Option<()> {
    let first = FIRST.load(Ordering::Relaxed);
    if first == 0 {
        return Some(());
    }
    let bytes = first.to_ne_bytes();
    // SAFETY: attached; the bytes are copied.
    let next = unsafe {
        let next = ffi::PyByteArray_FromStringAndSize(bytes.as_ptr().cast(), 4);
        Object::owned(next)?
    };
    after_each_import(&next)?;
    // SAFETY: what was made just now.
    giver::give_versions(Some(unsafe { number_in(next.as_ptr()) }))
}

/// # Safety
/// A bytearray of four bytes, which lives as long as its number is used.
unsafe fn number_in<'a>(bytes: *mut ffi::PyObject) -> &'a Cell<u32> {
    // SAFETY: the caller's promise; they are a block of their own, and used by one thread at a time.
    unsafe { &*ffi::PyByteArray_AsString(bytes).cast() }
}

static AFTER: OwnCode = OwnCode::new(
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
/// `next`: a bytearray with the next version of its own; None in the main interpreter. The answer undoes it;
/// `None`: an exception is set.
fn after_each_import(next: &Object) -> Option<Object> {
    let after = OwnCode::function(&AFTER.run()?, c"after_each_import")?;
    let give = GIVE_VERSIONS.bind(Some(next))?;
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(import);
    after.call(&[&give, &frozen?, &external?])
}

unsafe extern "C" fn after_import(
    next: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by Python, attached, with what `after_each_import` has given it.
    unsafe {
        let next = (next != ffi::Py_None()).then(|| number_in(next));
        let given = giver::give_versions(next);
        let none = given.and_then(|()| Object::borrowed(ffi::Py_None()));
        none.map_or(null_mut(), Object::into_ptr)
    }
}
