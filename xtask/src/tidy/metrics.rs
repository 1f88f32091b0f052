//! What is written about metrics agrees with the code's table: the page that lists them, the rules,
//! the dashboard, the runbook.

use std::collections::BTreeSet;

use syn::{Expr, ExprCall, ExprLit, Item, Lit};

use super::Finding;
use crate::workspace::Workspace;

const TABLE: &str = "crates/rucache-telemetry/src/table.rs";
const PAGE: &str = "docs/metrics.md";
const RECORDING: &str = "docs/prometheus/recording.yml";
const ALERTS: &str = "docs/prometheus/alerts.yml";
const ALERT_TESTS: &str = "docs/prometheus/alerts_test.yml";
const RUNBOOK: &str = "docs/runbook.md";

/// Where metrics are named by those who read them.
const READERS: [&str; 3] = ["docs/prometheus/", "docs/grafana/", RUNBOOK];

/// A metric of the table.
#[derive(Debug, PartialEq)]
struct Metric {
    name: String,
    kind: String,
    labels: Vec<String>,
    help: String,
}

impl Metric {
    /// Its line in the page.
    fn row(&self) -> String {
        let Self { name, kind, labels, help } = self;
        format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
    }
}

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let Some(table) = workspace.files.get(TABLE) else { return Vec::new() };
    let metrics = match metrics(table) {
        Ok(metrics) if !metrics.is_empty() => metrics,
        Ok(_) => return vec![Finding::at(TABLE, "holds no metric that tidy can read")],
        Err(error) => return vec![Finding::at(TABLE, format!("cannot be read: {error}"))],
    };
    let mut findings = check_page(workspace, &metrics);
    findings.extend(check_readers(workspace, &metrics));
    findings.extend(check_alerts(workspace));
    findings
}

/// The metrics of the invocation `table! { const NAME: Metric = Metric::kind("name", …); … }`.
fn metrics(source: &str) -> syn::Result<Vec<Metric>> {
    let mut metrics = Vec::new();
    for item in syn::parse_file(source)?.items {
        let Item::Macro(invocation) = item else { continue };
        if !invocation.mac.path.is_ident("table") {
            continue;
        }
        for item in invocation.mac.parse_body::<syn::File>()?.items {
            if let Item::Const(metric) = &item
                && let Expr::Call(call) = &*metric.expr
            {
                metrics.extend(metric_of(call));
            }
        }
    }
    Ok(metrics)
}

fn metric_of(call: &ExprCall) -> Option<Metric> {
    let Expr::Path(function) = &*call.func else { return None };
    Some(Metric {
        kind: function.path.segments.last()?.ident.to_string(),
        name: text(call.args.first()?)?,
        labels: match call.args.get(1)? {
            Expr::Reference(list) => match &*list.expr {
                Expr::Array(list) => list.elems.iter().filter_map(text).collect(),
                _ => return None,
            },
            _ => return None,
        },
        help: text(call.args.last()?)?,
    })
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// The page has the table's rows in the table's order, and no other.
fn check_page(workspace: &Workspace, metrics: &[Metric]) -> Vec<Finding> {
    let Some(page) = workspace.files.get(PAGE) else {
        return vec![Finding::at(PAGE, "is missing: it lists the metrics")];
    };
    let mut shown =
        page.lines().enumerate().filter(|(_, line)| line.starts_with("| `rucache_")).peekable();
    let mut findings = Vec::new();
    for metric in metrics {
        let row = metric.row();
        match shown.next() {
            Some((_, line)) if line == row => {}
            Some((number, _)) => {
                let message = format!("does not say what {TABLE} says: {row}");
                findings.push(Finding::at_line(PAGE, number + 1, message));
            }
            None => findings.push(Finding::at(PAGE, format!("lacks this row: {row}"))),
        }
    }
    findings.extend(
        shown.map(|(number, line)| {
            Finding::at_line(PAGE, number + 1, format!("is no metric: {line}"))
        }),
    );
    findings
}

/// Whatever rules, dashboard and runbook name exists.
fn check_readers(workspace: &Workspace, metrics: &[Metric]) -> Vec<Finding> {
    let recorded = values(workspace, RECORDING, "- record:");
    let mut findings = Vec::new();
    let readers =
        workspace.files.iter().filter(|(path, _)| READERS.iter().any(|own| path.starts_with(own)));
    for (path, content) in readers {
        for (number, line) in content.lines().enumerate() {
            for word in words(line).filter(|word| !is_known(word, metrics, &recorded)) {
                let message = format!("names `{word}`, and there is no such metric or rule");
                findings.push(Finding::at_line(path, number + 1, message));
            }
        }
    }
    findings
}

/// The words of a line that look like a metric or a recorded rule of ours.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    line.split(move |c| !is_inside(c))
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| word.starts_with("rucache_") || word.starts_with("rucache:"))
}

fn is_known(word: &str, metrics: &[Metric], recorded: &BTreeSet<&str>) -> bool {
    let series = ["_bucket", "_sum", "_count"];
    let is_of = |metric: &Metric| {
        metric.name == word
            || metric.kind == "histogram"
                && series.iter().any(|part| word.strip_suffix(part) == Some(&metric.name))
    };
    recorded.contains(word) || metrics.iter().any(is_of)
}

/// Every alert has a test and a section of the runbook, and the runbook no other section.
fn check_alerts(workspace: &Workspace) -> Vec<Finding> {
    let alerts = values(workspace, ALERTS, "- alert:");
    let sections = values(workspace, RUNBOOK, "##");
    let tested = values(workspace, ALERT_TESTS, "alertname:");
    let mut findings = Vec::new();
    for alert in &alerts {
        if !sections.contains(alert) {
            findings.push(Finding::at(RUNBOOK, format!("has no section `## {alert}`")));
        }
        if !tested.contains(alert) {
            findings.push(Finding::at(ALERT_TESTS, format!("never tests {alert}")));
        }
        let link = format!("{RUNBOOK}#{}", alert.to_lowercase());
        if !workspace.files.get(ALERTS).is_some_and(|text| text.contains(&link)) {
            findings.push(Finding::at(ALERTS, format!("has no link {link}")));
        }
    }
    for section in sections.iter().filter(|name| name.starts_with("Rucache")) {
        if !alerts.contains(section) {
            findings.push(Finding::at(RUNBOOK, format!("`## {section}` is no alert")));
        }
    }
    findings
}

/// What stands behind `label` in the lines of a file.
fn values<'w>(workspace: &'w Workspace, path: &str, label: &str) -> BTreeSet<&'w str> {
    let text = workspace.files.get(path).map_or("", String::as_str);
    let values = text.lines().filter_map(|line| line.trim_start().strip_prefix(label));
    values.filter(|value| value.starts_with(' ')).map(str::trim).collect()
}

#[cfg(test)]
mod tests;
