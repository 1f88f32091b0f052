//! `rucache stats` and `maintain`: what was counted, and what is tidied.

use std::io::Write;

use serde_json::Value;
use ureq::http::Method;

use super::Output;
use super::cache::{Cache, target};
use super::entry::report;
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::table::{Table, printable, terminal_width};

/// Show what a service counted.
///
/// Without --server only what all processes have added up is there: --date or --fleet.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache stats --server http://127.0.0.1:8080
  rucache stats --fleet --json
  rucache stats --date 2026-01-28")]
pub(super) struct StatsArgs {
    /// Also what all processes have added up today
    #[arg(long, conflicts_with = "date")]
    fleet: bool,
    /// What all processes counted on this day in Lima, a week back at most
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Drop what is over now, which a service does by itself in time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache maintain --server http://127.0.0.1:8080
  rucache --backend redis://127.0.0.1:6379/1 maintain")]
pub(super) struct MaintainArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn stats(args: &StatsArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "stats")?;
    let target = match &args.date {
        Some(date) => target("/v1/stats/daily", &[("date", Some(date))]),
        None => target("/v1/stats", &[("scope", args.fleet.then_some("fleet"))]),
    };
    let answer = cache.done(Method::GET, &target, None)?;
    if args.json {
        super::write_json(out, &answer)?;
        return Ok(Exit::Done);
    }
    for name in
        ["date", "status", "backend", "hits", "misses", "hit_rate", "total_keys", "invalidations"]
    {
        if let Some(value) = answer.get(name).filter(|value| !value.is_null()) {
            writeln!(out, "{:<15}{}{}", name.replace('_', " "), shown(value), unit(name))?;
        }
    }
    if let Some(count) = answer["invalid_rucs"]["total_count"].as_u64() {
        writeln!(out, "{:<15}{count}", "invalid RUCs")?;
    }
    let services = answer.get("service_breakdown").or_else(|| answer.get("services"));
    let services = services.and_then(Value::as_object).filter(|services| !services.is_empty());
    if let Some(services) = services {
        writeln!(out)?;
        let mut table = Table::new(["SERVICE", "HITS", "MISSES"]);
        for (service, counts) in services {
            let cells = [service.clone(), shown(&counts["hits"]), shown(&counts["misses"])];
            table.push(cells.map(|cell| cell.as_str().into()));
        }
        table.write(out, terminal_width())?;
    }
    if let Some(fleet) = answer.get("fleet").filter(|fleet| fleet.is_object()) {
        let (hits, misses) = (shown(&fleet["hits"]), shown(&fleet["misses"]));
        writeln!(out, "\nall processes today: {hits} hits, {misses} misses")?;
    }
    Ok(Exit::Done)
}

pub(super) fn maintain(
    args: &MaintainArgs,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "maintain")?;
    let answer = cache.done(Method::POST, "/v1/maintenance", None)?;
    let words = format!(
        "{} expired entries and {} marks without a verdict dropped",
        answer["expired"], answer["invalid_rucs"]
    );
    report(out, args.json, &answer, &words)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), printable)
}

const fn unit(name: &str) -> &'static str {
    match name.as_bytes() {
        b"hit_rate" => " %",
        _ => "",
    }
}
