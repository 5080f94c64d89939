//! Interpreters in processes of their own. In the making, and only with the feature `process`.
//!
//! A host and its worker share memory: see [`channel`]. What they say is written as `subpy_wire` has it, and the host
//! believes nothing of it.

mod channel;
mod failures;
mod family;
pub mod host;
mod message;
mod options;
mod socket;
mod values;
mod worker;
mod zygote;

/// What `main` of a worker's program does. The answer is the code that the process ends with.
#[doc(hidden)]
pub fn main(role: &str) -> i32 {
    match role {
        "zygote" => zygote::run(),
        _ => {
            eprintln!(
                "subpy-worker is started by subpy, for interpreters in processes of their own"
            );
            2
        }
    }
}
