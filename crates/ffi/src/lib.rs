//! subpy's C ABI.
//!
//! Each function checks its arguments, calls `subpy-core` inside the one panic boundary ([`boundary`]), and
//! turns the result into a [`subpy_status`](errors::subpy_status) and an owned error. There is no logic in
//! this crate.
//!
//! Each public module is a section of `include/subpy.h`, in this order: [`version`], [`errors`], [`runtime`],
//! [`interpreters`], [`running`], [`files`], [`namespaces`], [`control`], [`values`], [`data`], [`functions`], [`objects`], [`stays`], [`queues`]. `cbindgen` carries their
//! items and comments into `header/subpy.h.in`, so they are written for a reader of C.
#![allow(non_camel_case_types)]

mod arguments;
mod boundary;

pub mod control;
pub mod data;
pub mod errors;
pub mod files;
pub mod functions;
pub mod interpreters;
pub mod namespaces;
pub mod objects;
pub mod queues;
pub mod running;
pub mod runtime;
pub mod stays;
pub mod values;
pub mod version;

/// So that an allocation that fails does not end the host.
#[global_allocator]
static ALLOCATOR: subpy_core::WithReserve = subpy_core::WithReserve;

#[cfg(feature = "bench")]
mod bench;
