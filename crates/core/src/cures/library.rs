//! Functions of the standard library that are ours: an interpreter gets them when it imports their module. The
//! cures that have such functions say which, and why.

use std::ffi::CStr;
use std::ptr::{from_ref, null_mut};

use pyo3_ffi as ffi;

use crate::python::method::{Function, Method};
use crate::python::object::{Object, import};
use crate::python::own_code::{OF_IMPORT, OwnCode};

/// Our functions of one module.
pub(crate) struct Functions {
    module: &'static CStr,
    code: OwnCode,
    call: Method,
}

impl Functions {
    /// `code` defines `replace(module, call)`, which puts the functions into the module. `call` takes a tuple.
    pub(crate) const fn new(module: &'static CStr, code: &'static CStr, call: Function) -> Self {
        Self {
            module,
            code: OwnCode::new(OF_IMPORT, code),
            call: Method::new(c"call", call, ffi::METH_VARARGS),
        }
    }
}

static AFTER: OwnCode = OwnCode::new(
    OF_IMPORT,
    c"
def after_import(replacers, frozen, external):
    import sys
    builtin, extension = frozen.BuiltinImporter, external.ExtensionFileLoader
    execute_builtin, execute = builtin.exec_module, extension.exec_module

    def imported(module):
        replace = replacers.get(module.__name__)
        if replace is not None:
            replace(module)

    def exec_builtin_module(module):
        execute_builtin(module)
        imported(module)

    def exec_module(self, module):
        execute(self, module)
        imported(module)

    builtin.exec_module = staticmethod(exec_builtin_module)
    extension.exec_module = exec_module
    for name in replacers:
        if name in sys.modules:
            imported(sys.modules[name])
",
);

/// Has the attached interpreter get these functions. `None`: an exception is set.
pub(crate) fn install(all: &[&'static Functions]) -> Option<()> {
    static REPLACE: Method = Method::new(c"replace", replace, ffi::METH_O);
    let after = OwnCode::function(&AFTER.run()?, c"after_import")?;
    // SAFETY: attached; new references.
    let replacers = unsafe { Object::owned(ffi::PyDict_New())? };
    for functions in all {
        // SAFETY: attached; live objects; a C string.
        unsafe {
            let address = from_ref::<Functions>(functions).cast_mut().cast();
            let address = Object::owned(ffi::PyLong_FromVoidPtr(address))?;
            let replace = REPLACE.bind(Some(&address))?;
            let name = functions.module.as_ptr();
            if ffi::PyDict_SetItemString(replacers.as_ptr(), name, replace.as_ptr()) != 0 {
                return None;
            }
        }
    }
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(import);
    after.call(&[&replacers, &frozen?, &external?]).map(drop)
}

/// `replace(module)`: puts our functions into a module that was just imported.
unsafe extern "C" fn replace(
    address: *mut ffi::PyObject,
    module: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let put = || {
        // SAFETY: called by Python, attached, with the address that `install` has given it: of a static.
        let (functions, module) = unsafe {
            let functions: *const Functions = ffi::PyLong_AsVoidPtr(address).cast_const().cast();
            (&*functions, Object::borrowed(module)?)
        };
        let replace = OwnCode::function(&functions.code.run()?, c"replace")?;
        replace.call(&[&module, &functions.call.bind(None)?])
    };
    put().map_or(null_mut(), Object::into_ptr)
}

/// An argument of a call, in UTF-8 and without a NUL. `None`: it is no such text.
///
/// # Safety
/// Called by Python, attached, with a tuple.
pub(crate) unsafe fn argument(
    arguments: *mut ffi::PyObject,
    index: isize,
) -> Option<std::ffi::CString> {
    // SAFETY: the caller's promise; a borrowed reference.
    let text = unsafe { Object::borrowed(ffi::PyTuple_GetItem(arguments, index))?.to_text()? };
    std::ffi::CString::new(text).ok()
}

/// Bytes for Python; `None`: an exception is set.
pub(crate) fn bytes(data: &[u8]) -> Option<Object> {
    // SAFETY: attached; so many bytes, which are copied; a new reference.
    unsafe {
        let (data, length) = (data.as_ptr().cast(), data.len() as isize);
        Object::owned(ffi::PyBytes_FromStringAndSize(data, length))
    }
}
