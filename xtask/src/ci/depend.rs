//! The ways to depend on a part of rucache, each built as a package of its own that asks for nothing
//! else.

use std::fs;
use std::path::Path;

use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::workspace::Workspace;

/// Where the packages are written, from the root. What they need is built in the workspace's own
/// target folder: most of it is there already.
const FOLDER: &str = "target/depend";

/// A package of somebody else's: what it writes in its manifest, and what it does with that.
struct Row {
    name: &'static str,
    dependencies: &'static [(&'static str, &'static str)],
    source: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        name: "numbers",
        dependencies: &[("rucache-ruc", "")],
        source: r#"
            pub fn is_ruc(text: &str) -> bool { text.parse::<rucache_ruc::Ruc>().is_ok() }
        "#,
    },
    Row {
        name: "any-backend",
        dependencies: &[("rucache-core", "")],
        source: r#"
            use rucache_core::{Backend, BackendExt as _, Key, Ttl};
            pub async fn count(backend: &dyn Backend, key: &Key) -> Result<u32, rucache_core::Error> {
                let next = backend.get_json::<u32>(key).await?.unwrap_or(0) + 1;
                backend.set_json(key, &next, Ttl::MEDIUM).await?;
                Ok(next)
            }
        "#,
    },
    Row {
        name: "one-backend",
        dependencies: &[("rucache-core", ""), ("rucache-redis", "")],
        source: r#"
            use rucache_core::{BackendExt as _, Key, Ttl};
            pub async fn greet() -> Result<Option<String>, Box<dyn std::error::Error>> {
                let backend = rucache_redis::RedisBackend::open("redis://localhost/1").await?;
                let key = Key::parse("migo:greeting")?;
                backend.set_json(&key, &"hola", Ttl::SHORT).await?;
                Ok(backend.get_json(&key).await?)
            }
        "#,
    },
    Row {
        name: "own-cache",
        dependencies: &[("rucache-engine", ""), ("rucache-memory", ""), ("rucache-telemetry", "")],
        source: r#"
            use std::sync::Arc;
            use rucache_engine::{Cache, CacheError};
            use rucache_memory::{LocalStore, MemoryConfig};
            use rucache_telemetry::{CacheMetrics, Exporter};
            pub fn cache(exporter: &Exporter) -> Result<Cache, CacheError> {
                let metrics = CacheMetrics::new(exporter.recorder(), "facturas");
                let memory = LocalStore::new(&MemoryConfig::default());
                Cache::builder(Arc::new(memory)).observer(Arc::new(metrics)).build()
            }
        "#,
    },
    Row {
        name: "generic",
        dependencies: &[("rucache", r#", default-features = false, features = ["redis"]"#)],
        source: r#"
            use rucache::Ttl;
            pub async fn total() -> Result<u32, Box<dyn std::error::Error>> {
                let cache = rucache::open("redis://localhost/1").await?;
                let load = || async { Ok::<u32, std::io::Error>(42) };
                Ok(cache.get_or_load("estadisticas_ventas", Ttl::secs(300), load).await?)
            }
        "#,
    },
    Row {
        name: "everything",
        dependencies: &[("rucache", "")],
        source: r#"
            use rucache::ruc::Outcome;
            pub async fn who(text: &str) -> Result<Outcome, Box<dyn std::error::Error>> {
                let cache = rucache::open_default().await?;
                Ok(cache.ruc("migo").lookup(&text.parse()?).await)
            }
        "#,
    },
];

impl Row {
    fn manifest(&self, root: &Path) -> String {
        let head = format!("[package]\nname = \"{}\"\nedition = \"2024\"\n\n", self.name);
        let line = |(name, rest): &(&str, &str)| {
            let path = root.join("crates").join(name);
            format!("{name} = {{ path = '{}'{rest} }}\n", path.display())
        };
        head + "[dependencies]\n" + &self.dependencies.iter().map(line).collect::<String>()
    }
}

/// One by one: built together, each would have the features that another asks for.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let folder = workspace.root.join(FOLDER);
    write(&workspace.root, &folder).doing(|| format!("write the packages of {FOLDER}"))?;
    ROWS.iter().try_for_each(|row| {
        check(row).run(&workspace.root)?;
        match metrics_of(row, &tree(row).output(&workspace.root)?) {
            Some(unasked) => Err(Failure::new(format!(
                "the package `{}` asks for no metrics and gets {unasked}",
                row.name
            ))),
            None => Ok(()),
        }
    })
}

/// What a package builds, one crate a line.
fn tree(row: &Row) -> Invocation {
    let tree = format!("tree --edges normal --prefix none --manifest-path {FOLDER}/Cargo.toml");
    Invocation::cargo(&tree).args(["--package", row.name])
}

/// A crate of metrics in the tree of a package that has not asked for any.
fn metrics_of<'t>(row: &Row, tree: &'t str) -> Option<&'t str> {
    const METRICS: [&str; 2] = ["metrics", "prometheus"];
    let asks = row.dependencies.iter().any(|(name, _)| *name == "rucache-telemetry");
    let is_of_metrics = |line: &&str| METRICS.iter().any(|word| line.contains(word));
    tree.lines().find(is_of_metrics).filter(|_| !asks)
}

fn check(row: &Row) -> Invocation {
    let manifest = format!("check --quiet --target-dir target --manifest-path {FOLDER}/Cargo.toml");
    Invocation::cargo(&manifest).args(["--package", row.name])
}

fn write(root: &Path, folder: &Path) -> std::io::Result<()> {
    for row in ROWS {
        let package = folder.join(row.name);
        fs::create_dir_all(package.join("src"))?;
        fs::write(package.join("Cargo.toml"), row.manifest(root))?;
        fs::write(package.join("src/lib.rs"), row.source)?;
    }
    let members: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    fs::write(folder.join("Cargo.toml"), workspace)?;
    // The versions that the workspace was tested with.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_for_those_who_ask_for_them() {
        let row = |name| ROWS.iter().find(|row| row.name == name).expect("a row");
        let tree = "generic v0.0.0 (/w)\nrucache v0.1.0 (/w)\nmetrics-util v0.20.0\n";
        assert_eq!(metrics_of(row("generic"), tree), Some("metrics-util v0.20.0"));
        assert_eq!(metrics_of(row("own-cache"), tree), None);
        assert_eq!(metrics_of(row("generic"), "generic v0.0.0\nserde v1.0.0\n"), None);
    }

    #[test]
    fn a_package_asks_for_its_own_line_and_nothing_else() {
        let generic = ROWS.iter().find(|row| row.name == "generic").expect("a row");
        let manifest = generic.manifest(Path::new("/w"));
        assert_eq!(
            manifest,
            "[package]\nname = \"generic\"\nedition = \"2024\"\n\n[dependencies]\nrucache = { path = \
             '/w/crates/rucache', default-features = false, features = [\"redis\"] }\n"
        );
        assert!(check(generic).to_string().ends_with("--package generic"));
    }
}
