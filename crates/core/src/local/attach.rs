//! Attaching a thread to an interpreter: holding its GIL, with a thread state of it. And the proof of it.

mod attached;
mod current;
pub(crate) mod gilstate_slot;
mod new_state;

pub(crate) use self::attached::{Attached, Current};
pub(in crate::local) use self::attached::{attach, still_attached};
pub(in crate::local) use self::current::{attached, attached_with, is_attached_to};
pub(crate) use self::current::{attached_interpreter, is_attached};
#[cfg(not(Py_3_12))]
pub(in crate::local) use self::new_state::alone;
pub(crate) use self::new_state::keep_some;
pub(in crate::local) use self::new_state::new_state;
