//! The namespaces of an interpreter: sets of globals over the same imported modules. Each is a module, so that what looks
//! for a class or a function where it was defined, as pickle does, finds it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::rc::Rc;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception, in_sys, new_module};

/// A set of globals. Used and dropped while its interpreter is attached.
pub(crate) struct Namespace {
    name: Rc<CStr>,
    /// Its module's dict.
    globals: Object,
    /// What its `__file__` was set to.
    file: RefCell<Box<str>>,
    /// How many runs are in it, one inside of the other.
    runs: Cell<usize>,
}

/// Those of an interpreter, beside `__main__`.
pub(crate) struct Namespaces {
    /// The globals of `__main__`. Compared.
    main: *mut ffi::PyObject,
    added: RefCell<HashMap<Box<str>, Rc<Namespace>>>,
    /// The names of those, by their globals.
    names: RefCell<HashMap<*mut ffi::PyObject, Rc<Namespace>>>,
    /// The one that was used last: asked first.
    last: RefCell<Option<Rc<Namespace>>>,
    /// Where the innermost run is that is in one.
    current: Cell<Option<Rc<Namespace>>>,
}

/// A run in a namespace, until this is dropped.
pub(crate) struct Running<'a> {
    all: &'a Namespaces,
    namespace: Rc<Namespace>,
    outer: Option<Rc<Namespace>>,
}

impl Namespace {
    fn new(name: &CStr, globals: Object) -> Self {
        Self {
            name: name.into(),
            globals,
            file: RefCell::default(),
            runs: Cell::new(0),
        }
    }

    /// `__main__`, which has these.
    pub(crate) fn main(globals: Object) -> Self {
        Self::new(c"__main__", globals)
    }

    pub(crate) fn name(&self) -> &str {
        self.name.to_str().unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn globals(&self) -> &Object {
        &self.globals
    }

    /// Whether something runs in it.
    pub(crate) fn is_running(&self) -> bool {
        self.runs.get() > 0
    }

    /// What is run in it comes from this file. `None`: an exception is set.
    pub(crate) fn set_file(&self, py: Attached<'_>, file: &str) -> Option<()> {
        if **self.file.borrow() != *file {
            (self.globals).set_item(py, c"__file__", &Object::text(py, file)?)?;
            *self.file.borrow_mut() = file.into();
        }
        Some(())
    }

    /// Its names go, and what only they had: the last one first, so that a `__del__` finds what was there before its object.
    pub(crate) fn clear(&self, py: Attached<'_>) {
        if let Some(pop) = self.globals.attribute(py, c"popitem") {
            // What a `__del__` adds meanwhile goes at the end.
            let count = self.globals.pairs(py).len();
            for _ in 0..count {
                drop(pop.call(py, &[]));
            }
        }
        clear_exception(py);
        self.globals.clear(py);
    }
}

impl Namespaces {
    pub(crate) fn new(main: &Namespace) -> Self {
        Self {
            main: main.globals.as_ptr(),
            added: RefCell::default(),
            names: RefCell::default(),
            last: RefCell::default(),
            current: Cell::default(),
        }
    }

    /// Makes one of a name that no module has. `None`: an exception is set.
    pub(crate) fn add(&self, py: Attached<'_>, name: &CStr) -> Option<()> {
        let text = name.to_str().ok()?;
        let key = Object::interned(py, text)?;
        let module = new_module(py, &key)?;
        let globals = module.names(py)?;
        // SAFETY: attached; the reference is borrowed.
        let builtins = unsafe { Object::borrowed(py, ffi::PyEval_GetBuiltins()) }?;
        globals.set_item(py, c"__builtins__", &builtins)?;
        in_sys(py, c"modules")?.set_key(py, &key, &module)?;
        let namespace = Rc::new(Namespace::new(name, globals));
        let at = namespace.globals.as_ptr();
        self.names.borrow_mut().insert(at, namespace.clone());
        self.added.borrow_mut().insert(text.into(), namespace);
        Some(())
    }

    /// Removes it, with what only it has. The caller has seen that nothing runs in it.
    pub(crate) fn remove(&self, py: Attached<'_>, namespace: &Namespace) {
        let removed = self.added.borrow_mut().remove(namespace.name());
        let known = self.names.borrow_mut().remove(&namespace.globals.as_ptr());
        let last = self.last.borrow_mut().take();
        let modules = in_sys(py, c"modules");
        if let Some(modules) = modules
            && let Some(name) = Object::text(py, namespace.name())
            && let Some(module) = modules.at_key(py, &name)
            && module
                .names(py)
                .is_some_and(|names| names.as_ptr() == namespace.globals.as_ptr())
        {
            modules.remove_key(py, &name);
        }
        namespace.clear(py);
        drop((removed, known, last));
    }

    /// The one of this name.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<Rc<Namespace>> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some(namespace) if namespace.name.to_bytes() == name.as_bytes() => {
                Some(namespace.clone())
            }
            _ => {
                *last = self.added.borrow().get(name).cloned();
                last.clone()
            }
        }
    }

    /// A run begins in it.
    #[inline]
    pub(crate) fn begin(&self, namespace: Rc<Namespace>) -> Running<'_> {
        namespace.runs.set(namespace.runs.get() + 1);
        Running {
            all: self,
            outer: self.current.replace(Some(namespace.clone())),
            namespace,
        }
    }

    /// The name of where the innermost function of the calling thread is that is in one, or in `__main__`; if there is none, where the
    /// run is. `None`: in `__main__`.
    #[inline(always)]
    pub(crate) fn of_caller(&self, py: Attached<'_>) -> Option<Rc<CStr>> {
        if self.added.borrow().is_empty() {
            return None;
        }
        self.look_for_caller(py)
            .map(|namespace| namespace.name.clone())
    }

    #[cold]
    fn look_for_caller(&self, py: Attached<'_>) -> Option<Rc<Namespace>> {
        // SAFETY: attached; borrowed, NULL where no function runs.
        let mut globals = unsafe { Object::borrowed(py, ffi::PyEval_GetGlobals()) };
        // SAFETY: as above.
        let mut frame = unsafe { Object::borrowed(py, ffi::PyEval_GetFrame().cast()) };
        while let Some(here) = globals {
            let at = here.as_ptr();
            if at == self.main {
                return None;
            }
            if let Some(found) = self.names.borrow().get(&at) {
                return Some(found.clone());
            }
            frame = frame.and_then(|inner| inner.attribute(py, c"f_back"));
            let outer = frame.as_ref().filter(|frame| !frame.is_none(py));
            globals = outer.and_then(|frame| frame.attribute(py, c"f_globals"));
        }
        let current = self.current.take();
        self.current.set(current.clone());
        current
    }

    /// The names of all go, and what only they had.
    pub(crate) fn clear(&self, py: Attached<'_>) {
        let all: Vec<_> = self.added.borrow().values().cloned().collect();
        all.iter().for_each(|namespace| namespace.clear(py));
    }

    /// Lets go of those that were added: the interpreter ends.
    pub(crate) fn forget(&self) {
        let added = self.added.take();
        let (names, last) = (self.names.take(), self.last.take());
        drop((added, names, last));
    }
}

impl Running<'_> {
    #[inline(always)]
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        self.namespace.runs.set(self.namespace.runs.get() - 1);
        self.all.current.set(self.outer.take());
    }
}
