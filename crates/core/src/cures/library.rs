//! Functions of the standard library that are ours: an interpreter gets them when it imports their module. The
//! cures that have such functions say which, and why.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr::{from_ref, null_mut};
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;

use crate::python::interpreter_dict::{keep, kept};
use crate::python::method::{Function, Method};
use crate::python::object::{Object, clear_exception, import};
use crate::python::own_code::{OF_IMPORT, OwnCode};

/// Our functions of some modules.
pub(crate) struct Functions {
    modules: &'static [&'static CStr],
    code: OwnCode,
    call: Method,
}

impl Functions {
    /// As [`new`](Self::new), for functions that need none in Rust.
    pub(crate) const fn in_python(modules: &'static [&'static CStr], code: &'static CStr) -> Self {
        unsafe extern "C" fn none(
            _: *mut ffi::PyObject,
            _: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            null_mut()
        }
        Self::new(modules, code, none)
    }

    /// `code` defines `replacers(call, put, at_end)`, which is called once in an interpreter, when it has the first of
    /// these modules. The answer is a dict: for each of them a function that takes the module and puts ours into
    /// it. `call` takes a tuple; `put(module, *functions)` puts those that it replaces; `put.built_in(module,
    /// *functions)` puts all of them, and their docstrings are what `help()` shows; `put.choosing(module, name, choose)`
    /// replaces a function by one that calls what `choose()` returns, if that is not None, with no frame of ours
    /// between; `at_end(function)` has it called before the interpreter ends. What replaces a function in C is one: it
    /// has the same signature and repr, it can be pickled, and it is no method where it is an attribute of a class.
    pub(crate) const fn new(
        modules: &'static [&'static CStr],
        code: &'static CStr,
        call: Function,
    ) -> Self {
        Self {
            modules,
            code: OwnCode::new(OF_IMPORT, code),
            call: Method::new(c"call", call, ffi::METH_VARARGS),
        }
    }
}

static AFTER: OwnCode = OwnCode::new(
    OF_IMPORT,
    c"
def after_import(all, load, build, at_end, frozen, external):
    import sys
    BuiltIn = type(len)
    loaded = {}

    def built(module, name, doc, **held):
        holder = type(sys)(module.__name__)
        vars(holder).update(held)
        setattr(module, name, build(holder, module.__name__, name, doc))

    def built_in(module, *functions):
        for function in functions:
            built(module, function.__name__, function.__doc__, function=function)

    def doc_of(function):
        signature, doc = getattr(function, '__text_signature__', None), function.__doc__
        return f'{function.__name__}{signature}\\n--\\n\\n{doc or \"\"}' if signature else doc

    def put(module, *functions):
        for function in functions:
            name = function.__name__
            replaced = getattr(module, name, None)
            if replaced is not None:
                function.__doc__ = replaced.__doc__
                function.__module__ = module.__name__
                function.__qualname__ = name
                if type(replaced) is BuiltIn:
                    built(module, name, doc_of(replaced), function=function)
                    function = getattr(module, name)
                else:
                    setattr(module, name, function)
                copy = sys.modules.get('os') if module.__name__ == 'posix' else None
                if getattr(copy, name, None) is replaced:
                    setattr(copy, name, function)

    def imported(name, module):
        for functions in all.get(name, ()):
            if functions not in loaded:
                loaded[functions] = load(functions, put, at_end)
            loaded[functions][name](module)

    def noticed(execute):
        def exec_module(*arguments):
            module = arguments[-1]
            name = module.__name__
            execute(*arguments)
            imported(name, module)

        return exec_module

    def choosing(module, name, choose):
        built(module, name, doc_of(getattr(module, name)), choose=choose)

    put.built_in, put.choosing = built_in, choosing
    for loader in frozen.BuiltinImporter, frozen.FrozenImporter:
        loader.exec_module = staticmethod(noticed(loader.exec_module))
    for loader in external.ExtensionFileLoader, external._LoaderBasics:
        loader.exec_module = noticed(loader.exec_module)
    for name in all:
        if name in sys.modules:
            try:
                imported(name, sys.modules[name])
            except ImportError:
                del sys.modules[name]
",
);

