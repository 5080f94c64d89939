//! Instances of our types, Python objects that have a Rust value: a type for each kind of value and interpreter, and objects
//! that let go of their value without the GIL, since that may call the host.

use std::cell::OnceCell;
use std::ffi::{CStr, c_int, c_void};
use std::ops::Deref;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::local::attach::Attached;
use crate::local::enter;
use crate::local::objects::owner::Owner;
use crate::local::python::object::Object;

/// What an instance may have.
pub(crate) trait Class {
    /// Whether dropping it may call the host.
    fn calls_host(&self) -> bool;

    /// An instance that has it goes.
    fn forget(&self, _: &Owner) {}
}

/// A Python object of a type of ours.
#[repr(C)]
pub(crate) struct Instance<T> {
    base: ffi::PyObject,
    value: Option<Arc<T>>,
    owner: Option<Rc<Owner>>,
}

impl<T> Instance<T> {
    /// # Safety
    /// `object` is one of a type that [`new_type`] made for `T`, and lives as long as `'a`.
    #[inline]
    pub(crate) unsafe fn of<'a>(object: *mut ffi::PyObject) -> &'a Self {
        // SAFETY: the caller's promise.
        unsafe { &*object.cast() }
    }
}

impl<T> Instance<T> {
    /// What is its interpreter's own.
    #[inline]
    pub(crate) fn owner(&self) -> &Rc<Owner> {
        match &self.owner {
            Some(owner) => owner,
            None => unreachable!("set when it was made"),
        }
    }
}

impl<T> Deref for Instance<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("set when it was made"),
        }
    }
}

pub(crate) fn slot(slot: c_int, pfunc: *mut c_void) -> ffi::PyType_Slot {
    ffi::PyType_Slot { slot, pfunc }
}

/// Makes a type of objects that hold a `T`. `None`: an exception is set.
///
/// # Safety
/// The slots are right for such objects.
pub(crate) unsafe fn new_type<T: Class>(
    py: Attached<'_>,
    name: &'static CStr,
    slots: &[ffi::PyType_Slot],
) -> Option<Object> {
    let mut all = vec![slot(ffi::Py_tp_dealloc, dealloc::<T> as *mut c_void)];
    all.extend_from_slice(slots);
    all.push(slot(0, null_mut()));
    let mut flags = ffi::Py_TPFLAGS_DEFAULT;
    if !slots.iter().any(|slot| slot.slot == ffi::Py_tp_new) {
        flags |= ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    }
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: size_of::<Instance<T>>() as c_int,
        itemsize: 0,
        flags: flags as _,
        slots: all.as_mut_ptr(),
    };
    // SAFETY: the spec is read during the call.
    unsafe { Object::owned(py, ffi::PyType_FromSpec(&mut spec)) }
}

/// Makes an object that holds `value`, of a type that `make` makes at first. `None`: an exception is
/// set.
///
/// # Safety
/// Attached to the interpreter of `owner`; `kind` chooses the type for a `T`.
pub(crate) unsafe fn hold<T: Class>(
    py: Attached<'_>,
    kind: impl Fn(&Owner) -> &OnceCell<Object>,
    make: impl FnOnce(Attached<'_>) -> Option<Object>,
    value: Arc<T>,
    owner: &Rc<Owner>,
) -> Option<Object> {
    let kind = kind(owner);
    if kind.get().is_none() {
        match make(py) {
            Some(made) => drop(kind.set(made)),
            None => return refuse(value, owner),
        }
    }
    // SAFETY: attached; a new object of the type has room for an `Instance`, which starts as zeros.
    unsafe {
        let kind = kind.get()?.as_ptr().cast();
        let Some(object) = Object::owned(py, ffi::PyType_GenericAlloc(kind, 0)) else {
            return refuse(value, owner);
        };
        let instance = object.as_ptr().cast::<Instance<T>>();
        (&raw mut (*instance).value).write(Some(value));
        (&raw mut (*instance).owner).write(Some(owner.clone()));
        Some(object)
    }
}

#[cold]
fn refuse<T: Class>(value: Arc<T>, owner: &Owner) -> Option<Object> {
    let_go(value, owner);
    None
}

fn let_go<T: Class>(value: Arc<T>, owner: &Owner) {
    if value.calls_host() {
        enter::without_gil(owner.id, || drop(value));
    }
}

unsafe extern "C" fn dealloc<T: Class>(object: *mut ffi::PyObject) {
    // SAFETY: called once, by Python, attached. An object holds a reference to its heap type.
    unsafe {
        let instance = object.cast::<Instance<T>>();
        let (value, owner) = ((*instance).value.take(), (*instance).owner.take());
        if let (Some(value), Some(owner)) = (value, &owner) {
            value.forget(owner);
            let_go(value, owner);
        }
        let kind = ffi::Py_TYPE(object);
        ffi::PyObject_Free(object.cast());
        drop(owner);
        ffi::Py_DECREF(kind.cast());
    }
}
