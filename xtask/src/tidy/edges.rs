//! Who may depend on whom inside the workspace: the layers of `docs/architecture.md` as data.

use std::fmt::Write as _;

use super::Finding;
use crate::workspace::{Dependency, Kind, Workspace};

/// What one crate may depend on. Build-dependencies inside the workspace are never allowed.
struct Row {
    name: &'static str,
    /// In `[dependencies]`.
    normal: &'static [&'static str],
    /// In `[dev-dependencies]`, besides `normal`.
    dev: &'static [&'static str],
    /// The rule in words.
    rule: &'static str,
}

const CORE: &str = "rucache-core";
const ENGINE: &str = "rucache-engine";
const RUC: &str = "rucache-ruc";
const CONFORMANCE: &str = "rucache-conformance";
const TESTKIT: &str = "rucache-testkit";

const BOTTOM: &str = "core knows no other crate: everything else stands on it";
const ADAPTER: &str = "an adapter moves bytes under core's contract and knows core alone";
const OBSERVER: &str = "telemetry observes through core's types and knows core alone";
const ABOVE_CORE: &str = "engine and ruc stand side by side on core and know no adapter";
const KIT: &str = "what tests share stands on core alone, so that every crate can use it";
const SOURCE: &str = "a source of taxpayers knows the domain and core, not the cache";
const SERVICE: &str = "lookup joins engine and ruc and knows no adapter and no source";
const FACADE: &str = "the facade composes, and is the only crate that knows which adapters exist";
const SERVER: &str = "the server sees the facade alone, and nobody else sees the facade";
const SIMULATOR: &str = "the simulator drives the real engine over test doubles";
const TASKS: &str = "tasks work while the workspace does not compile";

/// One row per crate, including those still to come. Conformance, testkit, the simulator and the
/// tasks appear in no `normal` list of a published crate: they are for tests.
const TABLE: &[Row] = &[
    Row { name: CORE, normal: &[], dev: &[], rule: BOTTOM },
    Row { name: "rucache-memory", normal: &[CORE], dev: &[CONFORMANCE, TESTKIT], rule: ADAPTER },
    Row { name: "rucache-redis", normal: &[CORE], dev: &[CONFORMANCE, TESTKIT], rule: ADAPTER },
    Row { name: "rucache-memcached", normal: &[CORE], dev: &[CONFORMANCE, TESTKIT], rule: ADAPTER },
    Row {
        name: "rucache-telemetry",
        normal: &[CORE],
        dev: &[CONFORMANCE, TESTKIT],
        rule: OBSERVER,
    },
    Row { name: ENGINE, normal: &[CORE], dev: &[CONFORMANCE, TESTKIT], rule: ABOVE_CORE },
    Row { name: RUC, normal: &[CORE], dev: &[CONFORMANCE, TESTKIT], rule: ABOVE_CORE },
    Row { name: CONFORMANCE, normal: &[CORE], dev: &[TESTKIT], rule: KIT },
    Row { name: TESTKIT, normal: &[CORE], dev: &[CONFORMANCE], rule: KIT },
    Row { name: "rucache-providers", normal: &[CORE, RUC], dev: &[TESTKIT], rule: SOURCE },
    Row { name: "rucache-padron", normal: &[CORE, RUC], dev: &[TESTKIT], rule: SOURCE },
    Row { name: "rucache-lookup", normal: &[CORE, ENGINE, RUC], dev: &[TESTKIT], rule: SERVICE },
    Row {
        name: "rucache",
        normal: &[
            CORE,
            ENGINE,
            RUC,
            "rucache-lookup",
            "rucache-memory",
            "rucache-redis",
            "rucache-memcached",
            "rucache-telemetry",
            "rucache-providers",
            "rucache-padron",
        ],
        dev: &[TESTKIT],
        rule: FACADE,
    },
    Row { name: "rucache-server", normal: &["rucache"], dev: &[TESTKIT], rule: SERVER },
    Row { name: "rucache-sim", normal: &[CORE, ENGINE, TESTKIT], dev: &[], rule: SIMULATOR },
    Row { name: "xtask", normal: &[], dev: &[], rule: TASKS },
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let Some(row) = TABLE.iter().find(|row| row.name == package.name) else {
            let message = "has no row in the table of allowed edges, xtask/src/tidy/edges.rs: say what it may depend on";
            findings.push(Finding::at(&package.name, message));
            continue;
        };
        let inside =
            |d: &&Dependency| workspace.package(&d.name).is_some() && d.name != package.name;
        for dependency in package.dependencies.iter().filter(inside) {
            findings
                .extend(row.refusal(dependency).map(|message| Finding::at(&package.name, message)));
        }
    }
    findings
}

