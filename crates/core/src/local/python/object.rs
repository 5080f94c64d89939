//! The one owned reference to a Python object, and the few operations that the crate needs.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;

/// A strong reference: a pointer, whose `None` is NULL. It may only be made, used and dropped while a thread
/// state of the object's interpreter is attached; whoever stores one sees to that.
#[repr(transparent)]
pub(crate) struct Object {
    ptr: NonNull<ffi::PyObject>,
    /// Not `Send`: a reference belongs where its interpreter is attached.
    _here: PhantomData<*const ()>,
}

impl Object {
    /// Takes over a new reference; `None` if it is NULL, which is how Python says that an exception
    /// is set.
    ///
    /// # Safety
    /// `ptr` is NULL or a reference that the caller owns, of the attached interpreter.
    pub(crate) unsafe fn owned(_: Attached<'_>, ptr: *mut ffi::PyObject) -> Option<Self> {
        NonNull::new(ptr).map(|ptr| Self {
            ptr,
            _here: PhantomData,
        })
    }

    /// Takes a reference of its own to a borrowed one.
    ///
    /// # Safety
    /// `ptr` is NULL or a live object of the attached interpreter.
    pub(crate) unsafe fn borrowed(py: Attached<'_>, ptr: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: as the caller promises; the new reference is ours.
        unsafe {
            ffi::Py_XINCREF(ptr);
            Self::owned(py, ptr)
        }
    }

