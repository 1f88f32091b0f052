//! The texts of the repository that checks read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::{Doing as _, Outcome};

/// Texts by their path from the root, `/` between the parts.
pub(crate) type Files = BTreeMap<String, String>;

/// Endings of the files that are read.
const ENDINGS: [&str; 5] = [".rs", ".toml", ".md", ".yml", ".json"];

/// Folders that hold what is built or downloaded, or belong to git.
const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

/// Reads every text under `root`, whether git knows it already or not.
pub(crate) fn read(root: &Path) -> Outcome<Files> {
    let mut files = Files::new();
    walk(root, "", &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Files) -> Outcome {
    let reading = || format!("read the folder {}", folder.display());
    for entry in fs::read_dir(folder).doing(reading)? {
        let entry = entry.doing(reading)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().doing(reading)?;
        if kind.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(entry.path()).doing(|| format!("read {path}"))?;
            files.insert(path, text);
        }
    }
    Ok(())
}
