//! `rucache health`: how a running service is.

use std::io::Write;

use anstyle::AnsiColor;
use serde_json::Value;

use super::Output;
use super::exit::{Exit, Failure};
use super::remote::Server;
use super::settings::Global;
use super::table::printable;

/// What is shown of the report beside status and checks: its name, how people call it, its unit.
const PARTS: [(&str, &str, &str); 3] = [
    ("backend", "backend", ""),
    ("avg_response_time", "response time", " ms"),
    ("uptime", "uptime", " s"),
];

/// Ask a running service how it is.
///
/// Without --server the service is asked where the configuration says that it listens, by default
/// at http://127.0.0.1:8080.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache health
  rucache health --server http://127.0.0.1:9090 --json

Exit codes: 0 healthy, 1 warning or unhealthy, 3 no answer")]
pub(super) struct Args {
    /// Print the service's own JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let server = match global.server()? {
        Some(server) => server,
        None => global.configured_server()?,
    };
    let (report, text) = server.health()?;
    let healthy = report["status"] == "healthy";
    if args.json {
        writeln!(out, "{}", text.trim())?;
    } else {
        write_report(out, &server, &report, healthy)?;
    }
    Ok(if healthy { Exit::Done } else { Exit::Failed })
}

fn write_report(
    out: &mut Output,
    server: &Server,
    report: &Value,
    healthy: bool,
) -> Result<(), Failure> {
    let style = if healthy { AnsiColor::Green } else { AnsiColor::Red }.on_default();
    writeln!(out, "{server}: {style}{}{style:#}", shown(&report["status"]))?;
    for (name, label, unit) in PARTS {
        if let Some(value) = report.get(name) {
            writeln!(out, "  {label:<18}{}{unit}", shown(value))?;
        }
    }
    for (name, value) in report["checks"].as_object().into_iter().flatten() {
        writeln!(out, "  {:<18}{}", printable(&name.replace('_', " ")), shown(value))?;
    }
    Ok(())
}

/// A value of the report, without anything that a terminal obeys.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Number(number) if number.is_f64() => {
            format!("{:.3}", number.as_f64().unwrap_or_default())
        }
        _ => value.to_string(),
    }
}
