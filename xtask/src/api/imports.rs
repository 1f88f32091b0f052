//! The names that a `use` brings in.

use syn::UseTree;

use super::modules::{Path, child};

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
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect(tree, before, found)),
        UseTree::Glob(_) => found.push(Leaf { path: before.clone(), name: None }),
        UseTree::Name(name) if name.ident == "self" => {
            found.push(Leaf { path: before.clone(), name: before.last().cloned() });
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            found.push(Leaf { path: child(before, &name), name: Some(name) });
        }
        UseTree::Rename(rename) => {
            let path = child(before, &rename.ident.to_string());
            found.push(Leaf { path, name: Some(rename.rename.to_string()) });
        }
    }
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
}
