//! Defect: `multiprocessing` starts servers for an interpreter: the resource tracker, for shared memory and locks, and
//! the fork server. They end when a pipe is closed, which nobody does before the process ends. Until then, each
//! interpreter leaves a Python process and a descriptor.
//!
//! Has it: the resource tracker 3.13.0 and before (3.13.5 does not); the fork server all versions.
//!
//! Cure: at an interpreter's end their pipes are closed, when exit functions and finalizers have run, which may use
//! shared memory. The pipe is known by the server object's dict. That outlives the object in the interpreter's own
//! dictionary, which goes after all modules. If a finalizer has started a server again, or stopped it, the dict knows.

use std::ffi::CStr;
use std::ptr::from_ref;

use libc::c_int;
use pyo3_ffi as ffi;

use super::child_processes;
use crate::local::attach::{Attached, Current};
use crate::local::python::interpreter_dict::keep;
use crate::local::python::object::{Object, clear_exception, imported};

struct Server {
    module: &'static CStr,
    name: &'static CStr,
    pipe: &'static CStr,
    pid: &'static CStr,
}

static SERVERS: [Server; 2] = [
    Server {
        module: c"multiprocessing.forkserver",
        name: c"_forkserver",
        pipe: c"_forkserver_alive_fd",
        pid: c"_forkserver_pid",
    },
    Server {
        module: c"multiprocessing.resource_tracker",
        name: c"_resource_tracker",
        pipe: c"_fd",
        pid: c"_pid",
    },
];

/// Has the servers stopped at the end of the attached interpreter. To be called when nothing but that is left to do.
pub(crate) fn stop_at_end(py: Attached<'_>) {
    for server in &SERVERS {
        server.stop_at_end(py);
        clear_exception(py);
    }
}

impl Server {
    fn stop_at_end(&'static self, py: Attached<'_>) -> Option<()> {
        let state = imported(py, self.module)?
            .attribute(py, self.name)?
            .attribute(py, c"__dict__")?;
        // SAFETY: attached; live objects and static strings. The capsule takes over a reference to the dict.
        unsafe {
            if ffi::PyDict_Check(state.as_ptr()) == 0 {
                return None;
            }
            let dict = state.as_ptr().cast();
            let capsule =
                Object::owned(py, ffi::PyCapsule_New(dict, self.name.as_ptr(), Some(stop)))?;
            state.into_ptr();
            ffi::PyCapsule_SetContext(capsule.as_ptr(), from_ref(self).cast_mut().cast());
            keep(py, self.name, &capsule)
        }
    }
}

unsafe extern "C" fn stop(capsule: *mut ffi::PyObject) {
    let current = Current::get();
    let py = current.attached();
    // SAFETY: called once, attached, with a capsule as made above.
    unsafe {
        let server: &Server = &*ffi::PyCapsule_GetContext(capsule).cast_const().cast();
        let dict = ffi::PyCapsule_GetPointer(capsule, server.name.as_ptr());
        let Some(state) = Object::owned(py, dict.cast()) else {
            return;
        };
        let number = |name: &CStr| {
            let number = state.item(py, name)?;
            number.is_int(py).then(|| number.number(py) as c_int)
        };
        if let (Some(pipe), Some(pid)) = (number(server.pipe), number(server.pid)) {
            libc::close(pipe);
            child_processes::ends(pid);
        }
    }
}
