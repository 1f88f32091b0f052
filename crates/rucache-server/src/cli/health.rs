//! `rucache health`: how a running service is.

use std::io::Write;

use anstyle::AnsiColor;
use serde_json::Value;

use super::Output;
use super::exit::{Exit, Failure};
use super::remote::Server;
use super::settings::Global;
use super::table::printable;

/// What is shown of the report beside status and checks, and its unit.
const PARTS: [(&str, &str); 4] =
    [("backend", ""), ("connection", ""), ("avg_response_time", " ms"), ("uptime", " s")];

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
        None => Server::at(global.load(None)?.config().listen),
    };
    let report = server.health()?;
    let healthy = report["status"] == "healthy";
    if args.json {
        super::write_json(out, &report)?;
    } else {
        let style = if healthy { AnsiColor::Green } else { AnsiColor::Red }.on_default();
        let status = text(&report["status"]);
        writeln!(out, "{server}: {style}{status}{style:#}")?;
        for (name, unit) in PARTS {
            if let Some(value) = report.get(name) {
                writeln!(out, "  {name:<20}{}{unit}", text(value))?;
            }
        }
        for (name, value) in report["checks"].as_object().into_iter().flatten() {
            writeln!(out, "  {name:<20}{}", text(value))?;
        }
    }
    Ok(if healthy { Exit::Done } else { Exit::Failed })
}

/// A value of the report, without anything that a terminal obeys.
fn text(value: &Value) -> String {
    printable(&value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}
