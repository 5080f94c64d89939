//! A function in C that stands for one of ours: with the name, the signature and the text of what it replaces. What it
//! calls is an attribute of the module that it is bound to, so Python takes it for a function of a module.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::exception::RUNTIME_ERROR;
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Method, answer, method};
use crate::local::python::object::{Object, imported, new_module};
use crate::local::python::str_arguments::argument;

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
            holder.names(py)?.set_item(py, WAITING, &waiting)?;
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
            "posix" => imported(py, c"os").and_then(|os| os.names(py)),
            _ => None,
        };
        let names = module.names(py)?;
        Some(Self {
            name,
            names,
            copies,
        })
    }
}

// `stand_in(module, name)`: puts a function in C in the place of one. The answer is what it is bound to.
method!(pub(super) stand_in, |py, _, Some(arguments)| {
    let (module, name) = (arguments.at(py, 0)?, argument(py, arguments, 1)?);
    let replaced = module.attribute(py, &name)?;
    put(py, &Target::new(py, &module)?, &name, &replaced)
});

/// Puts a function in C in the place of one of a module, and of the copy that Python has made of that. The answer is
/// what it is bound to.
fn put(py: Attached<'_>, target: &Target, name: &CStr, replaced: &Object) -> Option<Object> {
    let holder = new_module(py, &target.name)?;
    holder.names(py)?.set_item(py, REPLACED, replaced)?;
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

// `build(module, name, doc, function)`: a function in C that stands for one of ours, which replaces none.
method!(pub(super) build, |py, _, Some(arguments)| {
    /// One for each name, and where the texts are: they outlive interpreters.
    static ALL: Mutex<Option<HashMap<(CString, CString), &'static Method>>> = Mutex::new(None);
    let (module, function) = (arguments.at(py, 0)?, arguments.at(py, 3)?);
    let (name, doc) = (argument(py, arguments, 1)?, argument(py, arguments, 2)?);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let method = *all
        .get_or_insert_default()
        .entry((name, doc))
        .or_insert_with_key(|(name, doc)| {
            let [name, doc] = [name, doc].map(|text| &*Box::leak(text.clone().into_boxed_c_str()));
            Box::leak(Box::new(Method::with_keywords(name, call).with_doc(doc)))
        });
    drop(all);
    let holder = new_module(py, &module)?;
    holder.set(py, FUNCTION, &function)?;
    method.bind_in(py, Some(&holder), &module)
});

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
    answer(|py| {
        // SAFETY: called by Python, attached, with the module that it is bound to.
        let names = unsafe { Object::lent(py, &holder) }?.names(py)?;
        if let Some(waiting) = names.item(py, WAITING) {
            kept(py, AT_FIRST_CALL)?.call(py, &[&waiting])?;
        }
        let function = match names.item(py, FUNCTION) {
            Some(function) => function,
            None => match names.item(py, CHOOSE) {
                Some(choose) => match choose.call(py, &[])? {
                    nothing if nothing.is_none(py) => return Some(nothing),
                    chosen => chosen,
                },
                // The interpreter may end, and has taken from us what we were bound to.
                None => names
                    .item(py, REPLACED)
                    .or_else(|| RUNTIME_ERROR.raise(py, "the function is gone"))?,
            },
        };
        // SAFETY: a live object, and what Python has called us with; a new reference.
        unsafe {
            Object::owned(
                py,
                ffi::PyObject_Call(function.as_ptr(), arguments, options),
            )
        }
    })
}
