//! `include/subpy.h` is `header/subpy.h.in`, with what cbindgen makes of this crate's modules in it, and
//! `docs/conventions.md` is its first comment. With `SUBPY_WRITE_HEADER=1` this test writes both, otherwise it
//! fails where one differs.

use std::path::Path;
use std::{env, fs};

use cbindgen::{Builder, Config, ItemType};

const TYPES: [ItemType; 6] = [
    ItemType::Constants,
    ItemType::Enums,
    ItemType::OpaqueItems,
    ItemType::Structs,
    ItemType::Typedefs,
    ItemType::Unions,
];

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A line `@types MODULE` or `@functions MODULE` stands for those items of the module.
fn header() -> String {
    let mut header = String::new();
    for line in read(crate_dir().join("header/subpy.h.in")).lines() {
        match line.split_once(' ') {
            Some(("@types", module)) => header += &items(module, &TYPES),
            Some(("@functions", module)) => header += &items(module, &[ItemType::Functions]),
            _ => header += &format!("{line}\n"),
        }
    }
    for (name, value) in [
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@VERSION_MAJOR@", env!("CARGO_PKG_VERSION_MAJOR")),
        ("@VERSION_MINOR@", env!("CARGO_PKG_VERSION_MINOR")),
        ("@VERSION_PATCH@", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        header = header.replace(name, value);
    }
    while header.contains("\n\n\n") {
        header = header.replace("\n\n\n", "\n\n");
    }
    header
}

fn items(module: &str, types: &[ItemType]) -> String {
    let mut config = Config::from_file(crate_dir().join("cbindgen.toml")).unwrap();
    config.export.item_types = types.to_vec();
    let mut builder = Builder::new()
        .with_config(config)
        .with_src(crate_dir().join(format!("src/{module}.rs")));
    if module == "values" {
        builder = builder.with_src(crate_dir().join("../core/src/data/value.rs"));
        for name in ["RawValue", "BufferInfo"] {
            builder = builder.include_item(name);
        }
    }
    for name in exported(module) {
        builder = builder.include_item(name);
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    let text = without_rust_sections(&String::from_utf8(text).unwrap());
    plain_names(&text).trim_end().to_owned() + "\n\n"
}

/// The types that a module makes public, and no function of it may name.
fn exported(module: &str) -> Vec<String> {
    let source = read(crate_dir().join(format!("src/{module}.rs")));
    let name = |line: &str| {
        let rest = ["pub enum ", "pub struct ", "pub type "]
            .iter()
            .find_map(|start| line.strip_prefix(start))?;
        Some(rest.split([' ', ';', '(']).next()?.to_owned())
    };
    source
        .lines()
        .filter_map(name)
        .filter(|name| name.starts_with("subpy_"))
        .collect()
}

/// Types by their names alone; what comes before a value is declared has its `struct`.
fn plain_names(text: &str) -> String {
    let plain = |line: &str| {
        if line.starts_with("typedef ") || line.contains("const struct subpy_value *data") {
            return line.to_owned();
        }
        ["struct ", "enum ", "union "]
            .iter()
            .fold(line.to_owned(), |line, tag| {
                line.replace(&format!("{tag}subpy_"), "subpy_")
            })
    };
    let plain = text.lines().map(plain).collect::<Vec<_>>().join("\n");
    plain.replace(" subpy_value *names", " struct subpy_value *names")
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

/// The conventions, from the header's first comment.
fn conventions(header: &str) -> String {
    let comment = header.split("*/").next().unwrap();
    let (_, text) = comment.split_once(" * # Conventions\n").unwrap();
    let (text, _) = text.split_once(" * docs/conventions.md").unwrap();
    let mut page = "# Conventions\n\nThe header begins with this text, too.\n".to_owned();
    for line in text.lines() {
        let line = line.strip_prefix(" *").unwrap_or(line).trim_start();
        page += &format!("{}\n", line.replace("::", "").replace("#SUBPY", "SUBPY"));
    }
    page.trim_end().to_owned() + "\n"
}

#[test]
fn the_header_is_what_cbindgen_makes() {
    let header = header();
    for (path, generated) in [
        ("../../include/subpy.h", &header),
        ("../../docs/conventions.md", &conventions(&header)),
    ] {
        let path = crate_dir().join(path);
        if env::var_os("SUBPY_WRITE_HEADER").is_some() {
            fs::write(&path, generated).unwrap();
        }
        let checked_in = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            checked_in == *generated,
            "{} is not what is made of crates/ffi; run `make header`",
            path.display()
        );
    }
}
