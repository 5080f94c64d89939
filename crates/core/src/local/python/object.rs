//! The one owned reference to a Python object, and the few operations that the crate needs.

use std::ffi::{CStr, c_long};
use std::marker::PhantomData;
use std::ptr::{NonNull, from_ref, null_mut};

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

    /// A reference that somebody else keeps. `None`: NULL.
    ///
    /// # Safety
    /// The place has NULL or an object of the attached interpreter, which lives as long as that is borrowed.
    #[inline]
    pub(crate) unsafe fn lent<'a>(
        _: Attached<'_>,
        place: &'a *mut ffi::PyObject,
    ) -> Option<&'a Self> {
        // SAFETY: the caller's promise; an `Object` is a pointer, whose `None` is NULL.
        unsafe { &*from_ref(place).cast::<Option<Self>>() }.as_ref()
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

    /// An `int` that is not negative.
    pub(crate) fn unsigned(py: Attached<'_>, n: u64) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyLong_FromUnsignedLongLong(n)) }
    }

    /// A new `dict`.
    pub(crate) fn dict(py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; a new reference.
        unsafe { Self::owned(py, ffi::PyDict_New()) }
    }

    /// A new `list`.
    /// A new list of strs.
    pub(crate) fn list_of<T: AsRef<str>>(py: Attached<'_>, texts: &[T]) -> Option<Self> {
        let list = Self::list(py)?;
        for text in texts {
            list.append(py, &Self::text(py, text.as_ref())?)?;
        }
        Some(list)
    }

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

    /// Sets an item of a dict by any key. `None`: an exception is set.
    pub(crate) fn set_key(&self, _: Attached<'_>, key: &Object, value: &Object) -> Option<()> {
        // SAFETY: attached; live objects.
        let done = unsafe { ffi::PyDict_SetItem(self.as_ptr(), key.as_ptr(), value.as_ptr()) };
        (done == 0).then_some(())
    }

    /// What a dict has under this key.
    pub(crate) fn at_key(&self, py: Attached<'_>, key: &Object) -> Option<Self> {
        // SAFETY: attached; a live dict and a live object; the borrowed reference is made ours.
        unsafe {
            let found = ffi::PyDict_GetItemWithError(self.as_ptr(), key.as_ptr());
            Self::borrowed(py, found)
        }
    }

    /// Takes a key out of a dict. `None`: an exception is set.
    pub(crate) fn remove_key(&self, _: Attached<'_>, key: &Object) -> Option<()> {
        // SAFETY: attached; live objects.
        (unsafe { ffi::PyDict_DelItem(self.as_ptr(), key.as_ptr()) } == 0).then_some(())
    }

    /// The keys and values that a dict has now. What is no dict has none.
    pub(crate) fn pairs(&self, py: Attached<'_>) -> Vec<(Self, Self)> {
        let mut pairs = Vec::new();
        let (mut at, mut key, mut value) = (0, null_mut(), null_mut());
        // SAFETY: attached; a live object, which nothing changes meanwhile; borrowed references are made ours.
        unsafe {
            while ffi::PyDict_Next(self.as_ptr(), &mut at, &mut key, &mut value) != 0 {
                pairs.extend(Self::borrowed(py, key).zip(Self::borrowed(py, value)));
            }
        }
        pairs
    }

    /// A dict is empty from now on.
    pub(crate) fn clear(&self, _: Attached<'_>) {
        // SAFETY: attached; a live object. What is no dict stays as it is.
        unsafe { ffi::PyDict_Clear(self.as_ptr()) };
    }

    /// What a tuple has at this place. `None`: an exception is set.
    pub(crate) fn at(&self, py: Attached<'_>, index: isize) -> Option<Self> {
        // SAFETY: attached; a live object; the borrowed reference is made ours.
        unsafe { Self::borrowed(py, ffi::PyTuple_GetItem(self.as_ptr(), index)) }
    }

    /// How many items a tuple has. -1: an exception is set, for it is none.
    pub(crate) fn count(&self, _: Attached<'_>) -> isize {
        // SAFETY: attached; a live object.
        unsafe { ffi::PyTuple_Size(self.as_ptr()) }
    }

    /// The items that a list has now, one by one, until one is gone. An exception may be set afterwards.
    pub(crate) fn items<'a>(&'a self, py: Attached<'a>) -> impl Iterator<Item = Self> + 'a {
        // SAFETY: attached; a live object.
        let count = unsafe { ffi::PyList_Size(self.as_ptr()) };
        // SAFETY: as above; the borrowed reference is made ours.
        (0..count).map_while(move |i| unsafe {
            Self::borrowed(py, ffi::PyList_GetItem(self.as_ptr(), i))
        })
    }

    /// Adds an item to a list. `None`: an exception is set.
    pub(crate) fn append(&self, _: Attached<'_>, item: &Object) -> Option<()> {
        // SAFETY: attached; live objects.
        (unsafe { ffi::PyList_Append(self.as_ptr(), item.as_ptr()) } == 0).then_some(())
    }

    /// The value of an `int`. -1: it may be that, or an exception is set.
    pub(crate) fn number(&self, _: Attached<'_>) -> c_long {
        // SAFETY: attached; a live object.
        unsafe { ffi::PyLong_AsLong(self.as_ptr()) }
    }

    pub(crate) fn is_int(&self, _: Attached<'_>) -> bool {
        // SAFETY: attached; a live object.
        unsafe { ffi::PyLong_Check(self.as_ptr()) != 0 }
    }

    pub(crate) fn is_none(&self, _: Attached<'_>) -> bool {
        // SAFETY: an address, which is asked for while attached.
        self.as_ptr() == unsafe { ffi::Py_None() }
    }

    /// Whether it is True itself.
    pub(crate) fn is_true(&self, _: Attached<'_>) -> bool {
        // SAFETY: as above.
        self.as_ptr() == unsafe { ffi::Py_True() }
    }

    /// Whether Python takes it for true. `None`: an exception is set.
    pub(crate) fn truth(&self, _: Attached<'_>) -> Option<bool> {
        // SAFETY: attached; a live object.
        let truth = unsafe { ffi::PyObject_IsTrue(self.as_ptr()) };
        (truth != -1).then_some(truth != 0)
    }

    /// Its class.
    pub(crate) fn class(&self, py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; every object has a class, which lives as long.
        unsafe { Self::borrowed(py, ffi::Py_TYPE(self.as_ptr()).cast()) }
    }

    /// The name of its type, as Python's own messages have it.
    pub(crate) fn type_name(&self, _: Attached<'_>) -> String {
        // SAFETY: every object has a type, and every type a name.
        let name = unsafe { CStr::from_ptr((*ffi::Py_TYPE(self.as_ptr())).tp_name) };
        name.to_string_lossy().into_owned()
    }

    /// The dict of a module. `None`: it is none, and an exception is set.
    pub(crate) fn names(&self, py: Attached<'_>) -> Option<Self> {
        // SAFETY: attached; a live object; the borrowed reference is made ours.
        unsafe { Self::borrowed(py, ffi::PyModule_GetDict(self.as_ptr())) }
    }

    /// Calls it with positional arguments.
    pub(crate) fn call(&self, py: Attached<'_>, arguments: &[&Object]) -> Option<Self> {
        self.call_with(py, &Self::tuple(py, arguments)?)
    }

    /// Calls it with a tuple of arguments.
    pub(crate) fn call_with(&self, py: Attached<'_>, arguments: &Object) -> Option<Self> {
        // SAFETY: attached; live objects; the result is new.
        unsafe {
            Self::owned(
                py,
                ffi::PyObject_CallObject(self.as_ptr(), arguments.as_ptr()),
            )
        }
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
            Some(String::from_utf8_lossy(bytes.bytes(py)?).into_owned())
        }
    }

    /// Its bytes, if it is a `str` of ASCII.
    pub(crate) fn ascii(&self, _: Attached<'_>) -> Option<&[u8]> {
        // SAFETY: attached; a live object, which keeps its UTF-8 and never changes.
        unsafe {
            if ffi::PyUnicode_Check(self.as_ptr()) == 0 {
                return None;
            }
            let mut length = 0;
            let data = ffi::PyUnicode_AsUTF8AndSize(self.as_ptr(), &mut length);
            if data.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(std::slice::from_raw_parts(
                data.cast::<u8>(),
                length as usize,
            ))
            .filter(|text| text.is_ascii())
        }
    }

    /// What `bytes` are.
    pub(crate) fn bytes(&self, _: Attached<'_>) -> Option<&[u8]> {
        // SAFETY: attached; a live object, which never changes what it has.
        unsafe {
            if ffi::PyBytes_Check(self.as_ptr()) == 0 {
                return None;
            }
            let data = ffi::PyBytes_AsString(self.as_ptr()).cast::<u8>();
            let length = ffi::PyBytes_Size(self.as_ptr()) as usize;
            Some(std::slice::from_raw_parts(data, length))
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
    #[inline]
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
    let module = imported_as(py, &Object::text(py, name.to_str().ok()?)?);
    clear_exception(py);
    module
}

/// As above, but an exception may be set.
pub(crate) fn imported_as(py: Attached<'_>, name: &Object) -> Option<Object> {
    // SAFETY: attached; a live object; a new reference.
    unsafe { Object::owned(py, ffi::PyImport_GetModule(name.as_ptr())) }
}

/// A new module, whose name may be anything. `None`: an exception is set.
pub(crate) fn new_module(py: Attached<'_>, name: &Object) -> Option<Object> {
    // SAFETY: attached; a live object; a new reference.
    unsafe { Object::owned(py, ffi::PyModule_NewObject(name.as_ptr())) }
}

/// `type.__subclasses__`, and the class of which all are: `object`.
#[cfg(Py_3_12)]
pub(crate) fn subclasses_and_object(py: Attached<'_>) -> Option<(Object, Object)> {
    // SAFETY: attached; types that live as long as Python.
    let [types, object] = unsafe {
        [&raw mut ffi::PyType_Type, &raw mut ffi::PyBaseObject_Type]
            .map(|class| Object::borrowed(py, class.cast()))
    };
    Some((types?.attribute(py, c"__subclasses__")?, object?))
}

/// What `sys` has under this name.
pub(crate) fn in_sys(py: Attached<'_>, name: &CStr) -> Option<Object> {
    // SAFETY: attached; the borrowed reference is made ours.
    unsafe { Object::borrowed(py, ffi::PySys_GetObject(name.as_ptr())) }
}

/// Sets what `sys` has. `None`: an exception is set.
pub(crate) fn set_in_sys(_: Attached<'_>, name: &CStr, value: &Object) -> Option<()> {
    // SAFETY: attached; a live object.
    (unsafe { ffi::PySys_SetObject(name.as_ptr(), value.as_ptr()) } == 0).then_some(())
}

/// A module that is compiled into Python. If it was not imported before, no finder of a script's is asked, and it is not
/// in `sys.modules` afterwards.
pub(crate) fn built_in(py: Attached<'_>, name: &CStr) -> Option<Object> {
    imported(py, name).or_else(|| {
        let importer = imported(py, c"_imp")?;
        let name = Object::text(py, name.to_str().ok()?)?;
        let spec = new_module(py, &name)?; // in the place of a spec, of which the name is asked
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

/// Forgets the exception that is set, if any.
pub(crate) fn clear_exception(_: Attached<'_>) {
    // SAFETY: a thread state is attached.
    unsafe { ffi::PyErr_Clear() }
}
