//! Lets the program find the Python library that it is built for.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
    // What is bound before the fork is bound in no worker again.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,now");
}
