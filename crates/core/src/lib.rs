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
//! host thread runs something in the interpreter first *claims* it ([`claim`]: one atomic word, no
//! lock), then carries that thread state ([`thread_state`], the only module that attaches and
//! detaches any). Nothing is kept per host thread, so threads may come and go by the thousand.
//!
//! From the bottom up: [`error`], [`config`]; [`object`] (owned references); [`memory`] (who
//! has how much); [`cures`] (what CPython
//! gets wrong, one defect a file); [`thread_state`]; [`output`], [`exception`], [`code_cache`],
//! [`contents`] (what is kept of an interpreter, and a run); [`claim`], [`timer`], [`control`],
//! [`deadline`] (interrupts and limits); [`creation`],
//! [`ending`], [`interpreter`] (its life); [`registry`] (ids); [`startup`], [`runtime`].
#![allow(rustdoc::private_intra_doc_links)]

mod claim;
mod code_cache;
mod config;
mod contents;
mod control;
mod creation;
mod cures;
mod deadline;
mod ending;
mod error;
mod exception;
mod interpreter;
mod memory;
mod object;
mod output;
mod registry;
pub mod runtime;
mod startup;
mod stats;
mod thread_state;
mod timer;

pub use config::{CacheLimits, Gil, InterpreterConfig, Output, RunOptions, RuntimeConfig};
pub use deadline::{Decision, OnDeadline};
pub use error::{Error, Exception, Status};
pub use interpreter::Interpreter;
pub use memory::MemoryUsage;
pub use runtime::{Feature, Runtime};
pub use stats::Stats;

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An interpreter's id: 0 is the main one; none is given out twice in a process.
pub type Id = i64;
