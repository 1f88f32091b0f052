//! `cargo package` of every crate that is published as a library.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::command::Invocation;
use crate::failure::{Doing, Outcome};
use crate::workspace::Workspace;

/// Where they are built from their archives.
const TARGET: &str = "target/packaged";

/// Packs them in one call, so that cargo resolves those that are on no registry yet among each
/// other, and builds each from its own archive: a file that lies outside a crate's folder is
/// noticed here and nowhere else.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let libraries: Vec<&str> = workspace
        .packages
        .iter()
        .filter(|package| package.library && package.publish)
        .map(|package| package.name.as_str())
        .collect();
    // Cargo takes an archive of a version that it has unpacked or built before for the same.
    remove(&workspace.root.join(TARGET))?;
    if let Some(home) = cargo_home() {
        for unpacked in unpacked(&home.join("registry/src"), &libraries) {
            remove(&unpacked)?;
        }
    }
    // Work not yet committed is packed too: what is checked is the folder, not the history.
    let command = Invocation::cargo("package --allow-dirty --target-dir").args([TARGET]);
    command.args(libraries.iter().flat_map(|name| ["--package", name])).run(&workspace.root)
}

fn cargo_home() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// The folders in which cargo has unpacked archives of `names` that came from no registry's host.
fn unpacked(sources: &Path, names: &[&str]) -> Vec<PathBuf> {
    let folders = |folder: &Path| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let name_of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_one = |path: &PathBuf| {
        let name = name_of(path);
        let version = |own: &&str| name.strip_prefix(*own)?.strip_prefix('-').map(str::to_owned);
        let mut versions = names.iter().filter_map(version);
        versions.any(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    };
    let hostless = folders(sources).filter(|path| name_of(path).starts_with('-'));
    hostless.flat_map(|registry| folders(&registry).filter(is_one).collect::<Vec<_>>()).collect()
}

fn remove(folder: &Path) -> Outcome {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).doing(|| format!("remove the folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_that_were_unpacked_before_are_found_and_no_others() {
        let sources = env::temp_dir().join(format!("unpacked-{}", std::process::id()));
        for folder in
            ["-1a/core-0.1.0", "-1a/core-macros-0.1.0", "-1a/serde-1.0.0", "host-2b/core-0.1.0"]
        {
            fs::create_dir_all(sources.join(folder)).unwrap();
        }
        let found = unpacked(&sources, &["core", "engine"]);
        fs::remove_dir_all(&sources).unwrap();
        assert_eq!(found, [sources.join("-1a/core-0.1.0")]);
        assert!(unpacked(&sources, &["core"]).is_empty(), "where nothing is");
    }
}
