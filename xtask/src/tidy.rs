//! Checks of what no compiler sees: layers, documents that index something, house style.
//!
//! A new check is one row of [`CHECKS`] and one function from the workspace to its findings, with
//! a good and a bad sample in its tests. Documents that index something (a list of metrics, the
//! HTTP routes, the table of settings) are compared with the truth here, each by its own row.

mod architecture;
mod edges;
mod manifests;
mod metrics;
mod sources;
mod trees;

use std::fmt;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// A check, by the name that findings carry.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Workspace) -> Vec<Finding>,
}

/// All checks, cheapest explanation first.
pub(crate) const CHECKS: &[Check] = &[
    Check { name: "edges", what: "who may depend on whom inside the workspace", run: edges::check },
    Check {
        name: "trees",
        what: "crates kept free of runtimes, backends, HTTP serving",
        run: trees::check,
    },
    Check {
        name: "architecture",
        what: "docs/architecture.md names exactly the crates that exist",
        run: architecture::check,
    },
    Check {
        name: "manifests",
        what: "inherited fields, one place for versions, a README per crate",
        run: manifests::check,
    },
    Check {
        name: "metrics",
        what: "docs/metrics.md, rules, dashboard and runbook name the metrics that exist",
        run: metrics::check,
    },
    Check { name: "sources", what: "house style of source files", run: sources::check },
    Check { name: "paths", what: "no path of somebody's machine", run: sources::check_paths },
];

/// Something to put right, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    message: String,
}

impl Finding {
    /// At a file or a package.
    fn at(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// At a line of a file, counted from 1.
    fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self::at(format!("{path}:{line}"), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Runs every check and prints all findings.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut count = 0;
    for check in CHECKS {
        let findings = (check.run)(workspace);
        count += findings.len();
        for finding in &findings {
            println!("tidy[{}] {finding}", check.name);
        }
    }
    match count {
        0 => {
            println!("tidy: {} checks, nothing found", CHECKS.len());
            Ok(())
        }
        1 => Err(Failure::new("tidy has 1 finding")),
        n => Err(Failure::new(format!("tidy has {n} findings"))),
    }
}

/// The findings of a check as text, for assertions.
#[cfg(test)]
fn texts(findings: Vec<Finding>) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}
