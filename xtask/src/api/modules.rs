//! The modules of a crate and their parsed items, and where a path inside the crate leads.

use std::collections::BTreeMap;

use syn::{Attribute, Item, UseTree, Visibility};

use super::text::Source;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::files::Files;

/// Segments below the crate: empty for its root.
pub(super) type Path = Vec<String>;

/// Every module of a crate that is not for tests, by its path.
pub(super) struct Modules<'a> {
    pub(super) crate_name: String,
    by_path: BTreeMap<Path, Module<'a>>,
}

pub(super) struct Module<'a> {
    pub(super) source: Source<'a>,
    pub(super) items: Vec<Item>,
}

/// What a path inside the crate leads to.
pub(super) enum Found<'a> {
    Module(Path),
    Item(Source<'a>, &'a Item),
    /// Re-exported there from somewhere else: the module and the path written in it.
    Use(Path, Path),
}

impl<'a> Modules<'a> {
    pub(super) fn read(files: &'a Files, folder: &str, crate_name: &str) -> Outcome<Self> {
        let mut modules = Self {
            crate_name: crate_name.to_owned(),
            by_path: BTreeMap::new(),
        };
        modules.read_file(files, &format!("{folder}/src"), Path::new(), "lib.rs")?;
        Ok(modules)
    }

    fn read_file(&mut self, files: &'a Files, src: &str, path: Path, file: &str) -> Outcome {
        let file = format!("{src}/{file}");
        let text = files.get(&file).ok_or_else(|| {
            Failure::new(format!("{file} is missing, but is declared as a module"))
        })?;
        let parsed = syn::parse_file(text).doing(|| format!("parse {file}"))?;
        self.read_items(files, src, path, Source(text), parsed.items)
    }

    fn read_items(
        &mut self,
        files: &'a Files,
        src: &str,
        path: Path,
        source: Source<'a>,
        items: Vec<Item>,
    ) -> Outcome {
        let mut kept = Vec::new();
        for mut item in items {
            if attributes(&item).iter().any(is_for_tests) {
                continue;
            }
            if let Item::Mod(module) = &mut item {
                let inside = child(&path, &module.ident.to_string());
                match module.content.take() {
                    Some((_, items)) => self.read_items(files, src, inside, source, items)?,
                    None => {
                        let file = format!("{}.rs", inside.join("/"));
                        self.read_file(files, src, inside, &file)?;
                    }
                }
            }
            kept.push(item);
        }
        self.by_path.insert(
            path,
            Module {
                source,
                items: kept,
            },
        );
        Ok(())
    }

    pub(super) fn module(&self, path: &Path) -> Option<&Module<'a>> {
        self.by_path.get(path)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Module<'a>> {
        self.by_path.values()
    }

    /// Where `path`, written in the module `from`, leads; nothing when it leaves the crate.
    pub(super) fn resolve(&self, from: &Path, path: &[String]) -> Option<Found<'_>> {
        let mut at = from.clone();
        let mut rest = path;
        while let [first, after @ ..] = rest {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                _ => break,
            }
            rest = after;
        }
        let Some((name, before)) = rest.split_last() else {
            return Some(Found::Module(at));
        };
        for segment in before {
            at.push(segment.clone());
        }
        let inside = child(&at, name);
        if self.by_path.contains_key(&inside) {
            return Some(Found::Module(inside));
        }
        let module = self.by_path.get(&at)?;
        if let Some(item) = module
            .items
            .iter()
            .find(|item| name_of(item).as_deref() == Some(name))
        {
            return Some(Found::Item(module.source, item));
        }
        let uses = module.items.iter().filter_map(|item| {
            if let Item::Use(u) = item {
                Some(u)
            } else {
                None
            }
        });
        let mut leaves = uses.flat_map(|u| leaves(&u.tree));
        let leaf = leaves.find(|leaf| leaf.name.as_deref() == Some(name) && leaf.path != path)?;
        Some(Found::Use(at, leaf.path))
    }
}

/// One name that a `use` brings in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) path: Path,
    /// Nothing for `*`.
    pub(super) name: Option<String>,
}

/// Every name of a `use`.
pub(super) fn leaves(tree: &UseTree) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(tree, &Path::new(), &mut found);
    found
}

fn collect(tree: &UseTree, before: &Path, found: &mut Vec<Leaf>) {
    match tree {
        UseTree::Path(path) => collect(&path.tree, &child(before, &path.ident.to_string()), found),
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| collect(tree, before, found)),
        UseTree::Glob(_) => found.push(Leaf {
            path: before.clone(),
            name: None,
        }),
        UseTree::Name(name) if name.ident == "self" => {
            found.push(Leaf {
                path: before.clone(),
                name: before.last().cloned(),
            });
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            found.push(Leaf {
                path: child(before, &name),
                name: Some(name),
            });
        }
        UseTree::Rename(rename) => {
            let path = child(before, &rename.ident.to_string());
            found.push(Leaf {
                path,
                name: Some(rename.rename.to_string()),
            });
        }
    }
}

pub(super) fn child(path: &Path, name: &str) -> Path {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

pub(super) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
pub(super) fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|word| word == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_use_is_found() {
        let tree: syn::ItemUse = syn::parse_str("pub use a::{self, b::C, d::*, E as F};").unwrap();
        let words = |text: &str| text.split("::").map(str::to_owned).collect::<Path>();
        let leaf = |path: &str, name: Option<&str>| Leaf {
            path: words(path),
            name: name.map(str::to_owned),
        };
        assert_eq!(
            leaves(&tree.tree),
            [
                leaf("a", Some("a")),
                leaf("a::b::C", Some("C")),
                leaf("a::d", None),
                leaf("a::E", Some("F"))
            ]
        );
    }

    #[test]
    fn a_declared_module_without_a_file_is_named() {
        let files = Files::from([("crates/a/src/lib.rs".to_owned(), "mod key;".to_owned())]);
        let message = Modules::read(&files, "crates/a", "a")
            .err()
            .unwrap()
            .to_string();
        assert!(
            message.starts_with("crates/a/src/key.rs is missing"),
            "{message}"
        );
    }
}
