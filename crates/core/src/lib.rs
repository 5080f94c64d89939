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
//! host thread runs something in the interpreter first *claims* it ([`interpreter::claim`]: one atomic
//! word, no lock), then carries that thread state ([`python::thread_state`], the only module that attaches and
//! detaches any). No thread state is kept per host thread, so threads may come and go by the thousand.
//!
//! From the bottom up: [`python`] (owned references, thread states, exceptions), [`cures`] (what CPython
//! gets wrong: one defect a file), [`memory`] (who has how much), [`values`] (data in and out),
//! [`functions`], [`interpreter`] (an interpreter's life, and what is done in it), [`crossing`] and
//! [`queue`] (between interpreters), [`scripting`] (an interpreter's life, for scripts),
//! [`runtime`] (Python's life).
#![allow(rustdoc::private_intra_doc_links)]

mod config;
mod crossing;
mod cures;
mod error;
mod functions;
pub mod growable;
mod interpreter;
mod memory;
mod python;
mod queue;
pub mod runtime;
mod scripting;
mod thread;
mod thread_local;
mod timer;
mod values;

pub use config::{
    Backend, CacheLimits, CallOptions, Decision, Gil, InterpreterConfig, OnDeadline, Output,
    RunOptions, RuntimeConfig,
};
pub use error::{Error, Exception, Status};
pub use functions::host_call::HostCall;
pub use functions::host_function::{FunctionOptions, Handler};
pub use interpreter::Interpreter;
pub use interpreter::stats::Stats;
pub use memory::account::MemoryUsage;
pub use memory::reserve::WithReserve;
pub use runtime::{Feature, Runtime};
pub use values::convert::Conversion;
pub use values::lending::Lending;
pub use values::queue::Queue;
pub use values::release::Release;
pub use values::tree::OwnedValue;
pub use values::value::{Value, View};
pub use values::{kind, value};

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An interpreter's id: 0 is the main one; none is given out twice in a process.
pub type Id = i64;
