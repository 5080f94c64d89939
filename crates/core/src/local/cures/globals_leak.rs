//! Defect: C code may hold a function and not show it to the garbage collector, as `sqlite3` holds those of
//! `create_function()`. The globals of the function's module then lead back to what holds it, and never go: 560 KiB for an
//! interpreter that ends with such a connection open.
//!
//! Has it: all versions. What a process leaves at its end does not matter to others.
//!
//! Cure: if globals of a script's modules are still there when the modules have gone, all that are there are cleared, and
//! garbage is collected once more. That is when the interpreter's own dictionary goes: CPython allows Python code until
//! then. A mark in these globals tells whether they have gone.

use std::ffi::CStr;

use pyo3_ffi as ffi;

use crate::local::attach::{Attached, Current};
use crate::local::python::capsule::capsule;
use crate::local::python::gc_pause::collect;
use crate::local::python::interpreter_dict::keep;
use crate::local::python::object::{Object, built_in, clear_exception, in_sys};

const NAME: &CStr = c"subpy.globals";

/// To be called while the interpreter is attached, before it is ended.
pub(crate) fn clear_at_end(py: Attached<'_>) {
    let _ = Marked::new(py).and_then(|marked| keep(py, NAME, &capsule(py, NAME, marked)?));
    clear_exception(py);
}

struct Marked {
    mark: Object,
    get_objects: Object,
}

impl Marked {
    /// Marks the globals of each module that is not the standard library's, and of `ctypes`, whose own functions are held
    /// so before 3.13.
    fn new(py: Attached<'_>) -> Option<Self> {
        let get_objects = built_in(py, c"gc")?.attribute(py, c"get_objects")?;
        let mark = Object::int(py, i32::MAX.into())?; // which nobody else has
        let (modules, standard) = (in_sys(py, c"modules")?, in_sys(py, c"stdlib_module_names")?);
        for (name, module) in modules_of(py, &modules) {
            let package = name.to_text(py)?;
            let package = package.split('.').next()?;
            let is_ctypes = package == "ctypes";
            let package = Object::text(py, package)?;
            // SAFETY: attached; live objects.
            let has = unsafe { ffi::PySequence_Contains(standard.as_ptr(), package.as_ptr()) };
            if is_ctypes || has == 0 {
                module.names(py)?.set_item(py, NAME, &mark);
            }
        }
        Some(Self { mark, get_objects })
    }

    fn clear(&self, py: Attached<'_>) {
        // SAFETY: attached; a live object, of which this is one reference.
        if unsafe { ffi::Py_REFCNT(self.mark.as_ptr()) } == 1 {
            return;
        }
        let objects = self.get_objects.call(py, &[]);
        for globals in objects
            .map(|objects| globals_of(py, objects))
            .unwrap_or_default()
        {
            globals.clear(py);
        }
        collect(py);
    }
}

/// It goes with the interpreter's own dictionary.
impl Drop for Marked {
    fn drop(&mut self) {
        let current = Current::get();
        let py = current.attached();
        self.clear(py);
        clear_exception(py);
    }
}

/// The names and the modules of `sys.modules` that are true modules.
fn modules_of(py: Attached<'_>, modules: &Object) -> Vec<(Object, Object)> {
    let mut pairs = modules.pairs(py);
    // SAFETY: attached; live objects.
    pairs.retain(|(_, module)| unsafe { ffi::PyModule_Check(module.as_ptr()) != 0 });
    pairs
}

/// Those of a list that are globals of modules, save for importlib's, which code that still runs may need.
fn globals_of(py: Attached<'_>, objects: Object) -> Vec<Object> {
    let are_globals = |object: &Object| {
        // SAFETY: attached; a live object.
        if unsafe { ffi::PyDict_CheckExact(object.as_ptr()) } == 0 {
            return false;
        }
        let name = object
            .item(py, c"__name__")
            .and_then(|name| name.to_text(py));
        object.item(py, c"__builtins__").is_some()
            && name.is_some_and(|name| !name.starts_with("importlib"))
    };
    objects.items(py).filter(are_globals).collect()
}
