//! The workspace as `cargo metadata` tells it, in the few terms the tasks need.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::files::{self, Files};

/// Packages, resolved graph and texts; built by hand in the tests of the checks.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Members of the workspace, by name.
    pub(crate) packages: Vec<Package>,
    /// Normal dependencies of every package of the graph, by name. Two versions of a package are
    /// one node: a check that forbids a package forbids every version of it.
    pub(crate) normal: BTreeMap<String, Vec<String>>,
    pub(crate) files: Files,
}

/// One member.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// From the root, `/` between the parts: `crates/rucache-core`.
    pub(crate) folder: String,
    pub(crate) library: bool,
    pub(crate) publish: bool,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line of a manifest's dependency tables.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// The table a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    // At run time first: a moved folder does not have to be built anew.
    let here = std::env::var("CARGO_MANIFEST_DIR");
    let here = PathBuf::from(here.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned()));
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

impl Workspace {
    /// Asks cargo, and reads the texts.
    pub(crate) fn load() -> Outcome<Self> {
        let root = root();
        let text = Invocation::cargo("metadata --format-version 1 --all-features").output(&root)?;
        let metadata = serde_json::from_str(&text).doing(|| "read cargo's metadata".to_owned())?;
        let files = files::read(&root)?;
        Ok(Self { files, ..Self::from_metadata(root, &metadata)? })
    }

    fn from_metadata(root: PathBuf, metadata: &Value) -> Outcome<Self> {
        let members = list(&metadata["workspace_members"])?;
        let mut names = BTreeMap::new();
        let mut packages = Vec::new();
        for package in list(&metadata["packages"])? {
            names.insert(text(&package["id"])?, text(&package["name"])?);
            if members.contains(&package["id"]) {
                packages.push(Package::from_metadata(&root, package)?);
            }
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let mut normal: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"])? {
            let edges = normal.entry(name_of(&names, &node["id"])?).or_default();
            for dependency in list(&node["deps"])? {
                if list(&dependency["dep_kinds"])?.iter().any(|kind| kind["kind"].is_null()) {
                    edges.push(name_of(&names, &dependency["pkg"])?);
                }
            }
        }
        Ok(Self { root, packages, normal, files: Files::new() })
    }

    /// The member called `name`.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The shortest chain of normal dependencies from one package to another, both ends included.
    pub(crate) fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(name) = queue.pop_front() {
            if name == to {
                let mut path = vec![name.to_owned()];
                let mut at = name;
                while let Some(&before) = came_from.get(at) {
                    path.insert(0, before.to_owned());
                    at = before;
                }
                return Some(path);
            }
            for next in self.normal.get(name).into_iter().flatten() {
                if next != from && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, name);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

impl Package {
    fn from_metadata(root: &Path, package: &Value) -> Outcome<Self> {
        let manifest = PathBuf::from(text(&package["manifest_path"])?);
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.map(|folder| folder.to_string_lossy().replace('\\', "/"));
        let is_library = |target: &Value| {
            target["kind"].as_array().is_some_and(|k| k.contains(&Value::from("lib")))
        };
        Ok(Self {
            name: text(&package["name"])?,
            folder: folder.unwrap_or_default(),
            library: list(&package["targets"])?.iter().any(is_library),
            publish: package["publish"].as_array().is_none_or(|to| !to.is_empty()),
            features: package["features"]
                .as_object()
                .into_iter()
                .flat_map(|f| f.keys().cloned())
                .collect(),
            dependencies: list(&package["dependencies"])?
                .iter()
                .map(Dependency::from_metadata)
                .collect::<Outcome<_>>()?,
        })
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Outcome<Self> {
        let kind = match dependency["kind"].as_str() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        };
        Ok(Self { name: text(&dependency["name"])?, kind })
    }
}

fn name_of(names: &BTreeMap<String, String>, id: &Value) -> Outcome<String> {
    let id = text(id)?;
    names
        .get(&id)
        .cloned()
        .ok_or_else(|| Failure::new(format!("cargo's metadata has no package {id}")))
}

fn text(value: &Value) -> Outcome<String> {
    let text = value.as_str().ok_or_else(|| {
        Failure::new(format!("cargo's metadata has {value} where a text was expected"))
    });
    text.map(str::to_owned)
}

fn list(value: &Value) -> Outcome<&Vec<Value>> {
    value.as_array().ok_or_else(|| {
        Failure::new(format!("cargo's metadata has {value} where a list was expected"))
    })
}

#[cfg(test)]
mod tests;
