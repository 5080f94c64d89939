//! Python code of ours: compiled once in the process, and read back in each interpreter that needs it.

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception};

unsafe extern "C" {
    fn PyMarshal_WriteObjectToString(
        object: *mut ffi::PyObject,
        version: c_int,
    ) -> *mut ffi::PyObject;
    fn PyMarshal_ReadObjectFromString(
        data: *const c_char,
        size: ffi::Py_ssize_t,
    ) -> *mut ffi::PyObject;
}

/// For code that stands in the import system: tracebacks leave frames of this name out.
pub(crate) const OF_IMPORT: &CStr = c"<frozen importlib._bootstrap_external>";

const MODULE_OF_IMPORT: &str = "importlib._bootstrap_external";

/// What the globals of code of ours have, and those of no other code.
const MARK: &CStr = c"__subpy__";

/// Whether code of ours may have this file name. Others may have it, too.
pub(super) fn may_be_ours(filename: &str) -> bool {
    filename.starts_with("<subpy") || filename.as_bytes() == OF_IMPORT.to_bytes()
}

/// Whether code with these globals is ours.
pub(super) fn are_ours(py: Attached<'_>, globals: &Object) -> bool {
    globals.item(py, MARK).is_some()
}

/// A program that defines functions.
pub(crate) struct EmbeddedCode {
    source: &'static CStr,
    filename: &'static CStr,
    /// What it was compiled to, marshalled.
    compiled: OnceLock<Vec<u8>>,
}

impl EmbeddedCode {
    /// A text that ends in a NUL.
    pub(crate) const fn text(text: &'static str) -> &'static CStr {
        match CStr::from_bytes_with_nul(text.as_bytes()) {
            Ok(text) => text,
            Err(_) => panic!("a text has a NUL at its end, and no other one"),
        }
    }

    pub(crate) const fn new(filename: &'static CStr, source: &'static CStr) -> Self {
        Self {
            source,
            filename,
            compiled: OnceLock::new(),
        }
    }

    /// Runs it in the attached interpreter. The answer is what it has defined; `None`: an exception is set.
    pub(crate) fn run(&self, py: Attached<'_>) -> Option<Object> {
        let namespace = Object::dict(py)?;
        if self.filename == OF_IMPORT {
            // Debuggers skip frames by the name of their module.
            let name = Object::text(py, MODULE_OF_IMPORT)?;
            namespace.set_item(py, c"__name__", &name)?;
        }
        self.run_in(py, &namespace)?;
        Some(namespace)
    }

    /// As [`run`](Self::run), in a dict.
    pub(crate) fn run_in(&self, py: Attached<'_>, namespace: &Object) -> Option<()> {
        let at = namespace.as_ptr();
        namespace.set_item(py, MARK, &Object::bool(py, true)?)?;
        // SAFETY: attached; the results are new references.
        unsafe {
            let code = Object::owned(
                py,
                match self.compiled.get() {
                    Some(compiled) => {
                        let data = compiled.as_ptr().cast();
                        PyMarshal_ReadObjectFromString(data, compiled.len() as isize)
                    }
                    None => self.compile(py),
                },
            )?;
            ffi::PyDict_SetItemString(at, c"__builtins__".as_ptr(), ffi::PyEval_GetBuiltins());
            Object::owned(py, ffi::PyEval_EvalCode(code.as_ptr(), at, at)).map(drop)
        }
    }

    /// Compiles it, so that those find it compiled that this process forks. `None`: an exception is set.
    pub(crate) fn compile_now(&self, py: Attached<'_>) -> Option<()> {
        if self.compiled.get().is_some() {
            return Some(());
        }
        // SAFETY: attached; a new reference.
        unsafe { Object::owned(py, self.compile(py)) }.map(drop)
    }

    /// A function of what it has defined.
    pub(crate) fn function(py: Attached<'_>, namespace: &Object, name: &CStr) -> Option<Object> {
        namespace.item(py, name)
    }

    /// # Safety
    /// The result is a new reference.
    #[cold]
    unsafe fn compile(&self, py: Attached<'_>) -> *mut ffi::PyObject {
        /// 3.14 has constants that are slices.
        const VERSION: c_int = if cfg!(Py_3_14) { 5 } else { 4 };
        // SAFETY: attached; C strings; a live object.
        unsafe {
            let (source, name) = (self.source.as_ptr(), self.filename.as_ptr());
            let Some(code) =
                Object::owned(py, ffi::Py_CompileString(source, name, ffi::Py_file_input))
            else {
                return std::ptr::null_mut();
            };
            let bytes = PyMarshal_WriteObjectToString(code.as_ptr(), VERSION);
            if let Some(bytes) = Object::owned(py, bytes) {
                let copy = bytes.bytes(py).unwrap_or_default().to_vec();
                self.compiled.get_or_init(|| copy);
            }
            // What can't be kept is compiled each time.
            clear_exception(py);
            code.into_ptr()
        }
    }
}
