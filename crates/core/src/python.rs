//! CPython as it is: owned references, thread states, exceptions, objects that hold ours.

pub(crate) mod arguments;
pub(crate) mod capsule;
pub(crate) mod collection;
pub(crate) mod entry;
pub(crate) mod exception;
pub(crate) mod floats;
pub(crate) mod here;
pub(crate) mod holder;
pub(crate) mod interpreter_dict;
pub(crate) mod marks;
pub(crate) mod method;
pub(crate) mod object;
pub(crate) mod own_code;
#[cfg(Py_3_12)]
pub(crate) mod pending_call;
pub(crate) mod stack;
pub(crate) mod thread_state;
pub(crate) mod uncancelled;
