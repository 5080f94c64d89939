//! What a new interpreter needs of the system. Before 3.12 CPython ends the process when it lacks any of it while an
//! interpreter is made; later versions write to stderr. So it is asked for first.

use std::fs::File;
use std::io;
use std::ptr::null_mut;

use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::python::exception::{MEMORY_ERROR, OS_ERROR};
use crate::local::python::object::Object;

/// More than is open at once while an interpreter is made.
const FILES: usize = 4;
/// More than an interpreter has when it is new.
const MEMORY: usize = 8 << 20;

/// Fails if the system has no more descriptors, or no more memory, for a new interpreter.
pub(super) fn check() -> Result<()> {
    let lacking = |what, why: io::Error| {
        let message = format!("the system has no more {what} for an interpreter: {why}");
        Err(Error::new(Status::NoMemory, message))
    };
    let mut files = [const { None }; FILES];
    for file in &mut files {
        match File::open("/dev/null") {
            Ok(open) => *file = Some(open),
            Err(why) if is_lack(why.raw_os_error()) => return lacking("descriptors", why),
            Err(_) => break, // a host that has no such file
        }
    }
    // SAFETY: a new mapping, which nobody else knows.
    unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let memory = libc::mmap(null_mut(), MEMORY, access, kind, -1, 0);
        if memory == libc::MAP_FAILED {
            return lacking("memory", io::Error::last_os_error());
        }
        libc::munmap(memory, MEMORY);
    }
    Ok(())
}

fn is_lack(errno: Option<i32>) -> bool {
    [libc::EMFILE, libc::ENFILE, libc::ENOMEM]
        .map(Some)
        .contains(&errno)
}

/// What an exception stands for, which the host has not caused: `NoMemory` if the system has lacked something.
pub(super) fn status_of(py: Attached<'_>, exception: &Object) -> Status {
    let errno = || {
        let errno = exception.attribute(py, c"errno")?;
        errno.is_int(py).then(|| errno.number(py) as i32)
    };
    if MEMORY_ERROR.has(py, exception) || OS_ERROR.has(py, exception) && is_lack(errno()) {
        Status::NoMemory
    } else {
        Status::Internal
    }
}
