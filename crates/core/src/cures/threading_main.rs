//! Defect: `threading` takes the OS thread that imports it first for the main thread. When an
//! interpreter ends, `threading._shutdown()` releases that thread's lock only if it runs in the same OS
//! thread; in another one it waits for the lock, which goes with the thread state that it runs on: for
//! ever.
//!
//! Has it: 3.12 and before; 3.13 keeps no lock in the thread state.
//!
//! Cure: before the end, the thread that ends the interpreter becomes what `threading` calls the main
//! thread, if that one's lock is still held: then it is the lock of the thread state that we carry.

/// To be called before an interpreter ends, while it is attached.
#[cfg(Py_3_13)]
pub(crate) fn move_here() {}

/// To be called before an interpreter ends, while it is attached.
#[cfg(not(Py_3_13))]
pub(crate) fn move_here() {
    use crate::python::object::{Object, clear_exception};
    use pyo3_ffi as ffi;

    let moved = || {
        let name = Object::text("threading")?;
        // SAFETY: attached; results are new, arguments live.
        unsafe {
            let threading = Object::owned(ffi::PyImport_GetModule(name.as_ptr()))?;
            let main = threading.attribute(c"_main_thread")?;
            let lock = main.attribute(c"_tstate_lock")?;
            let locked = lock.attribute(c"locked")?.call(&[])?;
            if locked.as_ptr() == ffi::Py_True() {
                let here = threading.attribute(c"get_ident")?.call(&[])?;
                ffi::PyObject_SetAttrString(main.as_ptr(), c"_ident".as_ptr(), here.as_ptr());
            }
        }
        Some(())
    };
    moved();
    clear_exception(); // a script may have put anything in the module's place
}
