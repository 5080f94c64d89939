//! Functions of the host's in a module of an interpreter.
//!
//! What is always in line here: without it a host function takes 16 instructions more.

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3_ffi as ffi;

use crate::data::conversion::Conversion;
use crate::data::error::{Error, Result, Status};
use crate::data::value::{RawValue, Value, kind};
use crate::local::attach::{Attached, Current};
use crate::local::convert::from_python::{borrowed, read_several};
use crate::local::enter;
use crate::local::functions::host_call::HostCall;
use crate::local::functions::names::{is_identifier, not_there};
use crate::local::objects::instance;
use crate::local::objects::instance::{Class, Instance};
use crate::local::objects::owner::Owner;
use crate::local::objects::release::Lent;
use crate::local::python::method::{NO_GETTER, Table, getter};
use crate::local::python::object::Object;

/// What does a host function's work: gets the call, to answer by, and the positional arguments, which
/// live until it returns.
pub type Handler = Box<dyn Fn(&mut HostCall<'_>, &[Value<'_>]) + Send + Sync>;

/// How a host function is defined.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionOptions<'a> {
    /// What `help()` says.
    pub doc: Option<&'a str>,
    /// Its parameters as Python writes them: `(level, text, *, end='\n')`. `None`:
    /// `(*args, **kwargs)`.
    pub signature: Option<&'a str>,
    /// The GIL is released while the handler works.
    pub release_gil: bool,
    /// How its arguments become values.
    pub conversion: Conversion,
}

/// A function that the host has defined.
pub(crate) struct Definition {
    module: Box<str>,
    name: Box<str>,
    c_name: CString,
    /// The signature, as Python expects it, and the text.
    doc: CString,
    release_gil: bool,
    conversion: Conversion,
    handler: Handler,
}

/// A definition in an interpreter.
pub(crate) struct Function {
    method: ffi::PyMethodDef,
    definition: Arc<Definition>,
}

// SAFETY: the method is only read, and points into the definition.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

/// The definitions for every interpreter that is created from now on. The lock is held to look at them
/// or to change them, never while anything of the host's is called or dropped.
static EVERYWHERE: Mutex<Vec<Arc<Definition>>> = Mutex::new(Vec::new());

fn everywhere() -> MutexGuard<'static, Vec<Arc<Definition>>> {
    EVERYWHERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Defines it in every interpreter that is created from now on.
pub(crate) fn define_everywhere(definition: Arc<Definition>) {
    let mut all = everywhere();
    let same = |d: &Arc<Definition>| d.module == definition.module && d.name == definition.name;
    let old = all.iter().position(same).map(|i| all.remove(i));
    all.push(definition);
    drop(all);
    drop(old);
}

/// Those that were defined everywhere so far.
pub(crate) fn defined_everywhere() -> Vec<Arc<Definition>> {
    everywhere().clone()
}

/// Forgets those: Python is left.
pub(crate) fn forget_everywhere() {
    let all = std::mem::take(&mut *everywhere());
    drop(all);
}

impl Definition {
    /// Fails for what can't be a function of Python's. The handler is dropped then.
    pub(crate) fn new(
        module: &str,
        name: &str,
        options: &FunctionOptions<'_>,
        handler: Handler,
    ) -> Result<Arc<Self>> {
        let checked = || {
            if !module.split('.').all(is_identifier) {
                return Err(format!("module {module:?} can't be a module's name"));
            }
            if !is_identifier(name) {
                return Err(format!("name {name:?} can't be a function's name"));
            }
            let signature = options.signature.unwrap_or("(*args, **kwargs)");
            if !signature.starts_with('(') || !signature.ends_with(')') {
                return Err(format!(
                    "signature {signature:?} has to be in parentheses, as in \"(a, b=1)\""
                ));
            }
            let doc = options.doc.unwrap_or_default();
            let no_nul = |text: String| {
                CString::new(text).map_err(|_| "signature and doc can't have a NUL".to_owned())
            };
            // What CPython itself writes before the text of a builtin function.
            let doc = no_nul(format!("{name}{signature}\n--\n\n{doc}"))?;
            Ok((no_nul(name.to_owned())?, doc))
        };
        match checked() {
            Ok((c_name, doc)) => Ok(Arc::new(Self {
                module: module.into(),
                name: name.into(),
                c_name,
                doc,
                release_gil: options.release_gil,
                conversion: options.conversion,
                handler,
            })),
            Err(message) => Err(Error::new(Status::InvalidArgument, message)),
        }
    }

