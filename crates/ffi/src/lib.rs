//! subpy's C ABI.
//!
//! Every function here checks its arguments, calls `subpy-core` inside the one panic boundary
//! ([`boundary`]) and turns the result into a [`subpy_status`](status::subpy_status) and an owned
//! error. There is no logic in this crate. Its documentation comments are the header's: `cbindgen`
//! carries them into `include/subpy.h`, so they are written for a C reader.
#![allow(non_camel_case_types)]

mod arguments;
#[cfg(feature = "bench")]
mod bench;
mod boundary;
pub mod config;
pub mod error;
pub mod host_function;
pub mod id;
pub mod interpreter;
pub mod runtime;
pub mod stats;
pub mod status;
pub mod value;
