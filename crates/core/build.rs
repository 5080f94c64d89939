//! Tells the code which Python it is built for, and its tests where that Python's library is.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    let version = pyo3_build_config::get().version();
    println!("cargo:rustc-env=SUBPY_PYTHON={version}");
    pyo3_build_config::add_libpython_rpath_link_args();
}