    /// As another process has made it, which has called [`described`](Self::described).
    pub(crate) fn from_description(
        (module, name, doc): (&str, &str, &str),
        release_gil: bool,
        conversion: Conversion,
        handler: Handler,
    ) -> Result<Arc<Self>> {
        let no_nul = |text: &str| {
            CString::new(text).map_err(|error| Error::new(Status::Internal, error.to_string()))
        };
        Ok(Arc::new(Self {
            module: module.into(),
            name: name.into(),
            c_name: no_nul(name)?,
            doc: no_nul(doc)?,
            release_gil,
            conversion,
            handler,
        }))
    }

    /// Its module, its name, and its doc with the signature.
    pub(crate) fn described(&self) -> (&str, &str, &str) {
        // Made of text.
        let doc = self.doc.to_str().unwrap_or_default();
        (&self.module, &self.name, doc)
    }

    pub(crate) fn releases_gil(&self) -> bool {
        self.release_gil
    }

    pub(crate) fn conversion(&self) -> &Conversion {
        &self.conversion
    }

    /// Calls the host's function.
    #[inline(always)]
    pub(crate) fn call(&self, call: &mut HostCall<'_>, arguments: &[Value<'_>]) {
        let work = AssertUnwindSafe(|| (self.handler)(call, arguments));
        if catch_unwind(work).is_err() {
            call.raise("RuntimeError", "the host function panicked");
        }
    }

    /// Puts the function into its module. `None`: an exception is set.
    ///
    /// # Safety
    /// Attached to the interpreter of `owner`.
    pub(crate) unsafe fn define(
        self: &Arc<Self>,
        py: Attached<'_>,
        owner: &Rc<Owner>,
    ) -> Option<()> {
        let module_name = Object::text(py, &self.module)?;
        let module = find_or_make_module(py, &self.module)?;
        let function = Arc::new(Lent::new(Function {
            method: ffi::PyMethodDef {
                ml_name: self.c_name.as_ptr(),
                ml_meth: ffi::PyMethodDefPointer {
                    PyCFunctionFastWithKeywords: trampoline,
                },
                ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
                ml_doc: self.doc.as_ptr(),
            },
            definition: self.clone(),
        }));
        owner.loans.add(&function);
        let method = (&raw const function.method).cast_mut();
        // SAFETY: the caller's promise. Python only reads the method, which lives as long as what holds
        // it, which the function keeps.
        unsafe {
            let make = |py: Attached<'_>| {
                let getters = instance::slot(ffi::Py_tp_getset, GETTERS.of_type());
                instance::new_type::<Lent<Function>>(py, c"subpy.HostFunction", &[getters])
            };
            let held = instance::hold(py, |owner| &owner.function_type, make, function, owner)?;
            let function = ffi::PyCFunction_NewEx(method, held.as_ptr(), module_name.as_ptr());
            let function = Object::owned(py, function)?;
            let name = self.c_name.as_ptr();
            let set = ffi::PyObject_SetAttrString(module.as_ptr(), name, function.as_ptr());
            (set == 0).then_some(())
        }
    }
}

impl Class for Lent<Function> {
    fn calls_host(&self) -> bool {
        true
    }
}

/// `help()` calls a builtin function a method, unless what it belongs to says that it is a module.
static GETTERS: Table<[ffi::PyGetSetDef; 2]> =
    Table([getter(c"__class__", get_class, None), NO_GETTER]);

unsafe extern "C" fn get_class(_: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    let current = Current::get();
    let py = current.attached();
    // SAFETY: called by Python, attached; a type of Python's own.
    let kind = unsafe { Object::borrowed(py, (&raw mut ffi::PyModule_Type).cast()) };
    kind.map_or(std::ptr::null_mut(), Object::into_ptr)
}

/// The module of this name: imported, or else made. `None`: an exception is set.
fn find_or_make_module(py: Attached<'_>, name: &str) -> Option<Object> {
    let object = Object::text(py, name)?;
    // SAFETY: attached; strs. Results are new, but for one, which is borrowed.
    unsafe {
        if let Some(module) = Object::owned(py, ffi::PyImport_GetModule(object.as_ptr())) {
            return Some(module);
        }
        if !ffi::PyErr_Occurred().is_null() {
            return None;
        }
        if let Some(module) = Object::owned(py, ffi::PyImport_Import(object.as_ptr())) {
            return Some(module);
        }
        not_there(py, &object)?;
        let parent = match name.rsplit_once('.') {
            Some((parent, last)) => {
                Some((find_or_make_module(py, parent)?, Object::text(py, last)?))
            }
            None => None,
        };
        let module = Object::borrowed(py, ffi::PyImport_AddModuleObject(object.as_ptr()))?;
        if let Some((parent, last)) = parent {
            // What has modules in it is a package.
            if ffi::PyObject_HasAttrString(parent.as_ptr(), c"__path__".as_ptr()) == 0 {
                let path = Object::owned(py, ffi::PyList_New(0))?;
                let name = c"__path__".as_ptr();
                if ffi::PyObject_SetAttrString(parent.as_ptr(), name, path.as_ptr()) != 0 {
                    return None;
                }
            }
            if ffi::PyObject_SetAttr(parent.as_ptr(), last.as_ptr(), module.as_ptr()) != 0 {
                return None;
            }
        }
        Some(module)
    }
}

