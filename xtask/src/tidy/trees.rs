//! Crates that stay free of something, through however many dependencies.

use super::Finding;
use crate::workspace::Workspace;

/// A crate and what its tree of normal dependencies, with all features on, must not contain.
struct Row {
    names: &'static [&'static str],
    absent: &'static [&'static str],
    rule: &'static str,
}

const RUNTIMES: &[&str] = &[
    "actix-rt",
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "compio",
    "embassy-executor",
    "glommio",
    "monoio",
    "pollster",
    "smol",
    "tokio",
];

const BACKENDS: &[&str] = &["fred", "memcache", "moka", "quick_cache", "redis"];

const METRICS: &[&str] = &["metrics", "metrics-exporter-prometheus", "metrics-util", "prometheus"];

const HTTP_SERVERS: &[&str] = &["actix-web", "axum", "poem", "rocket", "salvo", "warp"];

const TABLE: &[Row] = &[
    Row {
        names: &["rucache-core", "rucache-ruc"],
        absent: RUNTIMES,
        rule: "it is usable without an async runtime",
    },
    Row {
        names: &["rucache-core", "rucache-ruc", "rucache-engine", "rucache-lookup"],
        absent: BACKENDS,
        rule: "it knows no concrete backend",
    },
    Row {
        names: &[
            "rucache-core",
            "rucache-ruc",
            "rucache-engine",
            "rucache-lookup",
            "rucache-memory",
            "rucache-redis",
            "rucache-memcached",
            "rucache-padron",
            "rucache-providers",
        ],
        absent: METRICS,
        rule: "metrics are telemetry's: who does not want them does not get them",
    },
    Row { names: &["rucache"], absent: HTTP_SERVERS, rule: "only the server knows HTTP serving" },
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in TABLE {
        for name in row.names.iter().filter(|name| workspace.package(name).is_some()) {
            for path in row.absent.iter().filter_map(|absent| workspace.path(name, absent)) {
                let message = format!("has {} in its tree, but {}", path.join(" -> "), row.rule);
                findings.push(Finding::at(*name, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;
    use crate::workspace::Package;

    fn findings(edges: &[(&str, &str)]) -> Vec<String> {
        let mut workspace = Workspace::default();
        for name in ["rucache-core", "rucache-engine", "rucache"] {
            workspace.packages.push(Package { name: name.to_owned(), ..Package::default() });
        }
        for (from, to) in edges {
            workspace.normal.entry((*from).to_owned()).or_default().push((*to).to_owned());
        }
        texts(check(&workspace))
    }

    #[test]
    fn clean_trees_pass() {
        let good = [
            ("rucache-core", "smol_str"),
            ("rucache-engine", "tokio"),
            ("rucache", "rucache-engine"),
        ];
        assert_eq!(findings(&good), [""; 0]);
    }

    #[test]
    fn a_runtime_deep_in_the_tree_of_core_is_found_with_its_chain() {
        let found = findings(&[("rucache-core", "bytes"), ("bytes", "tokio")]);
        assert_eq!(
            found,
            [
                "rucache-core: has rucache-core -> bytes -> tokio in its tree, but it is usable without an async runtime"
            ]
        );
    }

    #[test]
    fn a_backend_under_the_engine_and_a_server_under_the_facade_are_found() {
        let found = findings(&[("rucache-engine", "moka"), ("rucache", "axum")]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
