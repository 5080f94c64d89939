//! The stack that the calling thread is on, and whether it has room for Python, whose limits are made for 8 MiB.
//!
//! Each way into an interpreter asks for a [`Room`], and goes by a stack of ours where there is none: that of the
//! interpreter, or one for once. A call from there goes on below, and comes by no other one as long as there is room.

mod bounds;
mod checkers;
mod current;
mod kept;
mod own;
mod room;

pub(crate) use self::bounds::{Stack, is_nearly_full};
pub(crate) use self::current::current;
pub(crate) use self::kept::KeptStack;
pub(crate) use self::own::{OwnStack, with_room_if_any};
pub(crate) use self::room::{Room, forbid_stack_switches};
