//! Rules, dashboard and exposition, judged by Prometheus' own tools.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::Invocation;
use crate::failure::{Doing as _, Failure, Outcome};
use crate::tools::Tool;

const DASHBOARD: &str = "docs/grafana/rucache.json";

/// Where what the tools are to read is written.
const SCRATCH: &str = "target/monitoring";

/// What Grafana puts in the place of its variables, for the sake of the grammar.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "1m"), ("$__range", "1h")];

pub(super) fn run(root: &Path) -> Outcome {
    let promtool = || Tool::named("promtool")?.obtain(root);
    let amtool = Tool::named("amtool")?.obtain(root)?;
    // Checks the rules that it names, too.
    promtool()?.words("check config docs/prometheus/prometheus.yml").run(root)?;
    promtool()?.words("test rules docs/prometheus/alerts_test.yml").run(root)?;
    amtool.words("check-config docs/prometheus/alertmanager.yml").run(root)?;

    let folder = root.join(SCRATCH);
    fs::create_dir_all(&folder).doing(|| format!("create {SCRATCH}"))?;
    let text = fs::read_to_string(root.join(DASHBOARD)).doing(|| format!("read {DASHBOARD}"))?;
    let dashboard = serde_json::from_str(&text).doing(|| format!("read {DASHBOARD}"))?;
    let rules = as_rules(&expressions(&dashboard));
    fs::write(folder.join("dashboard.yml"), rules).doing(|| "write the dashboard's".to_owned())?;
    promtool()?.words("check rules").args([format!("{SCRATCH}/dashboard.yml")]).run(root)?;

    let scrape = "run --quiet -p rucache-telemetry --example scrape";
    let scrape = Invocation::cargo(scrape).output(root)?;
    if scrape.is_empty() {
        return Err(Failure::new("the example `scrape` of rucache-telemetry printed nothing"));
    }
    fs::write(folder.join("scrape.txt"), scrape).doing(|| "write the scrape".to_owned())?;
    let check = format!("{} < {SCRATCH}/scrape.txt", promtool()?.words("check metrics"));
    Invocation::new("sh").words("-c").args([check]).run(root)
}

/// Every expression that stands somewhere in the dashboard, as Prometheus gets it.
fn expressions(dashboard: &Value) -> Vec<String> {
    match dashboard {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("expr", Value::String(expr)) => vec![substituted(expr)],
                (_, value) => expressions(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

fn substituted(expr: &str) -> String {
    let replace = |text: String, (name, value): (&str, &str)| text.replace(name, value);
    VARIABLES.into_iter().fold(expr.to_owned(), replace)
}

/// The expressions as recording rules: what `promtool` can check.
fn as_rules(expressions: &[String]) -> String {
    let rule = |(number, expr): (usize, &String)| {
        // A JSON text is a YAML text.
        format!("      - {{record: \"panel:{number}\", expr: {}}}\n", Value::from(expr.as_str()))
    };
    let rules: String = expressions.iter().enumerate().map(rule).collect();
    format!("groups:\n  - name: dashboard\n    rules:\n{rules}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_at_any_depth_and_lose_their_variables() {
        let dashboard = serde_json::json!({
            "panels": [
                {"targets": [{"expr": "rate(a[$__rate_interval])"}, {"expr": "b{c=\"d\"}"}]},
                {"panels": [{"targets": [{"expr": "increase(e[$__range])"}]}], "title": "expr"},
            ],
        });
        assert_eq!(expressions(&dashboard), ["rate(a[1m])", "b{c=\"d\"}", "increase(e[1h])"]);
    }

    #[test]
    fn rules_quote_what_they_hold() {
        let rules = as_rules(&["a{b=\"c\"}".to_owned()]);
        assert!(rules.ends_with("{record: \"panel:0\", expr: \"a{b=\\\"c\\\"}\"}\n"), "{rules}");
    }
}
