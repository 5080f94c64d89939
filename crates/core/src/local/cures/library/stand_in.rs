//! A function in C that stands for one of ours: with the name, the signature and the text of what it replaces. What it
//! calls is an attribute of the module that it is bound to, so Python takes it for a function of a module.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;

use crate::local::attach::{Attached, Current};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::Method;
use crate::local::python::object::{Object, imported};
use crate::local::python::texts::argument;

/// Ours.
const FUNCTION: &CStr = c"function";
/// Asked for ours at each call; None: the call is None.
const CHOOSE: &CStr = c"choose";
/// CPython's.
const REPLACED: &CStr = c"replaced";
/// What is to be done before the first call.
const WAITING: &CStr = c"waiting";

/// What an interpreter keeps: the function that does so.
const AT_FIRST_CALL: &CStr = c"subpy.at_first_call";

pub(super) fn keep_at_first_call(py: Attached<'_>, function: &Object) -> Option<()> {
    keep(py, AT_FIRST_CALL, function)
}

/// Functions in C stand for these functions of a module until one of them is called. `functions` is the address of those
/// that are ours. `None`: an exception is set.
pub(super) fn put_all(
    py: Attached<'_>,
    functions: &Object,
    module: &Object,
    name: &Object,
    names: &[&CStr],
) -> Option<()> {
    let target = Target::new(py, module)?;
    let [waiting, stand_ins] = [(); 2].map(|()| Object::dict(py));
    let (waiting, stand_ins) = (waiting?, stand_ins?);
    waiting.set_item(py, c"functions", functions)?;
    waiting.set_item(py, c"name", name)?;
    waiting.set_item(py, c"module", module)?;
    waiting.set_item(py, c"stand_ins", &stand_ins)?;
    for name in names {
        if let Some(replaced) = target.names.item(py, name) {
            let holder = put(py, &target, name, &replaced)?;
            names_of(py, &holder)?.set_item(py, WAITING, &waiting)?;
            stand_ins.set_item(py, name, &holder)?;
        }
    }
    Some(())
}

/// A module, whose functions are replaced.
struct Target {
    name: Object,
    names: Object,
    /// The names of what has copies of its functions.
    copies: Option<Object>,
}

impl Target {
    fn new(py: Attached<'_>, module: &Object) -> Option<Self> {
        let name = module.attribute(py, c"__name__")?;
        let copies = match name.to_text(py)?.as_str() {
            "posix" => imported(py, c"os").and_then(|os| names_of(py, &os)),
            _ => None,
        };
        let names = names_of(py, module)?;
        Some(Self {
            name,
            names,
            copies,
        })
    }
}

/// The names that a module has.
fn names_of(py: Attached<'_>, module: &Object) -> Option<Object> {
    // SAFETY: attached; a live object; what is no module has none, and sets an exception.
    unsafe { Object::borrowed(py, ffi::PyModule_GetDict(module.as_ptr())) }
}

/// `stand_in(module, name)`: puts a function in C in the place of one. The answer is what it is bound to.
pub(super) unsafe extern "C" fn stand_in(
    _: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let current = Current::get();
    let py = current.attached();
    let holder = || {
        // SAFETY: called by Python, attached, with a module and a text.
        let (module, name) = unsafe {
            let module = Object::borrowed(py, ffi::PyTuple_GetItem(arguments, 0));
            (module?, argument(py, arguments, 1)?)
        };
        let replaced = module.attribute(py, &name)?;
        put(py, &Target::new(py, &module)?, &name, &replaced)
    };
    holder().map_or(null_mut(), Object::into_ptr)
}

/// Puts a function in C in the place of one of a module, and of the copy that Python has made of that. The answer is
/// what it is bound to.
fn put(py: Attached<'_>, target: &Target, name: &CStr, replaced: &Object) -> Option<Object> {
    // SAFETY: attached; a live text; a new reference.
    let holder = unsafe { Object::owned(py, ffi::PyModule_NewObject(target.name.as_ptr()))? };
    names_of(py, &holder)?.set_item(py, REPLACED, replaced)?;
    let function = method_like(replaced, call)?.bind_in(py, Some(&holder), &target.name)?;
    target.names.set_item(py, name, &function)?;
    let copy = match &target.copies {
        Some(copies) => Some((copies, name)),
        None if name == c"breakpointhook" => Some((&target.names, c"__breakpointhook__")),
        None => None,
    };
    if let Some((copies, name)) = copy
        && copies
            .item(py, name)
            .is_some_and(|copied| copied.as_ptr() == replaced.as_ptr())
    {
        copies.set_item(py, name, &function)?;
    }
    Some(holder)
}

