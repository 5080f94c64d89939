//! The source is built in floors: see `src/lib.rs`, which lists its rooms. A file uses none of a room above its own, and
//! no file that uses it, by whatever others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, ItemMod, ItemUse, Macro, UseTree};

/// The path of a module, from the crate on.
type Module = Vec<String>;

/// What a file uses: paths as they are written, and the module that they are written in.
struct Uses {
    module: Module,
    paths: Vec<Module>,
}

impl Uses {
    fn add(&mut self, path: Module) {
        let path = match path[0].as_str() {
            "crate" => path[1..].to_vec(),
            "self" => [&self.module[..], &path[1..]].concat(),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let Some(depth) = self.module.len().checked_sub(ups) else {
                    return;
                };
                [&self.module[..depth], &path[ups..]].concat()
            }
            _ => [&self.module[..], &path[..]].concat(), // a child, or another crate
        };
        self.paths.push(path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let text = list.tokens.to_string();
                text == "test" || text.starts_with("all (test")
            })
    })
}

impl<'a> Visit<'a> for Uses {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        let mut trees = vec![(Module::new(), &item.tree)];
        while let Some((mut path, tree)) = trees.pop() {
            match tree {
                UseTree::Path(part) => {
                    path.push(part.ident.to_string());
                    trees.push((path, &part.tree));
                }
                UseTree::Group(group) => {
                    trees.extend(group.items.iter().map(|tree| (path.clone(), tree)));
                }
                UseTree::Name(name) => self.add([path, vec![name.ident.to_string()]].concat()),
                UseTree::Rename(name) => self.add([path, vec![name.ident.to_string()]].concat()),
                UseTree::Glob(_) => self.add(path),
            }
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.segments[0].ident == "crate" {
            let names = path.segments.iter().map(|part| part.ident.to_string());
            self.add(names.collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_macro(&mut self, _: &'a Macro) {}
}

fn read(folder: &Path, module: &Module, files: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [&module[..], std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            read(&path, &inner, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.insert(
                if inner == ["lib"] {
                    Module::new()
                } else {
                    inner
                },
                text,
            );
        }
    }
}

/// Which files each file uses.
fn arrows(files: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let arrows_of = |(module, text): (&Module, &String)| {
        let mut uses = Uses {
            module: module.clone(),
            paths: Vec::new(),
        };
        uses.visit_file(&syn::parse_file(text).unwrap());
        let file_of = |path: Module| {
            let parts = (1..=path.len()).rev();
            let mut modules = parts.map(|n| path[..n].to_vec());
            modules.find_map(|module| files.get_key_value(&module))
        };
        let used = uses.paths.into_iter().filter_map(file_of);
        used.map(|(module, _)| module).collect::<BTreeSet<_>>()
    };
    files
        .iter()
        .map(|file| (file.0, arrows_of(file)))
        .map(|(module, mut used)| {
            used.remove(module);
            (module, used)
        })
        .collect()
}

/// The files that `module` uses, by whatever others, and the way to `end`.
fn way<'a>(
    arrows: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
    start: &'a Module,
    end: &Module,
) -> Option<Vec<&'a Module>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for &next in &arrows[way[way.len() - 1]] {
            if next == end {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push([&way[..], &[next]].concat());
            }
        }
    }
    None
}

fn source() -> BTreeMap<Module, String> {
    let mut files = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&folder, &Module::new(), &mut files);
    files
}

/// The rooms that the documentation of the crate lists, from the bottom up.
fn rooms(files: &BTreeMap<Module, String>) -> Vec<Module> {
    let lines = files[&Module::new()].lines();
    let items = lines.filter_map(|line| line.strip_prefix("//! - `")?.split_once('`'));
    items
        .map(|(name, _)| name.split("::").map(str::to_owned).collect())
        .collect()
}

#[test]
fn no_arrow_goes_up() {
    let files = source();
    let rooms = rooms(&files);
    let floor_of = |module: &Module| rooms.iter().position(|room| module.starts_with(room));
    let mut up = Vec::new();
    for (module, used) in arrows(&files) {
        if module.is_empty() || *module == ["local"] {
            continue; // they say what there is
        }
        let floor = floor_of(module);
        assert!(
            floor.is_some(),
            "{module:?} is in no room that lib.rs lists"
        );
        up.extend(
            used.iter()
                .filter(|used| floor_of(used) > floor)
                .map(|used| format!("{} uses {}", module.join("::"), used.join("::"))),
        );
    }
    assert!(up.is_empty(), "{up:#?}");
}

#[test]
fn no_files_use_each_other() {
    let files = source();
    let arrows = arrows(&files);
    let mut circles = Vec::new();
    for &module in arrows.keys() {
        if let Some(way) = way(&arrows, module, module) {
            let names: Vec<_> = way.iter().map(|module| module.join("::")).collect();
            circles.push(names.join(" uses "));
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}
