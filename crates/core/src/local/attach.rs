//! Attaching a thread to an interpreter: holding its GIL, with a thread state of it. And the proof of it.

mod current;
pub(crate) mod gilstate_slot;
mod making;
mod proof;

pub(in crate::local) use self::current::{attached, attached_with};
pub(crate) use self::current::{attached_interpreter, is_attached};
#[cfg(not(Py_3_12))]
pub(in crate::local) use self::making::alone;
pub(crate) use self::making::keep_some;
pub(in crate::local) use self::making::new_state;
pub(in crate::local) use self::proof::attach;
pub(crate) use self::proof::{Attached, Current};
