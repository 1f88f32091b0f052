//! `rucache health`: how a running service is.

use std::io::Write;

use serde_json::Value;

use super::Output;
use super::exit::{Exit, Failure};
use super::remote::Server;
use super::settings::Global;
use super::table::{Cell, Table, Tone};

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
        writeln!(out, "{report:#}")?;
    } else {
        let tone = if healthy { Tone::Good } else { Tone::Bad };
        let status = text(&report["status"]);
        let mut table = Table::new(["HEALTH", &""]);
        table.push(["service".into(), server.to_string().as_str().into()]);
        table.push(["status".into(), Cell::new(&status, tone)]);
        for name in ["backend", "connection", "avg_response_time", "uptime"] {
            if let Some(value) = report.get(name) {
                table.push([name.into(), text(value).as_str().into()]);
            }
        }
        for (name, value) in report["checks"].as_object().into_iter().flatten() {
            table.push([name.as_str().into(), text(value).as_str().into()]);
        }
        table.write(out, None)?;
    }
    Ok(if healthy { Exit::Done } else { Exit::Failed })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
