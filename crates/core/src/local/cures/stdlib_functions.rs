//! Functions of the standard library that are ours: an interpreter gets them when it imports their module. The
//! cures that have such functions say which, and why.

mod stand_in;

use std::ffi::{CStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr::{from_ref, null_mut};

use pyo3_ffi as ffi;

pub(crate) use stand_in::method_like;
use stand_in::{build, keep_at_first_call, put_all, stand_in};

use crate::local::attach::Attached;
use crate::local::cures::switch_interval;
use crate::local::python::embedded_code::{EmbeddedCode, OF_IMPORT};
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::method::{Function, Method, method};
use crate::local::python::object::{Object, clear_exception, import};
use crate::local::python::str_arguments::argument;

/// Our functions of some modules.
pub(crate) struct Functions {
    modules: &'static [&'static CStr],
    at_first_call: &'static [(&'static CStr, &'static [&'static CStr])],
    in_rust: Option<InRust>,
    code: EmbeddedCode,
    call: Method,
}

/// What is done with a module. `None`: an exception is set.
type InRust = fn(Attached<'_>, &Object) -> Option<()>;

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

    /// What is done with these modules in Rust.
    pub(crate) const fn in_rust(modules: &'static [&'static CStr], function: InRust) -> Self {
        let mut functions = Self::in_python(modules, c"");
        functions.in_rust = Some(function);
        functions
    }

    /// `code` defines `replacers(call, put, at_end)`, which is called once in an interpreter, when it has the first of
    /// these modules. The answer is a dict: for each of them a function that takes the module and puts ours into
    /// it. `call` takes a tuple; `put(module, *functions)` puts those that it replaces; `put.built_in(module,
    /// *functions)` puts all of them, and their docstrings are what `help()` shows; `at_end(function)` has it called
    /// before the interpreter ends. What replaces a function in C is one: it has the same signature and repr, it can be
    /// pickled, and it is no method where it is an attribute of a class.
    pub(crate) const fn new(
        modules: &'static [&'static CStr],
        code: &'static CStr,
        call: Function,
    ) -> Self {
        Self {
            modules,
            at_first_call: &[],
            in_rust: None,
            code: EmbeddedCode::new(OF_IMPORT, code),
            call: Method::new(c"call", call, ffi::METH_VARARGS),
        }
    }

    /// And for these modules, which replace these functions in C. Until one of a module is called, functions in C stand
    /// for them and nothing of ours runs: most scripts call none. The replacer takes a copy of the module then, which has
    /// what is replaced, and puts all of these that the module has: by `put`, or by `put.choosing(module, name, choose)`,
    /// which calls what `choose()` returns, if that is not None, with no frame of ours between. Where an
    /// interpreter that ends has no modules any more, a first call raises ImportError, as an import does.
    pub(crate) const fn at_first_call(
        mut self,
        modules: &'static [(&'static CStr, &'static [&'static CStr])],
    ) -> Self {
        self.at_first_call = modules;
        self
    }
}

static AFTER: EmbeddedCode = EmbeddedCode::new(
    OF_IMPORT,
    c"
def after_import(all, load, in_rust, stand_in, build, at_end, call_soon, frozen, external):
    import sys
    from _thread import RLock
    BuiltIn, Module, standard = type(len), type(sys), sys.stdlib_module_names
    loaded, called, loading = {}, {}, RLock()

    def built_in(module, *functions):
        for function in functions:
            name = function.__name__
            setattr(module, name, build(module.__name__, name, function.__doc__, function))

    def put(module, *functions):
        waiting = called.get(id(module), {})
        for function in functions:
            name = function.__name__
            replaced = getattr(module, name, None)
            if replaced is not None:
                function.__doc__ = replaced.__doc__
                function.__module__ = module.__name__
                function.__qualname__ = name
                if name in waiting:
                    waiting[name].function = function
                elif type(replaced) is BuiltIn:
                    stand_in(module, name).function = function
                else:
                    setattr(module, name, function)

    def choosing(module, name, choose):
        called[id(module)][name].choose = choose

    put.built_in, put.choosing = built_in, choosing

    def replacer(functions, name):
        if functions not in loaded:
            loaded[functions] = load(functions, put, at_end)
        return loaded[functions][name]

    def at_first_call(waiting):
        with loading:
            if 'module' in waiting:
                module, name, stand_ins = waiting['module'], waiting['name'], waiting['stand_ins']
                copy = Module(name)
                vars(copy).update(vars(module))
                vars(copy).update({key: holder.replaced for key, holder in stand_ins.items()})
                called[id(copy)] = stand_ins
                try:
                    replacer(waiting['functions'], name)(copy)
                finally:
                    del called[id(copy)]
                waiting.clear()
                for holder in stand_ins.values():
                    del holder.waiting

    def imported(name, module):
        for functions in all.get(name, ()):
            if not in_rust(functions, name, module):
                replacer(functions, name)(module)

    def noticed(execute):
        def exec_module(*arguments):
            module = arguments[-1]
            name = module.__name__
            if name.partition('.')[0] in standard:
                call_soon(execute, *arguments)
            else:
                execute(*arguments)
            imported(name, module)

        return exec_module

    def soon(create):
        def create_module(*arguments):
            return call_soon(create, *arguments)

        return create_module

    frozen.BuiltinImporter.create_module = staticmethod(soon(frozen.BuiltinImporter.create_module))
    external.ExtensionFileLoader.create_module = soon(external.ExtensionFileLoader.create_module)
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
    return at_first_call
",
);

