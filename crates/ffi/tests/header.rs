//! `include/subpy.h` is what cbindgen makes of this crate. With `SUBPY_WRITE_HEADER=1` this test
//! writes it, otherwise it fails where the two differ.

use std::path::Path;
use std::{env, fs};

fn generate(crate_dir: &Path) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml")).unwrap();
    config.header = Some(fs::read_to_string(crate_dir.join("header/top.h")).unwrap());
    config.after_includes = Some(format!(
        "\n/** The version of this header; subpy_version() is that of the library. */\n\
         #define SUBPY_VERSION \"{version}\"\n\
         #define SUBPY_VERSION_MAJOR {} /**< As a number. */\n\
         #define SUBPY_VERSION_MINOR {} /**< As a number. */\n\
         #define SUBPY_VERSION_PATCH {} /**< As a number. */\n\n{}",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
        fs::read_to_string(crate_dir.join("header/defaults.h"))
            .unwrap()
            .trim_end(),
    ));
    let bindings = cbindgen::Builder::new()
        .with_src(crate_dir.join("../core/src/values/value.rs"))
        // For with_crate(), cbindgen would run a cargo that knows nothing of vendored crates.
        .with_src(crate_dir.join("src/lib.rs"))
        .with_config(config)
        .generate()
        .unwrap();
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = without_rust_sections(&String::from_utf8(header).unwrap());
    let helpers = fs::read_to_string(crate_dir.join("header/values.h")).unwrap();
    let end = header.rfind("#endif").unwrap();
    format!("{}{helpers}\n{}", &header[..end], &header[end..])
}

/// Drops the `# Safety` sections, which are Rust's: C's contract is the rest of each comment.
fn without_rust_sections(header: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut dropping = false;
    for line in header.lines() {
        if line.trim() == "* # Safety" {
            dropping = true;
            while kept.last().is_some_and(|l| l.trim() == "*") {
                kept.pop();
            }
        }
        dropping &= line.trim() != "*/";
        if !dropping {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

#[test]
fn the_header_is_what_cbindgen_makes() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked_in = crate_dir.join("../../include/subpy.h");
    let generated = generate(crate_dir);
    if env::var_os("SUBPY_WRITE_HEADER").is_some() {
        fs::write(&checked_in, &generated).unwrap();
    }
    let header = fs::read_to_string(&checked_in).unwrap_or_default();
    assert!(
        header == generated,
        "include/subpy.h is not what cbindgen makes of crates/ffi; run `make header`"
    );
}