    /// Hands the reference over.
    pub(crate) fn into_ptr(self) -> *mut ffi::PyObject {
        std::mem::ManuallyDrop::new(self).as_ptr()
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::PyObject {
        self.ptr.as_ptr()
    }

    /// A `str`.
    pub(crate) fn text(py: Attached<'_>, text: &str) -> Option<Self> {
        // SAFETY: valid UTF-8 of that length; the result is new.
        unsafe {
            Self::owned(
                py,
                ffi::PyUnicode_FromStringAndSize(
                    text.as_ptr().cast(),
                    text.len() as ffi::Py_ssize_t,
                ),
            )
        }
    }

    /// None.
    pub(crate) fn none(py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; it lives as long as Python.
        unsafe { Self::borrowed(py, ffi::Py_None()) }
    }

    /// A `bool`.
    pub(crate) fn bool(py: Attached<'_>, is: bool) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyBool_FromLong(is.into())) }
    }

    /// An `int`.
    pub(crate) fn int(py: Attached<'_>, n: i64) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyLong_FromLongLong(n)) }
    }

    /// A new `dict`.
    pub(crate) fn dict(py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyDict_New()) }
    }

    /// A new `list`.
    pub(crate) fn list(py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyList_New(0)) }
    }

    /// A `tuple` of these.
    pub(crate) fn tuple(py: Attached<'_>, items: &[&Object]) -> Option<Self> {
        // SAFETY: attached; a tuple that is built here, of live objects.
        unsafe {
            let tuple = Self::owned(py, ffi::PyTuple_New(items.len() as ffi::Py_ssize_t))?;
            for (i, item) in items.iter().enumerate() {
                ffi::Py_INCREF(item.as_ptr());
                ffi::PyTuple_SetItem(tuple.as_ptr(), i as ffi::Py_ssize_t, item.as_ptr());
            }
            Some(tuple)
        }
    }

    /// A `str` that is the only one of its text, as those in code are: found fast in dicts.
    pub(crate) fn interned(py: Attached<'_>, text: &str) -> Option<Self> {
        let mut object = Self::text(py, text)?.into_ptr();
        // SAFETY: a reference of ours, which the call replaces by another one of ours.
        unsafe {
            ffi::PyUnicode_InternInPlace(&mut object);
            Self::owned(py, object)
        }
    }

    pub(crate) fn attribute(&self, py: Attached<'_>, name: &CStr) -> Option<Self> {
        // SAFETY: both live; the result is new.
        unsafe {
            Self::owned(
                py,
                ffi::PyObject_GetAttrString(self.as_ptr(), name.as_ptr()),
            )
        }
    }

    /// Sets an attribute. `None`: an exception is set.
    pub(crate) fn set(&self, _: Attached<'_>, name: &CStr, value: &Object) -> Option<()> {
        // SAFETY: attached; live objects.
        let done =
            unsafe { ffi::PyObject_SetAttrString(self.as_ptr(), name.as_ptr(), value.as_ptr()) };
        (done == 0).then_some(())
    }

    /// What a dict has under this name.
    pub(crate) fn item(&self, py: Attached<'_>, name: &CStr) -> Option<Self> {
        // SAFETY: attached; a live dict, a C string; the borrowed reference is made ours.
        unsafe { Self::borrowed(py, ffi::PyDict_GetItemString(self.as_ptr(), name.as_ptr())) }
    }

    /// Sets an item of a dict. `None`: an exception is set.
    pub(crate) fn set_item(&self, _: Attached<'_>, name: &CStr, value: &Object) -> Option<()> {
        // SAFETY: attached; live objects.
        let done =
            unsafe { ffi::PyDict_SetItemString(self.as_ptr(), name.as_ptr(), value.as_ptr()) };
        (done == 0).then_some(())
    }

    /// Calls it with positional arguments.
    pub(crate) fn call(&self, py: Attached<'_>, arguments: &[&Object]) -> Option<Self> {
        let tuple = Self::tuple(py, arguments)?;
        // SAFETY: attached; live objects; the result is new.
        unsafe { Self::owned(py, ffi::PyObject_CallObject(self.as_ptr(), tuple.as_ptr())) }
    }

    /// Its text, if it is a `str`; lone surrogates become `?`-marks.
    pub(crate) fn to_text(&self, py: Attached<'_>) -> Option<String> {
        // SAFETY: a live object; the encoded form is copied before it goes.
        unsafe {
            if ffi::PyUnicode_Check(self.as_ptr()) == 0 {
                return None;
            }
            let bytes = Self::owned(
                py,
                ffi::PyUnicode_AsEncodedString(
                    self.as_ptr(),
                    c"utf-8".as_ptr(),
                    c"backslashreplace".as_ptr(),
                ),
            )?;
            let data = ffi::PyBytes_AsString(bytes.as_ptr()).cast::<u8>();
            let length = ffi::PyBytes_Size(bytes.as_ptr()) as usize;
            let bytes = std::slice::from_raw_parts(data, length);
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        // SAFETY: the object lives as long as `self`.
        unsafe { ffi::Py_INCREF(self.as_ptr()) };
        Self {
            ptr: self.ptr,
            _here: PhantomData,
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and its interpreter is attached.
        unsafe { ffi::Py_DECREF(self.as_ptr()) }
    }
}

/// Imports a module.
pub(crate) fn import(py: Attached<'_>, name: &CStr) -> Option<Object> {
    // SAFETY: a C string; the result is new.
    unsafe { Object::owned(py, ffi::PyImport_ImportModule(name.as_ptr())) }
}

/// A module, if it was imported before.
pub(crate) fn imported(py: Attached<'_>, name: &CStr) -> Option<Object> {
    // SAFETY: attached; new references.
    let module = unsafe {
        let name = Object::owned(py, ffi::PyUnicode_FromString(name.as_ptr()))?;
        Object::owned(py, ffi::PyImport_GetModule(name.as_ptr()))
    };
    clear_exception(py);
    module
}

/// A module that is compiled into Python. If it was not imported before, no finder of a script's is asked, and it is not
/// in `sys.modules` afterwards.
pub(crate) fn built_in(py: Attached<'_>, name: &CStr) -> Option<Object> {
    imported(py, name).or_else(|| {
        let importer = imported(py, c"_imp")?;
        let name = Object::text(py, name.to_str().ok()?)?;
        // SAFETY: attached; a live text; a new reference. It takes the place of a spec, of which the name is asked.
        let spec = unsafe { Object::owned(py, ffi::PyModule_NewObject(name.as_ptr()))? };
        spec.set(py, c"name", &name)?;
        let module = importer
            .attribute(py, c"create_builtin")?
            .call(py, &[&spec])?;
        importer
            .attribute(py, c"exec_builtin")?
            .call(py, &[&module])?;
        Some(module)
    })
}

/// The name of an object's type, as Python's own messages have it.
///
/// # Safety
/// `object` lives.
pub(crate) unsafe fn type_name_of(_: Attached<'_>, object: *mut ffi::PyObject) -> String {
    // SAFETY: every object has a type, and every type a name.
    let name = unsafe { CStr::from_ptr((*ffi::Py_TYPE(object)).tp_name) };
    name.to_string_lossy().into_owned()
}

/// Forgets the exception that is set, if any.
pub(crate) fn clear_exception(_: Attached<'_>) {
    // SAFETY: a thread state is attached.
    unsafe { ffi::PyErr_Clear() }
}
