//! What `make bench` measures and no header has: built with the feature `bench` alone.

use subpy_core::{Id, Interpreter};

use crate::boundary::enter;
use crate::errors::subpy_status;
use crate::interpreters::subpy_id;

/// Attaches the interpreter and detaches it, as every run does.
#[unsafe(no_mangle)]
pub extern "C" fn subpy_bench_attach(id: subpy_id) -> subpy_status {
    // SAFETY: no place for an error.
    unsafe {
        enter(std::ptr::null_mut(), || {
            Interpreter::at(Id::new(id), Interpreter::attach)
        })
    }
}
