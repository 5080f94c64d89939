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
mod lines;
mod message;
mod options;
mod place;
mod protocol;
mod socket;
mod values;
mod watch;
mod worker;
mod zygote;

use crate::local::runtime::PrepareMain;

/// What `main` of a worker's program does first, with its only argument: nothing, if it is not started as one. Else it does
/// not return. `prepare` is done in the main interpreter.
pub(crate) fn worker_main(argument: &[u8], prepare: PrepareMain) {
    if argument == protocol::ROLE.to_bytes() {
        std::process::exit(zygote::run(prepare));
    }
}