impl Row {
    /// Why this row does not allow a dependency, if it does not.
    fn refusal(&self, dependency: &Dependency) -> Option<String> {
        let name = dependency.name.as_str();
        let (table, allowed) = match dependency.kind {
            Kind::Normal => ("dependencies", self.normal.contains(&name)),
            Kind::Dev => {
                ("dev-dependencies", self.normal.contains(&name) || self.dev.contains(&name))
            }
            Kind::Build => ("build-dependencies", false),
        };
        if allowed {
            return None;
        }
        let mut message = format!(
            "has `{name}` in its {table}: {}; allowed are {}",
            self.rule,
            words(self.normal)
        );
        if !self.dev.is_empty() {
            let _ = write!(message, " (in dev-dependencies also {})", words(self.dev));
        }
        Some(message)
    }
}

fn words(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;
    use crate::workspace::Package;

    /// A workspace of the packages on the left of `edges` and of those on the right.
    fn findings(edges: &[(&str, Kind, &str)]) -> Vec<String> {
        let mut workspace = Workspace::default();
        for name in edges.iter().flat_map(|(from, _, to)| [*from, *to]) {
            if workspace.package(name).is_none() {
                workspace.packages.push(Package { name: name.to_owned(), ..Package::default() });
            }
        }
        for (from, kind, to) in edges {
            let package = workspace.packages.iter_mut().find(|p| p.name == *from).unwrap();
            package.dependencies.push(Dependency { name: (*to).to_owned(), kind: *kind });
        }
        texts(check(&workspace))
    }

    #[test]
    fn edges_of_the_architecture_are_allowed() {
        let good = [
            ("rucache-memory", Kind::Normal, CORE),
            ("rucache-memory", Kind::Dev, CONFORMANCE),
            ("rucache-padron", Kind::Normal, RUC),
            ("rucache-lookup", Kind::Normal, ENGINE),
            ("rucache", Kind::Normal, "rucache-redis"),
            ("rucache-server", Kind::Normal, "rucache"),
        ];
        assert_eq!(findings(&good), [""; 0]);
    }

    #[test]
    fn any_other_edge_is_found_with_both_names_and_the_rule() {
        for (from, kind, to, table) in [
            (CORE, Kind::Normal, ENGINE, "dependencies"),
            (CORE, Kind::Dev, CONFORMANCE, "dev-dependencies"),
            ("rucache-memory", Kind::Normal, ENGINE, "dependencies"),
            ("rucache-memory", Kind::Normal, CONFORMANCE, "dependencies"),
            ("rucache-redis", Kind::Dev, "rucache-memory", "dev-dependencies"),
            (ENGINE, Kind::Normal, RUC, "dependencies"),
            ("rucache-lookup", Kind::Normal, "rucache-memory", "dependencies"),
            ("rucache-padron", Kind::Dev, "rucache", "dev-dependencies"),
            ("rucache-server", Kind::Normal, CORE, "dependencies"),
            ("rucache", Kind::Build, CORE, "build-dependencies"),
            ("xtask", Kind::Normal, CORE, "dependencies"),
        ] {
            let found = findings(&[(from, kind, to)]);
            let rule = TABLE.iter().find(|row| row.name == from).unwrap().rule;
            let start = format!("{from}: has `{to}` in its {table}: {rule}; allowed are ");
            assert_eq!(found.len(), 1, "{from} {to}: {found:?}");
            assert!(found[0].starts_with(&start), "{}", found[0]);
        }
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let found = findings(&[("rucache-new", Kind::Normal, CORE)]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("rucache-new: has no row"), "{}", found[0]);
    }

    #[test]
    fn the_table_has_no_cycle_and_no_name_without_a_row() {
        // A row may only name, in `normal`, crates that can be put before it.
        let mut placed: Vec<&str> = Vec::new();
        while placed.len() < TABLE.len() {
            let next = TABLE.iter().find(|row| {
                !placed.contains(&row.name) && row.normal.iter().all(|name| placed.contains(name))
            });
            placed.push(next.expect("a cycle or a name without a row").name);
        }
    }
}