/// Has the attached interpreter get these functions. `None`: an exception is set.
pub(crate) fn install(all: &[&'static Functions]) -> Option<()> {
    static LOAD: Method = Method::new(c"load", load, ffi::METH_VARARGS);
    static BUILD: Method = Method::new(c"build", build, ffi::METH_VARARGS);
    let after = OwnCode::function(&AFTER.run()?, c"after_import")?;
    // SAFETY: attached; live objects; C strings; new references, but for the list in the dict.
    let by_module = unsafe {
        let by_module = Object::owned(ffi::PyDict_New())?;
        for functions in all {
            let address = from_ref::<Functions>(functions).cast_mut().cast();
            let address = Object::owned(ffi::PyLong_FromVoidPtr(address))?;
            for module in functions.modules {
                let name = Object::owned(ffi::PyUnicode_FromString(module.as_ptr()))?;
                let none_yet = Object::owned(ffi::PyList_New(0))?;
                let list =
                    ffi::PyDict_SetDefault(by_module.as_ptr(), name.as_ptr(), none_yet.as_ptr());
                if list.is_null() || ffi::PyList_Append(list, address.as_ptr()) != 0 {
                    return None;
                }
            }
        }
        by_module
    };
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(import);
    // SAFETY: attached; a new reference.
    let ends = unsafe { Object::owned(ffi::PyList_New(0))? };
    keep(ENDS, &ends)?;
    let at_end = ends.attribute(c"append")?;
    let [load, build] = [LOAD.bind(None)?, BUILD.bind(None)?];
    after
        .call(&[&by_module, &load, &build, &at_end, &frozen?, &external?])
        .map(drop)
}

/// `build(holder, module, name, doc)`: a function in C, which calls the holder's `function`. The holder is a module, so
/// that Python takes the function for one of a module.
unsafe extern "C" fn build(
    _: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let built = || {
        // SAFETY: called by Python, attached, with what the code above gives it; borrowed references are made ours.
        let [holder, module] =
            unsafe { [0, 1].map(|index| Object::borrowed(ffi::PyTuple_GetItem(arguments, index))) };
        // SAFETY: as above: the name is a text, the doc is one or None.
        let (name, doc) = unsafe { (argument(arguments, 2)?, argument(arguments, 3)) };
        clear_exception();
        method(name, doc, forward).bind_in(Some(&holder?), &module?)
    };
    built().map_or(null_mut(), Object::into_ptr)
}

/// A method with the name, the signature and the text of a function in C, which it replaces. `None`: an exception is set.
#[cfg(not(Py_3_14))]
pub(crate) fn method_like(
    replaced: &Object,
    function: ffi::PyCFunctionWithKeywords,
) -> Option<&'static Method> {
    let text = |name| replaced.attribute(name)?.to_text();
    let name = text(c"__name__")?;
    let (signature, doc) = (text(c"__text_signature__"), text(c"__doc__"));
    clear_exception();
    let doc = match (signature, doc) {
        (Some(signature), doc) => format!("{name}{signature}\n--\n\n{}", doc.unwrap_or_default()),
        (None, doc) => doc.unwrap_or_default(),
    };
    Some(method(
        CString::new(name).ok()?,
        CString::new(doc).ok(),
        function,
    ))
}

/// A method. They outlive interpreters, so there is one for each name and text in the process.
fn method(
    name: CString,
    doc: Option<CString>,
    function: ffi::PyCFunctionWithKeywords,
) -> &'static Method {
    type Methods = HashMap<(CString, Option<CString>, usize), &'static Method>;
    static ALL: Mutex<Option<Methods>> = Mutex::new(None);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_with(Methods::new);
    let key = (name.clone(), doc.clone(), function as usize);
    all.entry(key).or_insert_with(|| {
        let method = Method::with_keywords(Box::leak(name.into_boxed_c_str()), function);
        Box::leak(Box::new(match doc {
            Some(doc) => method.with_doc(Box::leak(doc.into_boxed_c_str())),
            None => method,
        }))
    })
}

unsafe extern "C" fn forward(
    holder: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    options: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by Python, attached, with a tuple, a dict or NULL, and the module that `build` was given. Its
    // dictionary lives as long; what is in it is ours for the call.
    unsafe {
        let names = ffi::PyModule_GetDict(holder);
        let held = |name: &CStr| Object::borrowed(ffi::PyDict_GetItemString(names, name.as_ptr()));
        let function = match (held(c"function"), held(c"choose")) {
            (Some(function), _) => Some(function),
            (None, Some(choose)) => choose.call(&[]),
            (None, None) => {
                // The interpreter ends.
                let message = c"the function is gone".as_ptr();
                ffi::PyErr_SetString(ffi::PyExc_RuntimeError, message);
                None
            }
        };
        match function {
            Some(nothing) if nothing.as_ptr() == ffi::Py_None() => nothing.into_ptr(),
            Some(function) => ffi::PyObject_Call(function.as_ptr(), arguments, options),
            None => null_mut(),
        }
    }
}

