//! `_thread.interrupt_main()` of an interpreter's scripts. CPython's own one interrupts the main interpreter, whatever
//! interpreter it is called in: somebody else's program gets a KeyboardInterrupt. Ours interrupts the run of its own
//! interpreter.

use std::ffi::CStr;
use std::ptr::null_mut;
use std::sync::Arc;

use pyo3_ffi as ffi;

use crate::interpreter::control::Control;
use crate::python::method::Method;
use crate::python::object::{Object, clear_exception, import};

const NAME: &CStr = c"subpy.interrupt_main";

/// The attached interpreter, whose control this is, gets the function. `None`: an exception is set.
pub(super) fn install(control: &Arc<Control>) -> Option<()> {
    static INTERRUPT_MAIN: Method =
        Method::new(c"interrupt_main", interrupt_main, ffi::METH_VARARGS);
    let module = import(c"_thread")?;
    let control = Arc::into_raw(control.clone()).cast_mut();
    // SAFETY: attached; the capsule owns what it holds; live objects.
    unsafe {
        let capsule = ffi::PyCapsule_New(control.cast(), NAME.as_ptr(), Some(forget));
        let Some(capsule) = Object::owned(capsule) else {
            drop(Arc::from_raw(control));
            return None;
        };
        let function = INTERRUPT_MAIN.bind(Some(&capsule))?;
        let name = c"interrupt_main".as_ptr();
        (ffi::PyObject_SetAttrString(module.as_ptr(), name, function.as_ptr()) == 0).then_some(())
    }
}

unsafe extern "C" fn forget(capsule: *mut ffi::PyObject) {
    // SAFETY: made by `install`, and given up once.
    unsafe {
        let control = ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr());
        drop(Arc::from_raw(control.cast::<Control>()));
    }
}

/// `interrupt_main(signum=SIGINT)`. There are no handlers of other signals, which it would call.
unsafe extern "C" fn interrupt_main(
    capsule: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by Python, attached, with `install`'s capsule, which keeps what it holds, and a tuple.
    unsafe {
        let mut signal = libc::SIGINT;
        let format = c"|i:interrupt_main".as_ptr();
        if ffi::PyArg_ParseTuple(arguments, format, &raw mut signal) == 0 {
            return null_mut();
        }
        if !(1..=libc::SIGRTMAX()).contains(&signal) {
            let message = c"signal number out of range".as_ptr();
            ffi::PyErr_SetString(ffi::PyExc_ValueError, message);
            return null_mut();
        }
        let control = ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr()).cast::<Control>();
        if signal == libc::SIGINT && !(*control).interrupt_by_script() {
            return null_mut();
        }
        clear_exception();
        Object::borrowed(ffi::Py_None()).map_or(null_mut(), Object::into_ptr)
    }
}
