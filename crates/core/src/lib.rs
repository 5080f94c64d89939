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
//!
//! Data: [`value`] (plain data in C's layout, built by the host), [`tree`] (what we hand out: one
//! allocation), [`convert`] (between those and Python objects), [`names`] (what a host calls things
//! by). What crosses without a copy: [`host_memory`] (the host's memory in Python), [`pin`] (Python's
//! memory in the host). [`host_function`], [`host_call`]. What a host lends is given back exactly once:
//! [`release`], [`lending`], [`holder`] (the Python objects that keep it).
#![allow(rustdoc::private_intra_doc_links)]

mod claim;
mod code_cache;
mod config;
mod contents;
mod control;
mod convert;
mod creation;
mod cures;
mod deadline;
mod ending;
mod error;
mod exception;
mod holder;
mod host_call;
mod host_function;
mod host_memory;
mod interpreter;
pub mod kind;
mod lending;
mod local;
mod memory;
mod names;
mod object;
mod output;
mod pin;
mod registry;
mod release;
pub mod runtime;
mod startup;
mod stats;
mod thread_state;
mod timer;
mod tree;
pub mod value;

pub use config::{
    CacheLimits, CallOptions, Gil, InterpreterConfig, Output, RunOptions, RuntimeConfig,
};
pub use convert::Conversion;
pub use deadline::{Decision, OnDeadline};
pub use error::{Error, Exception, Status};
pub use host_call::HostCall;
pub use host_function::{FunctionOptions, Handler};
pub use interpreter::Interpreter;
pub use lending::Lending;
pub use memory::MemoryUsage;
pub use release::Release;
pub use runtime::{Feature, Runtime};
pub use stats::Stats;
pub use tree::OwnedValue;
pub use value::{Value, View};

/// What a call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An interpreter's id: 0 is the main one; none is given out twice in a process.
pub type Id = i64;
