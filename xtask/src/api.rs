//! The public items of each library crate, listed in `docs/api/CRATE.txt`, so that a change of what
//! users see is a change that a reviewer sees.
//!
//! The listing is read from the sources and not from the compiler, so that it is the same under
//! every toolchain and costs no build. It follows modules and re-exports; it does not see what a
//! macro writes, nor which traits a type has automatically.

mod imports;
mod listing;
mod modules;
mod text;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{Doing as _, Failure, Outcome};
use crate::workspace::Workspace;

/// What to do with the stored listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Fail when they differ from the sources.
    Compare,
    /// Replace them.
    Bless,
}

const FOLDER: &str = "docs/api";

pub(crate) fn run(workspace: &Workspace, write: Write) -> Outcome {
    let folder = workspace.root.join(FOLDER);
    let mut expected = BTreeSet::new();
    let mut differing = Vec::new();
    for package in workspace.packages.iter().filter(|package| package.library && package.publish) {
        let crate_name = package.name.replace('-', "_");
        let modules = modules::Modules::read(&workspace.files, &package.folder, &crate_name)?;
        let items = listing::list(&modules);
        let file = format!("{}.txt", package.name);
        match write {
            Write::Bless => store(&folder, &file, &items)?,
            Write::Compare => {
                let stored = fs::read_to_string(folder.join(&file)).unwrap_or_default();
                let changes = changes(&stored, &items);
                if !changes.is_empty() {
                    println!("{FOLDER}/{file}\n{}", changes.join("\n"));
                    differing.push(package.name.as_str());
                }
            }
        }
        expected.insert(file);
    }
    if write == Write::Bless {
        println!("{FOLDER}: {} listings written", expected.len());
        return Ok(());
    }
    let stored = stored_files(&folder)?;
    for file in stored.difference(&expected) {
        println!("{FOLDER}/{file}: there is no such library any more, delete the file");
        differing.push(file);
    }
    if differing.is_empty() {
        println!("{FOLDER}: {} listings, no difference", expected.len());
        return Ok(());
    }
    let names = differing.join(", ");
    Err(Failure::new(format!(
        "public items changed in {names}; when that is meant: `cargo xtask api --bless`"
    )))
}

fn store(folder: &Path, file: &str, items: &BTreeSet<String>) -> Outcome {
    fs::create_dir_all(folder).doing(|| format!("make the folder {FOLDER}"))?;
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(folder.join(file), text).doing(|| format!("write {FOLDER}/{file}"))
}

fn stored_files(folder: &Path) -> Outcome<BTreeSet<String>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(BTreeSet::new());
    };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        Ok(entry?.file_name().to_string_lossy().into_owned())
    };
    let names = entries.map(name).collect::<std::io::Result<BTreeSet<_>>>();
    names.doing(|| format!("read the folder {FOLDER}"))
}

/// Lines that went, with `-`, and came, with `+`. A listing is sorted and has no line twice, so
/// that sets tell the whole difference.
fn changes(stored: &str, items: &BTreeSet<String>) -> Vec<String> {
    let stored: BTreeSet<String> = stored.lines().map(str::to_owned).collect();
    let gone = stored.difference(items).map(|line| format!("- {line}"));
    gone.chain(items.difference(&stored).map(|line| format!("+ {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_what_went_and_what_came() {
        let items = BTreeSet::from(["a".to_owned(), "c".to_owned()]);
        assert_eq!(changes("a\nb\n", &items), ["- b", "+ c"]);
        assert_eq!(changes("a\nc\n", &items), [""; 0]);
    }
}
