//! `rucache invalid`: the registry of numbers that are known to be none.

use std::io::Write;

use serde_json::{Value, json};
use ureq::http::Method;

use super::Output;
use super::cache::{Cache, encoded, target};
use super::entry::{outcome, report};
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::table::{Table, printable, terminal_width};

/// Numbers on a page of a listing.
const PAGE: &str = "1000";

/// Work with the registry of invalid numbers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Add(AddArgs),
    Show(ShowArgs),
    Remove(RemoveArgs),
    List(ListArgs),
    Clear(ClearArgs),
}

/// Which registry, and how the answer is printed.
#[derive(Debug, clap::Args)]
struct Common {
    /// The service whose registry it is [default: migo]
    #[arg(long)]
    service: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Mark a number, or whatever text it is, as invalid.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalid add 20999999999 NO_EXISTE_SUNAT
  rucache invalid add 20999999999 'cliente moroso' --ttl 7d")]
pub(super) struct AddArgs {
    /// The number
    number: String,
    /// Why: NO_EXISTE_SUNAT, FORMATO_INVALIDO, ERROR_API or any text
    reason: String,
    /// For how long: seconds, or 24h, which is the default
    #[arg(long)]
    ttl: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Show why a number is invalid.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalid show 20999999999
  rucache invalid show 20999999999 --lapsed --json

Exit codes: 0 shown, 10 it is not in the registry")]
pub(super) struct ShowArgs {
    /// The number
    number: String,
    /// Also what no longer holds
    #[arg(long)]
    lapsed: bool,
    #[command(flatten)]
    common: Common,
}

/// Take a number off the registry.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalid remove 20999999999")]
pub(super) struct RemoveArgs {
    /// The number
    number: String,
    #[command(flatten)]
    common: Common,
}

/// List the invalid numbers; with --json one a line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalid list
  rucache invalid list --json | jq -r .ruc")]
pub(super) struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// Take all numbers off the registry.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalid clear --service migo")]
pub(super) struct ClearArgs {
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(command: Command, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "invalid")?;
    match command {
        Command::Add(args) => add(&args, &cache, out),
        Command::Show(args) => {
            let include = args.lapsed.then_some("lapsed");
            let query = [("service", args.common.service.as_deref()), ("include", include)];
            let target = target(&path(&args.number), &query);
            let answer = cache.done(Method::GET, &target, None)?;
            record(out, args.common.json, &answer)
        }
        Command::Remove(args) => {
            let answer = cache.done(Method::DELETE, &address(&args.common, &args.number), None)?;
            report(out, args.common.json, &outcome(&answer), "removed")
        }
        Command::List(args) => list(&args.common, &cache, out),
        Command::Clear(ClearArgs { common }) => {
            let target = target("/v1/invalid-rucs", &[("service", common.service.as_deref())]);
            let answer = cache.done(Method::DELETE, &target, None)?;
            report(out, common.json, &answer, &format!("{} removed", answer["removed"]))
        }
    }
}

fn path(number: &str) -> String {
    // A path may not hold these two by themselves, in whatever form.
    let encoded = match number {
        "." | ".." => number.replace('.', "%2E"),
        number => encoded(number),
    };
    format!("/v1/invalid-rucs/{encoded}")
}

fn address(common: &Common, number: &str) -> String {
    target(&path(number), &[("service", common.service.as_deref())])
}

fn add(args: &AddArgs, cache: &Cache, out: &mut Output) -> Result<Exit, Failure> {
    let mut body = json!({ "reason": args.reason });
    if let Some(ttl) = &args.ttl {
        body["ttl"] = ttl.as_str().into();
    }
    let answer = cache.done(Method::PUT, &address(&args.common, &args.number), Some(&body))?;
    record(out, args.common.json, &answer)
}

fn record(out: &mut Output, as_json: bool, record: &Value) -> Result<Exit, Failure> {
    if as_json {
        super::write_json(out, record)?;
        return Ok(Exit::Done);
    }
    for name in ["ruc", "reason", "attempts", "first_seen", "timestamp", "expires_at"] {
        writeln!(out, "{:<12}{}", name.replace('_', " "), text(&record[name]))?;
    }
    Ok(Exit::Done)
}

fn list(common: &Common, cache: &Cache, out: &mut Output) -> Result<Exit, Failure> {
    let (mut cursor, mut table) =
        (None::<String>, Table::new(["RUC", "REASON", "ATTEMPTS", "UNTIL"]));
    loop {
        let query = [
            ("service", common.service.as_deref()),
            ("limit", Some(PAGE)),
            ("cursor", cursor.as_deref()),
        ];
        let page = cache.done(Method::GET, &target("/v1/invalid-rucs", &query), None)?;
        for item in page["items"].as_array().into_iter().flatten() {
            if common.json {
                writeln!(out, "{item}")?;
            } else {
                let cells =
                    ["ruc", "reason", "attempts", "expires_at"].map(|name| text(&item[name]));
                table.push(cells.map(|cell| cell.as_str().into()));
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    if !common.json {
        table.write(out, terminal_width())?;
    }
    Ok(Exit::Done)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), printable)
}
