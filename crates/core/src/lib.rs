//! Many isolated Python interpreters in one process: the lifecycle over CPython's C API.
//!
//! ```
//! use subpy_core::{Interpreter, InterpreterConfig, Runtime, RuntimeConfig};
//!
//! let runtime = Runtime::initialize(&RuntimeConfig::default())?;
//! let interpreter = Interpreter::create(InterpreterConfig::default())?;
//! interpreter.run("answer = 6 * 7")?;
//! let error = interpreter.run("raise ValueError(answer)").unwrap_err();
//! assert_eq!(error.message(), "42");
//! interpreter.destroy()?;
//! runtime.finalize()?;
//! # Ok::<(), subpy_core::Error>(())
//! ```
//!
//! # How it is built
//!
//! An interpreter has **one thread state of its own**, made with it and ended with it. Whichever
//! host thread runs something in the interpreter first *claims* it ([`local::interpreter::claim`]: one atomic
//! word, no lock), then carries that thread state ([`local::attach`] and [`local::enter`] alone attach and
//! detach any). No thread state is kept per host thread, so threads may come and go by the thousand.
//!
//! # Floors
//!
//! A folder is a room. A file uses what is on the floors below its own. Inside of a room, files use each other in one
//! direction: there is no circle. `tests/floors.rs` reads this list and checks that. From the bottom up:
//!
//! - `util`: small things that the standard library lacks
//! - `data`: values, errors, options, queues: what crosses, without Python
//! - `local::stack`: the stack that a thread is on, and another one where that is small
//! - `local::attach`: attaching a thread to an interpreter, and the proof of it
//! - `local::python`: CPython as it is: owned references, exceptions, functions of ours that it calls
//! - `local::memory`: how much memory each interpreter has
//! - `local::thread`: what is kept of a thread while it is in an interpreter: its attributes, its settings, its stack
//! - `local::cures`: what CPython gets wrong: one defect a file
//! - `local::enter`: how a thread enters an interpreter and leaves it, and gets back what it had
//! - `local::runtime_phase`: whether Python is started, or starts, or ends
//! - `local::objects`: objects of ours in an interpreter
//! - `local::buffers`: memory that crosses without a copy
//! - `local::convert`: values to objects, and back
//! - `local::functions`: the host's functions in Python, and the names by which a host finds objects
//! - `local::pickling`: objects that go to another interpreter
//! - `local::interpreter`: an interpreter's life, and what is done in it
//! - `local::runtime`: CPython's runtime, from its start to its end
//! - `queue`: queues as scripts have them
//! - `process`: interpreters in processes of their own
//! - `interpreter`: the handle, whatever stands behind it
//! - `scripting`: the package `subpy`, for scripts
//! - `creation`: how an interpreter of the host's comes to be
//! - `runtime`: Python as a whole; counts those who use it
#![allow(rustdoc::private_intra_doc_links)]

mod creation;
mod data;
mod interpreter;
mod local;
mod process;
mod queue;
pub mod runtime;
mod scripting;
mod util;

pub use data::config::{
    Backend, Budget, CacheLimits, CallOptions, Decision, FileOptions, Gil, Input,
    InterpreterConfig, Log, LogFn, OnDeadline, Output, RunOptions, RuntimeConfig,
};
pub use data::conversion::{Conversion, Objects};
pub use data::error::{
    Error, Exception, Frame, Link, MOST_FRAMES, MOST_NOTES, MOST_RELATED, Related, Result, Status,
};
pub use data::id::Id;
pub use data::object_handle::ObjectHandle;
pub use data::queue::Queue;
pub use data::source::Source;
pub use data::tree::OwnedValue;
pub use data::value::{Value, View};
pub use data::{kind, value};
pub use interpreter::Interpreter;
pub use local::convert::arguments::Arguments;
pub use local::functions::host_call::HostCall;
pub use local::functions::host_function::{FunctionOptions, Handler};
pub use local::interpreter::stats::Stats;
pub use local::memory::account::MemoryUsage;
pub use local::memory::reserve::WithReserve;
pub use local::objects::release::Release;
pub use runtime::{Feature, Runtime, worker_main};
pub use subpy_wire::{DateTime, Timedelta};
pub use util::growable;
