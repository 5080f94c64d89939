//! Gives the shared library its SONAME and lets it find its libpython at run time.

use std::env::var;

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let major = var("CARGO_PKG_VERSION_MAJOR").unwrap_or_default();
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsubpy.so.{major}");
    }
}