/// Up to so many values, a call's arguments need no allocation.
const FEW: usize = 8;

/// What Python calls.
unsafe extern "C" fn trampoline(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let current = Current::get();
    let py = current.attached();
    // SAFETY: called by Python, attached, with the object that `define` made, which the function that
    // is called keeps; so many arguments, and as many more as there are names, live until we return.
    unsafe {
        let function: &Instance<Lent<Function>> = Instance::of(this);
        let count = count as usize;
        if count <= FEW && names.is_null() {
            let mut places = [const { MaybeUninit::<RawValue>::uninit() }; FEW];
            let places: *mut RawValue = places.as_mut_ptr().cast();
            let mut done = 0;
            while done < count {
                match borrowed(py, *arguments.add(done), function.definition.conversion) {
                    Some(value) => places.add(done).write(value),
                    None => break,
                }
                done += 1;
            }
            if done == count {
                return work(py, function, places, count, 0);
            }
        }
        with_any_arguments(py, function, arguments, count, names)
    }
}

/// # Safety
/// As Python calls [`trampoline`].
#[inline(never)]
unsafe fn with_any_arguments(
    py: Attached<'_>,
    function: &Instance<Lent<Function>>,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let conversion = function.definition.conversion;
        let named = match names.is_null() {
            true => 0,
            false => ffi::PyTuple_GET_SIZE(names) as usize,
        };
        // The positional ones, then each name with its value.
        let mut places = vec![RawValue::NONE; count + 2 * named];
        let mut larger = Vec::new();
        for (place, value) in places.iter_mut().enumerate() {
            let object = match place.checked_sub(count) {
                None => *arguments.add(place),
                Some(n) if n % 2 == 0 => ffi::PyTuple_GET_ITEM(names, (n / 2) as isize),
                Some(n) => *arguments.add(count + n / 2),
            };
            match borrowed(py, object, conversion) {
                Some(found) => *value = found,
                None => larger.push((place, object)),
            }
        }
        let _block = if larger.is_empty() {
            None
        } else {
            match read_several(py, &larger, &mut places, conversion, function.owner()) {
                Ok(block) => Some(block),
                Err((place, error)) => {
                    let root = error_at(py, place, count, names);
                    error.raise(py, &format!("{}(): {root}", function.definition.name));
                    return std::ptr::null_mut();
                }
            }
        };
        work(py, function, places.as_ptr(), count, named)
    }
}

/// # Safety
/// `places` has so many arguments, then so many names, each with its value.
#[inline(always)]
unsafe fn work(
    py: Attached<'_>,
    function: &Instance<Lent<Function>>,
    places: *const RawValue,
    count: usize,
    named: usize,
) -> *mut ffi::PyObject {
    let definition = &function.definition;
    let keywords = RawValue::of_items(kind::DICT, places.wrapping_add(count), named);
    let mut call = HostCall::new(function.owner(), keywords);
    call.set_namespace(function.owner().namespaces.of_caller(py));
    // SAFETY: the caller's promise.
    let arguments = unsafe { Value::slice_from_raw(places, count) };
    let work = |call: &mut HostCall<'_>| definition.call(call, arguments);
    if definition.release_gil {
        enter::released(function.owner().id, |thread_state| {
            call.set_released(thread_state);
            work(&mut call);
        });
    } else {
        enter::with_gil(|| work(&mut call));
    }
    call.finish(py, &definition.name, function.owner())
}

/// The root of an argument's path.
#[cold]
unsafe fn error_at(
    py: Attached<'_>,
    place: usize,
    count: usize,
    names: *mut ffi::PyObject,
) -> String {
    if place < count {
        return format!("args[{place}]");
    }
    // SAFETY: the caller's promise: a tuple of strs.
    let name = unsafe {
        Object::borrowed(
            py,
            ffi::PyTuple_GET_ITEM(names, ((place - count) / 2) as isize),
        )
    };
    let name = name.and_then(|name| name.to_text(py)).unwrap_or_default();
    format!("kwargs[{name:?}]")
}