/// Has the attached interpreter get these functions. `None`: an exception is set.
pub(crate) fn install(py: Attached<'_>, all: &[&'static Functions]) -> Option<()> {
    static LOAD: Method = Method::new(c"load", load, ffi::METH_VARARGS);
    static IN_RUST: Method = Method::new(c"in_rust", in_rust, ffi::METH_VARARGS);
    static STAND_IN: Method = Method::new(c"stand_in", stand_in, ffi::METH_VARARGS);
    static BUILD: Method = Method::new(c"build", build, ffi::METH_VARARGS);
    let after = EmbeddedCode::function(py, &AFTER.run(py)?, c"after_import")?;
    let by_module = Object::dict(py)?;
    for functions in all {
        let address = Object::unsigned(py, from_ref::<Functions>(functions) as u64)?;
        let later = functions.at_first_call.iter().map(|(module, _)| module);
        for module in functions.modules.iter().chain(later) {
            if by_module.item(py, module).is_none() {
                by_module.set_item(py, module, &Object::list(py)?)?;
            }
            by_module.item(py, module)?.append(py, &address)?;
        }
    }
    let modules = [c"_frozen_importlib", c"_frozen_importlib_external"];
    let [frozen, external] = modules.map(|name| import(py, name));
    let ends = Object::list(py)?;
    keep(py, ENDS, &ends)?;
    let at_end = ends.attribute(py, c"append")?;
    let [load, in_rust] = [LOAD.bind(py, None)?, IN_RUST.bind(py, None)?];
    let [stand_in, build] = [STAND_IN.bind(py, None)?, BUILD.bind(py, None)?];
    let call_soon = switch_interval::CALL_SOON.bind(py, None)?;
    let (frozen, external) = (frozen?, external?);
    let arguments = [
        &by_module, &load, &in_rust, &stand_in, &build, &at_end, &call_soon, &frozen, &external,
    ];
    keep_at_first_call(py, &after.call(py, &arguments)?)
}

/// What an interpreter keeps: the list of what its replacers have called before it ends.
const ENDS: &CStr = c"subpy.ends";

/// # Safety
/// Attached; an address that [`install`] has made an int.
unsafe fn functions_of(address: &Object) -> &'static Functions {
    // SAFETY: the caller's promise; they are static.
    unsafe { &*ffi::PyLong_AsVoidPtr(address.as_ptr()).cast_const().cast() }
}

/// To be called while the interpreter is attached, before it is ended: nothing but its finalizers is left to run.
pub(crate) fn end(py: Attached<'_>) {
    let functions: Option<Vec<_>> = kept(py, ENDS).map(|ends| ends.items(py).collect());
    for function in functions.into_iter().flatten() {
        drop(function.call(py, &[]));
        clear_exception(py);
    }
}

// `in_rust(functions, name, module)`: does with a module what needs no code in Python yet. False: its replacer is to be
// called.
method!(in_rust, |py, _, Some(arguments)| {
    let text = argument(py, arguments, 1)?;
    let [address, name, module] = [0, 1, 2].map(|i| arguments.at(py, i));
    let (address, name, module) = (address?, name?, module?);
    // SAFETY: an address of `install`'s.
    let functions = unsafe { functions_of(&address) };
    let mut later = functions.at_first_call.iter();
    if let Some(in_rust) = functions.in_rust {
        in_rust(py, &module)?;
    } else if let Some((_, names)) = later.find(|(of, _)| *of == text.as_c_str()) {
        put_all(py, &address, &module, &name, names)?;
    } else {
        return Object::bool(py, false);
    }
    Object::bool(py, true)
});

// `load(address, put, at_end)`: the replacers of these functions.
method!(load, |py, _, Some(arguments)| {
    // SAFETY: an address of `install`'s.
    let functions = unsafe { functions_of(&arguments.at(py, 0)?) };
    let (put, at_end) = (arguments.at(py, 1)?, arguments.at(py, 2)?);
    let replacers = EmbeddedCode::function(py, &functions.code.run(py)?, c"replacers")?;
    replacers.call(py, &[&functions.call.bind(py, None)?, &put, &at_end])
});

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
