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
    use crate::local::python::object::{Object, clear_exception, imported};

    let moved = || {
        let threading = imported(py, c"threading")?;
        let main = threading.attribute(py, c"_main_thread")?;
        let lock = main.attribute(py, c"_tstate_lock")?;
        let locked = lock.attribute(py, c"locked")?.call(py, &[])?;
        let ident = match locked.is_true(py) {
            true => threading.attribute(py, c"get_ident")?.call(py, &[])?,
            false => Object::int(py, 0)?,
        };
        main.set(py, c"_ident", &ident)
    };
    moved();
    clear_exception(py); // a script may have put anything in the module's place
}
