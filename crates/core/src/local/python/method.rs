//! A function in Rust that Python calls.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{from_ref, null, null_mut};

use pyo3_ffi as ffi;

use crate::local::attach::{Attached, Current};
use crate::local::python::object::Object;

/// How Python calls it: with what it is bound to, and with a tuple of arguments or one.
pub(crate) type Function =
    unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;

/// Does the work of a function that Python calls. The result is what Python gets; `None`: an exception is set.
#[inline]
pub(crate) fn answer(work: impl FnOnce(Attached<'_>) -> Option<Object>) -> *mut ffi::PyObject {
    let current = Current::get();
    work(current.attached()).map_or(null_mut(), Object::into_ptr)
}

/// Defines a [`Function`]: `method!(name, |py, this, arguments| work)`. It is called with `Some(this)`, or `None` if it is
/// bound to nothing, and with `Some(arguments)`, a tuple or the only one, or `None` if it takes none. Each is a pattern;
/// with something else it is never called. The result of `work` is what [`answer`] takes.
macro_rules! method {
    ($public:vis $function:ident, |$py:ident, $this:pat_param, $arguments:pat_param| $work:expr) => {
        $public unsafe extern "C" fn $function(
            this: *mut pyo3_ffi::PyObject,
            arguments: *mut pyo3_ffi::PyObject,
        ) -> *mut pyo3_ffi::PyObject {
            use $crate::local::python::object::Object;
            $crate::local::python::method::answer(|$py| {
                // SAFETY: called by Python, attached, with NULL or objects that live meanwhile.
                match unsafe { (Object::lent($py, &this), Object::lent($py, &arguments)) } {
                    ($this, $arguments) => $work,
                    #[allow(unreachable_patterns)]
                    _ => None,
                }
            })
        }
    };
}
pub(crate) use method;

#[repr(transparent)]
pub(crate) struct Method(ffi::PyMethodDef);
// SAFETY: never written to; what it points to is static.
unsafe impl Sync for Method {}

impl Method {
    pub(crate) const fn new(name: &'static CStr, function: Function, flags: c_int) -> Self {
        Self(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunction: function,
            },
            ml_flags: flags,
            ml_doc: null(),
        })
    }

    /// As [`new`](Self::new), for a function that takes a tuple of arguments and a dict of named ones, or NULL.
    pub(crate) const fn with_keywords(
        name: &'static CStr,
        function: ffi::PyCFunctionWithKeywords,
    ) -> Self {
        Self(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunctionWithKeywords: function,
            },
            ml_flags: ffi::METH_VARARGS | ffi::METH_KEYWORDS,
            ml_doc: null(),
        })
    }

    /// As [`new`](Self::new), for a function that [takes](super::arguments::take) its arguments where they are.
    pub(crate) const fn fast(
        name: &'static CStr,
        function: ffi::PyCFunctionFastWithKeywords,
    ) -> Self {
        Self(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunctionFastWithKeywords: function,
            },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: null(),
        })
    }

    /// What ends a table of methods.
    pub(crate) const END: Self = Self(ffi::PyMethodDef::zeroed());

    pub(crate) fn name(&self) -> &'static CStr {
        // SAFETY: of a static text.
        unsafe { CStr::from_ptr(self.0.ml_name) }
    }

    /// With the name, the signature and the text of another one, which live as long as the process.
    pub(crate) const fn like(
        other: &ffi::PyMethodDef,
        function: ffi::PyCFunctionWithKeywords,
    ) -> Self {
        let mut method = Self::with_keywords(c"", function);
        method.0.ml_name = other.ml_name;
        method.0.ml_doc = other.ml_doc;
        method
    }

    /// With what `help()` shows. It may begin with a signature, as CPython's own texts do.
    pub(crate) const fn with_doc(mut self, doc: &'static CStr) -> Self {
        self.0.ml_doc = doc.as_ptr();
        self
    }

    /// The function as an object of the attached interpreter. `None`: an exception is set.
    pub(crate) fn bind(&'static self, py: Attached<'_>, to: Option<&Object>) -> Option<Object> {
        let to = to.map_or(null_mut(), Object::as_ptr);
        // SAFETY: attached; Python only reads the static method; a new reference.
        unsafe { Object::owned(py, ffi::PyCFunction_New(from_ref(&self.0).cast_mut(), to)) }
    }

    /// As [`bind`](Self::bind), as a function of a module of this name.
    pub(crate) fn bind_in(
        &'static self,
        py: Attached<'_>,
        to: Option<&Object>,
        module: &Object,
    ) -> Option<Object> {
        let to = to.map_or(null_mut(), Object::as_ptr);
        let method = from_ref(&self.0).cast_mut();
        // SAFETY: as above.
        unsafe { Object::owned(py, ffi::PyCFunction_NewEx(method, to, module.as_ptr())) }
    }
}

/// A table that Python only reads.
pub(crate) struct Table<T>(pub(crate) T);
// SAFETY: never written to; what it points to is static.
unsafe impl<T> Sync for Table<T> {}

impl<T, const N: usize> Table<[T; N]> {
    /// As a type takes it.
    pub(crate) const fn of_type(&'static self) -> *mut c_void {
        self.0.as_ptr() as *mut c_void
    }
}

/// An attribute that is computed, and can't be set.
pub(crate) const fn getter(
    name: &'static CStr,
    get: ffi::getter,
    doc: Option<&'static CStr>,
) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set: None,
        doc: match doc {
            Some(doc) => doc.as_ptr(),
            None => null(),
        },
        closure: null_mut(),
    }
}

/// Defines what a [`getter`] calls: `attribute!(name, of, |py, this| work)`. `of` makes `this` of the object. The result of
/// `work` is what [`answer`] takes.
macro_rules! attribute {
    ($function:ident, $of:path, |$py:ident, $this:ident| $work:expr) => {
        unsafe extern "C" fn $function(
            this: *mut pyo3_ffi::PyObject,
            _: *mut std::ffi::c_void,
        ) -> *mut pyo3_ffi::PyObject {
            use $crate::local::python::object::Object;
            $crate::local::python::method::answer(|$py| {
                // SAFETY: called by Python, attached, with an object of the type that has it.
                let $this = unsafe { $of($py, Object::lent($py, &this)?) };
                $work
            })
        }
    };
}
pub(crate) use attribute;

/// What ends a table of those.
pub(crate) const NO_GETTER: ffi::PyGetSetDef = ffi::PyGetSetDef {
    name: null(),
    get: None,
    set: None,
    doc: null(),
    closure: null_mut(),
};
