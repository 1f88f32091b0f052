//! The modules of a crate and their parsed items, and where a path inside the crate leads.

use std::collections::BTreeMap;

use syn::{Attribute, Item, Visibility};

use super::imports::{Leaf, leaves};
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

/// What a path inside the crate leads to, by where it is defined.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Module(Path),
    Item(Definition),
}

/// The module an item is written in, and its name there.
pub(super) type Definition = (Path, String);

/// Imports of imports followed before a circle is assumed.
const MAX_HOPS: usize = 16;

impl<'a> Modules<'a> {
    pub(super) fn read(files: &'a Files, folder: &str, crate_name: &str) -> Outcome<Self> {
        let mut modules = Self { crate_name: crate_name.to_owned(), by_path: BTreeMap::new() };
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
        self.by_path.insert(path, Module { source, items: kept });
        Ok(())
    }

    pub(super) fn module(&self, path: &Path) -> Option<&Module<'a>> {
        self.by_path.get(path)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Path, &Module<'a>)> {
        self.by_path.iter()
    }

    /// Where `path`, written in the module `from`, leads through whatever imports; nothing when it
    /// leaves the crate.
    pub(super) fn resolve(&self, from: &Path, path: &[String]) -> Option<Found> {
        self.follow(from, path, MAX_HOPS)
    }

    fn follow(&self, from: &Path, path: &[String], hops: usize) -> Option<Found> {
        let mut at = from.clone();
        let mut rest = path;
        while let [first, after @ ..] = rest {
            match first.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()?),
                name => match self.named(&at, name, hops.checked_sub(1)?)? {
                    Found::Module(inside) => at = inside,
                    item @ Found::Item(_) => return after.is_empty().then_some(item),
                },
            }
            rest = after;
        }
        Some(Found::Module(at))
    }

    /// What `name` means in a module: its own module or item, or what a `use` brings in.
    fn named(&self, at: &Path, name: &str, hops: usize) -> Option<Found> {
        let inside = child(at, name);
        if self.by_path.contains_key(&inside) {
            return Some(Found::Module(inside));
        }
        let items = &self.by_path.get(at)?.items;
        if items.iter().any(|item| name_of(item).as_deref() == Some(name)) {
            return Some(Found::Item((at.clone(), name.to_owned())));
        }
        let uses =
            items.iter().filter_map(|item| if let Item::Use(u) = item { Some(u) } else { None });
        let leaves: Vec<Leaf> = uses.flat_map(|u| leaves(&u.tree)).collect();
        let named = leaves.iter().filter(|leaf| leaf.name.as_deref() == Some(name));
        let globs = leaves.iter().filter(|leaf| leaf.name.is_none());
        let through_name = named.filter_map(|leaf| self.follow(at, &leaf.path, hops));
        let through_glob = globs.filter_map(|leaf| match self.follow(at, &leaf.path, hops)? {
            Found::Module(module) => self.named(&module, name, hops.checked_sub(1)?),
            Found::Item(_) => None,
        });
        through_name.chain(through_glob).next()
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
        && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_through_imports_to_the_definition() {
        let texts = [
            ("lib.rs", "mod a; mod b; pub use b::Seen; use std::fmt;"),
            ("a.rs", "pub mod deep; use crate::b::*; use deep::Own as Mine;"),
            ("a/deep.rs", "pub struct Own; use super::super::Seen;"),
            ("b.rs", "pub struct Seen; pub use crate::a::Round; use crate::b::Other as Round;"),
        ];
        let texts = texts.map(|(name, text)| (format!("crates/x/src/{name}"), text.to_owned()));
        let files = Files::from(texts);
        let modules = Modules::read(&files, "crates/x", "x").unwrap();
        let words = |text: &str| {
            text.split("::").filter(|w| !w.is_empty()).map(str::to_owned).collect::<Path>()
        };
        let item = |module, name: &str| Some(Found::Item((words(module), name.to_owned())));
        for (from, path, leads_to) in [
            ("", "b::Seen", item("b", "Seen")),
            ("", "Seen", item("b", "Seen")),
            ("a", "Seen", item("b", "Seen")),
            ("a", "Mine", item("a::deep", "Own")),
            ("a::deep", "Seen", item("b", "Seen")),
            ("a::deep", "super::deep", Some(Found::Module(words("a::deep")))),
            ("", "fmt::Debug", None),
            ("", "b::Round", None),
        ] {
            assert_eq!(modules.resolve(&words(from), &words(path)), leads_to, "{path} in {from}");
        }
    }

    #[test]
    fn a_declared_module_without_a_file_is_named() {
        let files = Files::from([("crates/a/src/lib.rs".to_owned(), "mod key;".to_owned())]);
        let message = Modules::read(&files, "crates/a", "a").err().unwrap().to_string();
        assert!(message.starts_with("crates/a/src/key.rs is missing"), "{message}");
    }
}
