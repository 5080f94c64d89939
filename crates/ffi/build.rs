//! Gives the shared library its SONAME and lets it find its libpython at run time.

use std::env::var;
use std::fs::read_to_string;

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let abi = abi();
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsubpy.so.{abi}");
        // A plugin that is unloaded leaves no jump into nothing.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

/// The version of the ABI, as the workspace's manifest states it.
fn abi() -> String {
    const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    println!("cargo:rerun-if-changed={MANIFEST}");
    let manifest = read_to_string(MANIFEST).expect("the workspace's Cargo.toml");
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("abi = \""));
    let abi = line.and_then(|rest| rest.strip_suffix('"'));
    abi.expect("a line such as abi = \"1.2\"").to_owned()
}
