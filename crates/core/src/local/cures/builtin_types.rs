//! Defect: in all interpreters but the main one, the built-in types have other names than they should: an `__init__` of
//! their own where they inherit one, and no `__new__` of their own in most exceptions. `class E(ValueError, Mixin)` takes
//! the `__new__` of the mixin then, and `inspect.signature(type(None))` finds none.
//!
//! Has it: 3.12 and later; the part of `__init__` to 3.13. (An interpreter makes its dictionaries of static types from
//! slots that are filled, since the main one has inherited them.)
//!
//! Cure: what differs from the main interpreter's is found once, in the first interpreter. Each one has those names
//! removed, and those `__new__` added. Its cache of attributes is cleared, which no other interpreter looks into. The
//! types themselves, which are everyone's, are not touched.

#[cfg(not(Py_3_12))]
mod cure {
    use crate::local::attach::Attached;

    pub(crate) fn note(_: Attached<'_>) -> Option<()> {
        Some(())
    }

    pub(crate) fn install(_: Attached<'_>) -> Option<()> {
        Some(())
    }
}

#[cfg(Py_3_12)]
mod cure {
    use std::collections::{HashMap, HashSet};
    use std::ffi::{CStr, CString, c_ulong};
    use std::ptr::null_mut;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use pyo3_ffi as ffi;

    use crate::local::attach::Attached;
    use crate::local::python::object::{Object, subclasses_and_object};

    /// `_Py_TPFLAGS_STATIC_BUILTIN`: each interpreter has its own dictionary of such a type.
    const STATIC_BUILTIN: c_ulong = 1 << 1;
    const NEW: &CStr = c"__new__";

    /// A static type, which lives as long as the process.
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    struct Type(*mut ffi::PyTypeObject);
    // SAFETY: an address; what it points to is static.
    unsafe impl Send for Type {}
    // SAFETY: as above.
    unsafe impl Sync for Type {}

    /// What a type of a new interpreter has too many, or lacks.
    enum Fix {
        Remove(Type, CString),
        AddNew(Type),
    }

    type Names = HashMap<Type, HashSet<CString>>;

    /// The names that the types have in the main interpreter, until the first other one was compared.
    static OF_MAIN: Mutex<Option<Names>> = Mutex::new(None);
    static FIXES: OnceLock<Vec<Fix>> = OnceLock::new();

    /// To be called while the main interpreter is attached, before another one is made. `None`: an exception is set.
    pub(crate) fn note(py: Attached<'_>) -> Option<()> {
        let mut names = Names::new();
        for of in static_types(py)? {
            names.insert(of, names_of(py, of)?);
        }
        *OF_MAIN.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
        Some(())
    }

    /// Has the attached interpreter, a new one, get the right names. `None`: an exception is set.
    pub(crate) fn install(py: Attached<'_>) -> Option<()> {
        if FIXES.get().is_none() {
            let mut of_main = OF_MAIN.lock().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been faster.
            if let Some(names) = &*of_main {
                let fixes = compare(py, names)?;
                FIXES.get_or_init(|| fixes);
                *of_main = None;
            }
        }
        let fixes = FIXES.get().map_or(&[][..], Vec::as_slice);
        for fix in fixes {
            match fix {
                Fix::Remove(of, name) => remove(py, *of, name)?,
                Fix::AddNew(of) => add_new(py, *of)?,
            }
        }
        if !fixes.is_empty() {
            // SAFETY: attached; clears what this interpreter has found in its types.
            unsafe { ffi::PyType_ClearCache() };
        }
        Some(())
    }

    fn compare(py: Attached<'_>, of_main: &Names) -> Option<Vec<Fix>> {
        let mut fixes = Vec::new();
        for (&of, right) in of_main {
            let names = names_of(py, of)?;
            for name in names.difference(right) {
                // A slot that was taken for one of this type's own: nothing else comes here by that way.
                if is_slot(py, of, name)? {
                    fixes.push(Fix::Remove(of, name.clone()));
                }
            }
            if right.contains(NEW) && !names.contains(NEW) {
                fixes.push(Fix::AddNew(of));
            }
        }
        Some(fixes)
    }

    fn static_types(py: Attached<'_>) -> Option<HashSet<Type>> {
        let mut found = HashSet::new();
        let (subclasses, object) = subclasses_and_object(py)?;
        let mut left = vec![object];
        while let Some(class) = left.pop() {
            let of: *mut ffi::PyTypeObject = class.as_ptr().cast();
            // SAFETY: attached; a live type.
            let flags = unsafe { ffi::PyType_GetFlags(of) };
            if flags & STATIC_BUILTIN != 0 && found.insert(Type(of)) {
                left.extend(subclasses.call(py, &[&class])?.items(py));
            }
        }
        Some(found)
    }

    /// The attached interpreter's dictionary of a type.
    fn dictionary(py: Attached<'_>, of: Type) -> Option<Object> {
        // SAFETY: attached; a type that is ready has one; a new reference.
        unsafe { Object::owned(py, ffi::PyType_GetDict(of.0)) }
    }

    fn names_of(py: Attached<'_>, of: Type) -> Option<HashSet<CString>> {
        let dictionary = dictionary(py, of)?;
        let mut names = HashSet::new();
        for (name, _) in dictionary.pairs(py) {
            names.extend(CString::new(name.to_text(py)?));
        }
        Some(names)
    }

    fn is_slot(py: Attached<'_>, of: Type, name: &CStr) -> Option<bool> {
        let class = dictionary(py, of)?
            .item(py, name)
            .and_then(|value| value.class(py));
        Some(
            class.is_some_and(|class| class.as_ptr() == (&raw mut ffi::PyWrapperDescr_Type).cast()),
        )
    }

    fn remove(py: Attached<'_>, of: Type, name: &CStr) -> Option<()> {
        if !is_slot(py, of, name)? {
            return Some(());
        }
        let dictionary = dictionary(py, of)?;
        // SAFETY: attached; a live dictionary, a C string, whose item is there.
        (unsafe { ffi::PyDict_DelItemString(dictionary.as_ptr(), name.as_ptr()) } == 0)
            .then_some(())
    }

    /// Gives a type a `__new__` as CPython makes them: all are one method, which is bound to the type.
    fn add_new(py: Attached<'_>, of: Type) -> Option<()> {
        let of_object = dictionary(py, Type(&raw mut ffi::PyBaseObject_Type))?;
        let dictionary = dictionary(py, of)?;
        // SAFETY: attached; live objects; `object.__new__` is a function in C, and so has a method, a static of Python's.
        unsafe {
            let Some(of_object) = of_object.item(py, NEW) else {
                return Some(());
            };
            if ffi::PyCFunction_CheckExact(of_object.as_ptr()) == 0 {
                return Some(());
            }
            let method = (*of_object.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
            let new = Object::owned(py, ffi::PyCFunction_NewEx(method, of.0.cast(), null_mut()))?;
            dictionary.set_item(py, NEW, &new)
        }
    }
}

pub(crate) use cure::{install, note};
