//! CPython as it is: owned references, exceptions, functions that it calls.

pub(crate) mod arguments;
pub(crate) mod capsule;
pub(crate) mod embedded_code;
pub(crate) mod exception;
pub(crate) mod gc_pause;
pub(crate) mod gil;
pub(crate) mod interpreter_dict;
pub(crate) mod method;
pub(crate) mod object;
#[cfg(Py_3_12)]
pub(crate) mod pending_call;
pub(crate) mod snapshot;
mod source_lines;
pub(crate) mod status;
pub(crate) mod str_arguments;
pub(crate) mod thread_states;
mod traceback;
