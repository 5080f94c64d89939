//! The program of interpreters that have processes of their own: it is started once, and forks a process for each.

use std::os::unix::ffi::OsStrExt;

fn main() {
    let argument = std::env::args_os().nth(1).unwrap_or_default();
    subpy_core::worker_main(argument.as_bytes());
    eprintln!(
        "subpy-worker is started by subpy, for interpreters that have processes of their own"
    );
    std::process::exit(2);
}