/// What an interpreter keeps: the list of what its replacers have called before it ends.
const ENDS: &CStr = c"subpy.ends";

/// To be called while the interpreter is attached, before it is ended: nothing but its finalizers is left to run.
pub(crate) fn end() {
    // SAFETY: attached; what the interpreter keeps lives, and its items are borrowed while nothing changes it.
    let functions = unsafe {
        Object::borrowed(kept(ENDS)).map(|ends| {
            let count = ffi::PyList_Size(ends.as_ptr());
            let items = (0..count).map(|i| Object::borrowed(ffi::PyList_GetItem(ends.as_ptr(), i)));
            items.flatten().collect::<Vec<_>>()
        })
    };
    for function in functions.into_iter().flatten() {
        drop(function.call(&[]));
        clear_exception();
    }
}

/// `load(address, put, at_end)`: the replacers of these functions.
unsafe extern "C" fn load(
    _: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let replacers = || {
        // SAFETY: called by Python, attached, with the address that `install` has given it, of a static, and
        // objects.
        let (functions, put, at_end): (&Functions, _, _) = unsafe {
            let argument = |i| ffi::PyTuple_GetItem(arguments, i);
            let address = ffi::PyLong_AsVoidPtr(argument(0));
            let [put, at_end] = [1, 2].map(|i| Object::borrowed(argument(i)));
            (&*address.cast_const().cast(), put?, at_end?)
        };
        let replacers = OwnCode::function(&functions.code.run()?, c"replacers")?;
        replacers.call(&[&functions.call.bind(None)?, &put, &at_end])
    };
    replacers().map_or(null_mut(), Object::into_ptr)
}

/// An argument of a call, in UTF-8 and without a NUL. `None`: it is no such text.
///
/// # Safety
/// Called by Python, attached, with a tuple.
pub(crate) unsafe fn argument(arguments: *mut ffi::PyObject, index: isize) -> Option<CString> {
    // SAFETY: the caller's promise; a borrowed reference.
    let text = unsafe { Object::borrowed(ffi::PyTuple_GetItem(arguments, index))?.to_text()? };
    CString::new(text).ok()
}

/// An argument of a call: bytes without a NUL. `None`: it is no such.
///
/// # Safety
/// Called by Python, attached, with a tuple.
pub(crate) unsafe fn argument_bytes(
    arguments: *mut ffi::PyObject,
    index: isize,
) -> Option<CString> {
    // SAFETY: the caller's promise; a borrowed reference, whose bytes are copied.
    unsafe {
        let argument = ffi::PyTuple_GetItem(arguments, index);
        if argument.is_null() || ffi::PyBytes_Check(argument) == 0 {
            return None;
        }
        let data = ffi::PyBytes_AsString(argument).cast::<u8>();
        let length = ffi::PyBytes_Size(argument) as usize;
        CString::new(std::slice::from_raw_parts(data, length)).ok()
    }
}

/// Bytes for Python; `None`: an exception is set.
pub(crate) fn bytes(data: &[u8]) -> Option<Object> {
    // SAFETY: attached; so many bytes, which are copied; a new reference.
    unsafe {
        let (data, length) = (data.as_ptr().cast(), data.len() as isize);
        Object::owned(ffi::PyBytes_FromStringAndSize(data, length))
    }
}

/// Asks with a place for the answer, and with a larger one as long as it is too small. What `read` makes of the
/// answer, if there is one; and an error number, or 0.
///
/// # Safety
/// `ask` is a function of the C library whose name ends in `_r`, which writes to what it is given.
pub(super) unsafe fn ask<T, R>(
    ask: impl Fn(*mut T, *mut c_char, usize, *mut *mut T) -> c_int,
    read: impl Fn(&T) -> R,
) -> (c_int, Option<R>) {
    /// More than any answer takes.
    const MOST: usize = 1 << 20;
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut place = MaybeUninit::<T>::uninit();
        let mut found = null_mut();
        let length = buffer.len();
        let result = ask(place.as_mut_ptr(), buffer.as_mut_ptr(), length, &mut found);
        if result == libc::ERANGE && length < MOST {
            buffer.resize(length * 2, 0);
            continue;
        }
        // SAFETY: NULL, or the place, filled, which points into the buffer.
        return (result, unsafe { found.as_ref() }.map(&read));
    }
}
