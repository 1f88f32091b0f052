//! Manifests: what is inherited from the workspace, where versions stand, what lies beside them.

use toml::{Table, Value};

use super::Finding;
use crate::workspace::{Package, Workspace};

/// Fields of `[package]` that every member inherits.
const INHERITED: [&str; 3] = ["edition", "rust-version", "license"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.packages.iter().flat_map(|package| check_package(workspace, package)).collect()
}

fn check_package(workspace: &Workspace, package: &Package) -> Vec<Finding> {
    let path = format!("{}/Cargo.toml", package.folder);
    let Some(text) = workspace.files.get(&path) else {
        return vec![Finding::at(path, "is missing")];
    };
    let manifest = match text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::at(path, format!("is not TOML: {error}"))],
    };
    let mut messages = Vec::new();
    let fields = manifest.get("package").and_then(Value::as_table);
    for field in INHERITED {
        if !inherits(fields.and_then(|fields| fields.get(field))) {
            messages.push(format!("write `{field}.workspace = true` in [package]"));
        }
    }
    if !inherits(manifest.get("lints")) {
        messages.push("write `workspace = true` in [lints]".to_owned());
    }
    let folder = package.folder.rsplit('/').next().unwrap_or_default();
    if folder != package.name {
        messages.push(format!(
            "the folder is `{folder}`, the package `{}`: give both one name",
            package.name
        ));
    }
    let version = fields.and_then(|fields| fields.get("version"));
    if package.folder.starts_with("crates/") && !inherits(version) {
        messages.push("write `version.workspace = true` in [package]".to_owned());
    }
    let readme = format!("{}/README.md", package.folder);
    if !workspace.files.contains_key(&readme) {
        messages.push("README.md is missing beside it".to_owned());
    }
    for (table, name, value) in dependencies(&manifest) {
        if !is_shared(value) {
            messages.push(format!(
                "`{name}` in [{table}]: versions and sources stand in the root's [workspace.dependencies]; \
                 write `{name}.workspace = true`"
            ));
        }
    }
    messages.into_iter().map(|message| Finding::at(&path, message)).collect()
}

fn inherits(field: Option<&Value>) -> bool {
    field.and_then(|field| field.get("workspace")) == Some(&Value::Boolean(true))
}

/// Inherited, or a plain path inside the workspace.
fn is_shared(value: &Value) -> bool {
    let stated = |key| value.get(key).is_some();
    inherits(Some(value)) || (stated("path") && !stated("version") && !stated("git"))
}

/// Every dependency of a manifest with the table it stands in, those of targets included.
fn dependencies(manifest: &Table) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    let mut sections = vec![(String::new(), manifest)];
    for (name, target) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        sections.extend(target.as_table().map(|section| (format!("target.{name}."), section)));
    }
    for (prefix, section) in sections {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in section.get(kind).and_then(Value::as_table).into_iter().flatten() {
                found.push((format!("{prefix}{kind}"), name.as_str(), value));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;

    const GOOD: &str = r#"
[package]
name = "rucache-core"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true

[dependencies]
bytes = { workspace = true, features = ["serde"] }

[dev-dependencies]
rucache-testkit = { path = "../rucache-testkit" }

[lints]
workspace = true
"#;

    fn findings(folder: &str, manifest: &str, beside: &[&str]) -> Vec<String> {
        let mut workspace = Workspace::default();
        let name = "rucache-core".to_owned();
        workspace.packages.push(Package { name, folder: folder.to_owned(), ..Package::default() });
        workspace.files.insert(format!("{folder}/Cargo.toml"), manifest.to_owned());
        workspace
            .files
            .extend(beside.iter().map(|name| (format!("{folder}/{name}"), String::new())));
        texts(check(&workspace))
    }

    /// `GOOD` with one text replaced by another yields exactly one finding, with `expected` in it.
    #[track_caller]
    fn bad(from: &str, to: &str, expected: &str) {
        assert!(GOOD.contains(from), "the sample has no {from}");
        let found = findings("crates/rucache-core", &GOOD.replace(from, to), &["README.md"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{}", found[0]);
    }

    #[test]
    fn a_manifest_that_inherits_passes() {
        assert_eq!(findings("crates/rucache-core", GOOD, &["README.md"]), [""; 0]);
    }

    #[test]
    fn a_field_stated_twice_is_found() {
        bad("edition.workspace = true", "edition = \"2024\"", "`edition.workspace = true`");
        bad("license.workspace = true", "", "`license.workspace = true`");
        bad("rust-version.workspace = true", "", "`rust-version.workspace = true`");
        bad("\nversion.workspace = true", "\nversion = \"1.0.0\"", "`version.workspace = true`");
        bad("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"allow\"", "[lints]");
    }

    #[test]
    fn a_version_outside_the_root_is_found() {
        bad("{ workspace = true, features = [\"serde\"] }", "\"1\"", "`bytes` in [dependencies]");
        bad("path =", "version = \"0.1\", path =", "`rucache-testkit` in [dev-dependencies]");
        bad(
            "[lints]",
            "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n[lints]",
            "[target.cfg(unix).dependencies]",
        );
    }

    #[test]
    fn a_missing_readme_and_another_folder_name_are_found() {
        let found = findings("crates/rucache-core", GOOD, &[]);
        assert_eq!(found, ["crates/rucache-core/Cargo.toml: README.md is missing beside it"]);
        let found = findings("crates/core", GOOD, &["README.md"]);
        assert_eq!(
            found,
            [
                "crates/core/Cargo.toml: the folder is `core`, the package `rucache-core`: give both one name"
            ]
        );
    }

    #[test]
    fn a_manifest_that_is_not_toml_is_found() {
        let found = findings("crates/rucache-core", "[package", &["README.md"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("is not TOML"), "{}", found[0]);
    }
}