/// `build(module, name, doc, function)`: a function in C that stands for one of ours, which replaces none.
pub(super) unsafe extern "C" fn build(
    _: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let current = Current::get();
    let py = current.attached();
    /// One for each name, and where the texts are: they outlive interpreters.
    static ALL: Mutex<Option<HashMap<(CString, CString), &'static Method>>> = Mutex::new(None);
    let built = || {
        // SAFETY: called by Python, attached, with three texts and a function; borrowed references are made ours.
        let (module, name, doc, function) = unsafe {
            let [module, function] =
                [0, 3].map(|i| Object::borrowed(py, ffi::PyTuple_GetItem(arguments, i)));
            (
                module?,
                argument(py, arguments, 1)?,
                argument(py, arguments, 2)?,
                function?,
            )
        };
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let method = *all
            .get_or_insert_default()
            .entry((name, doc))
            .or_insert_with_key(|(name, doc)| {
                let [name, doc] =
                    [name, doc].map(|text| &*Box::leak(text.clone().into_boxed_c_str()));
                Box::leak(Box::new(Method::with_keywords(name, call).with_doc(doc)))
            });
        drop(all);
        // SAFETY: attached; a live text; a new reference.
        let holder = unsafe { Object::owned(py, ffi::PyModule_NewObject(module.as_ptr()))? };
        holder.set(py, FUNCTION, &function)?;
        method.bind_in(py, Some(&holder), &module)
    };
    built().map_or(null_mut(), Object::into_ptr)
}

/// A method with the name, the signature and the text of a function in C, which it replaces. `None`: an exception is
/// set.
pub(crate) fn method_like(
    replaced: &Object,
    function: ffi::PyCFunctionWithKeywords,
) -> Option<&'static Method> {
    /// One for each function, by its address and that of the description of what is replaced, which is static.
    static ALL: Mutex<Option<HashMap<(usize, usize), &'static Method>>> = Mutex::new(None);
    // SAFETY: attached; a live object, whose type says what it is.
    let description = unsafe {
        if ffi::PyCFunction_Check(replaced.as_ptr()) == 0 {
            let message = c"a function in C was expected".as_ptr();
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message);
            return None;
        }
        &*(*replaced.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml
    };
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (std::ptr::from_ref(description) as usize, function as usize);
    Some(
        *all.get_or_insert_default()
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Method::like(description, function)))),
    )
}

/// Calls what stands behind it.
unsafe extern "C" fn call(
    holder: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    options: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let current = Current::get();
    let py = current.attached();
    let called = || {
        // SAFETY: called by Python, attached, with the module that it is bound to, whose dictionary lives as long; what
        // is in it is ours for the call.
        unsafe {
            let names = ffi::PyModule_GetDict(holder);
            let held =
                |name: &CStr| Object::borrowed(py, ffi::PyDict_GetItemString(names, name.as_ptr()));
            if let Some(waiting) = held(WAITING) {
                Object::borrowed(py, kept(py, AT_FIRST_CALL))?.call(py, &[&waiting])?;
            }
            let function = match held(FUNCTION) {
                Some(function) => function,
                None => match held(CHOOSE) {
                    Some(choose) => match choose.call(py, &[])? {
                        nothing if nothing.as_ptr() == ffi::Py_None() => return Some(nothing),
                        chosen => chosen,
                    },
                    None => held(REPLACED).or_else(gone)?,
                },
            };
            Object::owned(
                py,
                ffi::PyObject_Call(function.as_ptr(), arguments, options),
            )
        }
    };
    called().map_or(null_mut(), Object::into_ptr)
}

/// The interpreter ends, and has taken from us what we were bound to.
fn gone() -> Option<Object> {
    // SAFETY: attached; a C string.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_RuntimeError, c"the function is gone".as_ptr()) };
    None
}
