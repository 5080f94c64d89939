//! Defect: `threading` takes the OS thread that imports it first for the main thread. When an
//! interpreter ends, `threading._shutdown()` releases that thread's lock only if it runs in the same OS
//! thread; in another one it waits for the lock, which goes with the thread state that it runs on: for
//! ever.
//!
//! Has it: 3.12 and before; 3.13 keeps no lock in the thread state.
//!
//! And where `threading` was first imported on a thread state that is gone (a Python thread's; a temporary one
//! of ours), that lock is free, which it asserts not to be.
//!
//! Cure: before the end, the thread that ends the interpreter becomes what `threading` calls the main
//! thread, if that one's lock is still held: then it is the lock of the thread state that we carry. Else
//! no thread is.

use crate::local::attach::Attached;

/// To be called before an interpreter ends, while it is attached.
#[cfg(Py_3_13)]
pub(crate) fn move_here(_: Attached<'_>) {}

/// To be called before an interpreter ends, while it is attached.
#[cfg(not(Py_3_13))]
pub(crate) fn move_here(py: Attached<'_>) {
    use crate::local::python::object::{Object, clear_exception};
    use pyo3_ffi as ffi;

    let moved = || {
        let name = Object::text(py, "threading")?;
        // SAFETY: attached; results are new, arguments live.
        unsafe {
            let threading = Object::owned(py, ffi::PyImport_GetModule(name.as_ptr()))?;
            let main = threading.attribute(py, c"_main_thread")?;
            let lock = main.attribute(py, c"_tstate_lock")?;
            let locked = lock.attribute(py, c"locked")?.call(py, &[])?;
            let ident = if locked.as_ptr() == ffi::Py_True() {
                threading.attribute(py, c"get_ident")?.call(py, &[])?
            } else {
                Object::owned(py, ffi::PyLong_FromLong(0))?
            };
            ffi::PyObject_SetAttrString(main.as_ptr(), c"_ident".as_ptr(), ident.as_ptr());
        }
        Some(())
    };
    moved();
    clear_exception(py); // a script may have put anything in the module's place
}
