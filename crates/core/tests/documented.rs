//! Each public function has an example that runs, or says why not. Each cure that a document names is there.

use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, Expr, ImplItemFn, ItemFn, Lit, Visibility};

#[derive(Default)]
struct Undocumented(Vec<String>);

impl Undocumented {
    fn check(&mut self, name: &syn::Ident, visibility: &Visibility, attributes: &[Attribute]) {
        let is_hidden = attributes.iter().any(|attribute| {
            attribute.path().is_ident("doc") && attribute.meta.require_list().is_ok()
        });
        if !matches!(visibility, Visibility::Public(_)) || is_hidden {
            return;
        }
        let documentation: String = attributes
            .iter()
            .filter_map(|attribute| attribute.meta.require_name_value().ok())
            .filter_map(|line| match &line.value {
                Expr::Lit(line) => Some(&line.lit),
                _ => None,
            })
            .filter_map(|line| match line {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            })
            .collect();
        if !documentation.contains("```") && !documentation.contains("No example: ") {
            self.0.push(name.to_string());
        }
    }
}

impl<'a> Visit<'a> for Undocumented {
    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.check(&item.sig.ident, &item.vis, &item.attrs);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.check(&item.sig.ident, &item.vis, &item.attrs);
    }
}

fn look(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            let mut undocumented = Undocumented::default();
            undocumented.visit_file(&file);
            let names = undocumented.0.into_iter();
            found.extend(names.map(|name| format!("{}: {name}", path.display())));
        }
    }
}

#[test]
fn each_public_function_has_an_example() {
    let mut found = Vec::new();
    look(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(
        found.is_empty(),
        "without an example:\n{}",
        found.join("\n")
    );
}

/// Files are named as `cures/locale.rs`.
#[test]
fn each_cure_that_is_named_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in ["hazards", "packages", "testing"] {
        let text = fs::read_to_string(root.join(format!("../../docs/{page}.md"))).unwrap();
        let named = text.split('`').skip(1).step_by(2);
        let files = named.filter(|name| name.ends_with(".rs") && !name.starts_with("crates/"));
        for file in files {
            let path = root.join("src/local").join(file);
            assert!(path.exists(), "docs/{page}.md names {file}");
        }
    }
}
