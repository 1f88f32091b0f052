//! Good and bad samples of everything that is compared.

use super::super::texts;
use super::*;

const SOURCE: &str = r#"
table! {
    pub(crate) const A: Metric = Metric::counter("rucache_a_total", &["cache", "op"], "Reads");
    pub(crate) const B: Metric = Metric::histogram(
        "rucache_b_seconds",
        &[],
        CALLS,
        "Times",
    );
}
"#;

const ROWS: &str = "# Metrics\n\n\
    | `rucache_a_total` | counter | cache, op | Reads |\n\
    | `rucache_b_seconds` | histogram |  | Times |\n";

const RULES: &str = "- alert: RucacheDown\n  expr: rucache:b:rate5m > 1\n  \
    annotations: {runbook_url: docs/runbook.md#rucachedown}\n";

/// What is found when one file of a good workspace is replaced.
fn findings(path: &str, text: &str) -> Vec<String> {
    let mut workspace = Workspace::default();
    for (path, text) in [
        (TABLE, SOURCE),
        (PAGE, ROWS),
        (RECORDING, "- record: rucache:b:rate5m\n  expr: rate(rucache_b_seconds_count[5m])\n"),
        (ALERTS, RULES),
        (ALERT_TESTS, "- alertname: x\n  alertname: RucacheDown\n"),
        (RUNBOOK, "# Runbook\n\n## RucacheDown\n\nSee `rucache_a_total`.\n"),
        ("docs/grafana/rucache.json", r#"{"expr": "rate(rucache_a_total{op=\"get\"}[5m])"}"#),
        (path, text),
    ] {
        workspace.files.insert(path.to_owned(), text.to_owned());
    }
    texts(check(&workspace))
}

#[test]
fn texts_that_agree_with_the_table_pass() {
    assert_eq!(findings(PAGE, ROWS), [""; 0]);
}

#[test]
fn a_row_that_says_something_else_is_found_with_what_it_should_say() {
    assert_eq!(
        findings(PAGE, &ROWS.replace("cache, op", "cache")),
        [
            "docs/metrics.md:3: does not say what crates/rucache-telemetry/src/table.rs says: | `rucache_a_total` | counter | cache, op | Reads |"
        ]
    );
}

#[test]
fn a_row_too_few_and_a_row_too_many_are_found() {
    let few = ROWS.replace("| `rucache_b_seconds` | histogram |  | Times |\n", "");
    assert_eq!(
        findings(PAGE, &few),
        ["docs/metrics.md: lacks this row: | `rucache_b_seconds` | histogram |  | Times |"]
    );
    let many = format!("{ROWS}| `rucache_c` | gauge | | Levels |\n");
    assert_eq!(
        findings(PAGE, &many),
        ["docs/metrics.md:5: is no metric: | `rucache_c` | gauge | | Levels |"]
    );
}

#[test]
fn a_metric_or_rule_that_does_not_exist_is_found_wherever_it_is_read() {
    for (path, text, word) in [
        ("docs/grafana/rucache.json", "{\"expr\": \"rucache_gone\"}", "rucache_gone"),
        (
            "docs/grafana/rucache.json",
            "{\"expr\": \"rucache_a_total_bucket\"}",
            "rucache_a_total_bucket",
        ),
        ("docs/prometheus/more.yml", "expr: rucache:gone:rate5m > 1", "rucache:gone:rate5m"),
    ] {
        assert_eq!(
            findings(path, text),
            [format!("{path}:1: names `{word}`, and there is no such metric or rule")]
        );
    }
}

#[test]
fn an_alert_without_test_section_or_link_is_found() {
    assert_eq!(
        findings(ALERTS, &format!("{RULES}- alert: RucacheNew\n")),
        [
            "docs/runbook.md: has no section `## RucacheNew`",
            "docs/prometheus/alerts_test.yml: never tests RucacheNew",
            "docs/prometheus/alerts.yml: has no link docs/runbook.md#rucachenew",
        ]
    );
}

#[test]
fn a_section_of_the_runbook_without_an_alert_is_found() {
    assert_eq!(
        findings(RUNBOOK, "## RucacheDown\n## RucacheGone\n## How to read this page\n"),
        ["docs/runbook.md: `## RucacheGone` is no alert"]
    );
}

#[test]
fn a_table_that_cannot_be_read_is_found() {
    assert_eq!(findings(TABLE, "table! {}").len(), 1);
    assert_eq!(findings(TABLE, "table! { const").len(), 1);
}
