//! Defect: Python waits for a child process only where the script does. One that a script has started and forgotten
//! stays a zombie until the host ends.
//!
//! Has it: all versions. `subprocess` looks after what it has dropped only when the same interpreter starts the next one.
//!
//! Cure: the functions that start processes record what they start. After an interpreter's end, its children that have
//! ended are reaped, each by itself. Those that still run are left alone, and looked after when the next interpreter
//! ends.
//!
//! Why that reaps no stranger: a number may be another process's by then, which the host has started. So a process is
//! known by its number and the time when it was started. A pidfd holds on to the process while the two are compared.
//! Without pidfds (Linux 5.4) or `/proc`, nothing is reaped.

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libc::pid_t;

use super::stdlib_functions::Functions;
use crate::local::attach::Attached;
use crate::local::python::method::method;
use crate::local::python::thread_states;

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[],
    c"
def replacers(call, put, at_end):
    def recorded(start):
        def started(*arguments, **options):
            pid = start(*arguments, **options)
            call(pid)
            return pid

        started.__name__ = start.__name__
        return started

    return {
        'posix': lambda posix: put(posix, *map(recorded, (posix.fork, posix.posix_spawn, posix.posix_spawnp))),
        '_posixsubprocess': lambda module: put(module, recorded(module.fork_exec)),
    }
",
    call,
)
.at_first_call(&[
    (c"posix", &[c"fork", c"posix_spawn", c"posix_spawnp"]),
    (c"_posixsubprocess", &[c"fork_exec"]),
]);

// `call(pid)`: a child was started. 0: this process is the child.
method!(call, |py, _, Some(arguments)| {
    let pid = arguments.at(py, 0)?.number(py) as pid_t;
    if pid > 0
        && let Some(started) = start_time(pid)
    {
        record(py, pid, started);
    }
    Object::none(py)
});

struct Child {
    pid: pid_t,
    started: u64,
    /// CPython's interpreter, as an address; 0: it has ended.
    interpreter: usize,
    /// It was told to end.
    ends: bool,
}

/// Those that scripts have started, and some that are gone. Nobody waits for anything while it is held.
static CHILDREN: Mutex<Vec<Child>> = Mutex::new(Vec::new());

fn children() -> MutexGuard<'static, Vec<Child>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record(py: Attached<'_>, pid: pid_t, started: u64) {
    let mut children = children();
    if children.len() == children.capacity() {
        children.retain(Child::exists);
        let as_many = children.len() + 16;
        children.reserve(as_many);
    }
    children.push(Child {
        pid,
        started,
        interpreter: thread_states::interpreter(py) as usize,
        ends: false,
    });
}

/// A child was told to end, and does so soon if no other one keeps it.
pub(super) fn ends(pid: pid_t) {
    let mut children = children();
    for child in children.iter_mut().filter(|child| child.pid == pid) {
        child.ends = true;
    }
}

/// Reaps what has ended of the children of an interpreter, which is gone, and of those that went before. If nothing is
/// left of it but what was told to end, that is waited for, for as long as `timeout`.
pub(crate) fn reap(interpreter: usize, timeout: Duration) {
    let mut left = Vec::new();
    children().retain_mut(|child| {
        let stays = child.interpreter != 0 && child.interpreter != interpreter;
        if !stays {
            left.push(Child { ..*child });
        }
        stays
    });
    left.retain(|child| !child.reap());
    let is_its = |child: &&Child| child.interpreter == interpreter;
    if left.iter().filter(is_its).all(|child| child.ends) {
        let end = Instant::now() + timeout;
        left.retain(|child| !(is_its(&child) && child.reap_until(end)));
    }
    for child in &mut left {
        child.interpreter = 0;
    }
    children().append(&mut left);
}

impl Child {
    fn exists(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Reaps it if it has ended. Whether nothing is left to do.
    fn reap(&self) -> bool {
        self.reap_until(Instant::now())
    }

    fn reap_until(&self, end: Instant) -> bool {
        let process = match open(self.pid) {
            Ok(process) => process,
            Err(e) => return ![Some(libc::EMFILE), Some(libc::ENFILE)].contains(&e.raw_os_error()),
        };
        if !self.exists() {
            return true;
        }
        let left = end.saturating_duration_since(Instant::now());
        let mut ended = libc::pollfd {
            fd: process.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one entry; a place that the call fills.
        unsafe {
            libc::poll(&mut ended, 1, left.as_millis() as i32);
            let mut info: libc::siginfo_t = zeroed();
            let (which, how) = (process.as_raw_fd() as u32, libc::WEXITED | libc::WNOHANG);
            libc::waitid(libc::P_PIDFD, which, &mut info, how) != 0 || info.si_pid() != 0
        }
    }
}

fn open(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: a new descriptor is ours.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            -1 => Err(io::Error::last_os_error()),
            process => Ok(OwnedFd::from_raw_fd(process as i32)),
        }
    }
}

/// When a process was started: the 22nd number that the kernel tells of it, behind the name in brackets.
fn start_time(pid: pid_t) -> Option<u64> {
    let told = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let told = String::from_utf8_lossy(&told);
    let (_, behind_name) = told.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(19)?.parse().ok()
}
