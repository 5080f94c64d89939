//! Interpreters in processes of their own.
//!
//! A host and its worker share memory: see [`channel`]. What they say is written as `subpy_wire` has it, and the host
//! believes nothing of it.

pub(crate) mod all;
mod channel;
mod epoll;
mod failures;
mod family;
pub(crate) mod host;
mod items;
mod lines;
mod message;
mod operations;
mod options;
mod place;
mod protocol;
mod queues;
mod socket;
mod values;
mod watch;
mod worker;
mod zygote;

use crate::data::error::Result;
use crate::data::id::Id;
use crate::data::operation::Operation;
use crate::data::tree::OwnedValue;
use crate::local::interpreter::context::Context;
use crate::local::runtime::PrepareMain;

/// Does what a script wants, where the host is.
pub(crate) type Perform = Box<dyn Fn(&Operation<'_>) -> Result<OwnedValue>>;

/// What is above this room, for a worker.
#[derive(Clone, Copy)]
pub(crate) struct Preparation {
    /// Done in the main interpreter, before there is a worker.
    pub(crate) main: PrepareMain,
    /// Its scripts may create interpreters; they know it by this id.
    pub(crate) creator: fn(&Context<'_>, Id, Perform) -> Result<()>,
}

/// What `main` of a worker's program does first, with its only argument: nothing, if it is not started as one. Else it does
/// not return.
pub(crate) fn worker_main(argument: &[u8], preparation: Preparation) {
    if argument == protocol::ROLE.to_bytes() {
        std::process::exit(zygote::run(preparation));
    }
}
