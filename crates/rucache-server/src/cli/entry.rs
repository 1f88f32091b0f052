//! `rucache get`, `set` and `delete`: single entries.

use std::io::{Read, Write};

use serde_json::{Value, json};
use ureq::http::Method;

use super::Output;
use super::cache::{Cache, target};
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::table::printable;

/// Show the value of a key, as JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache get migo greeting --server http://127.0.0.1:8080
  rucache --backend redis://127.0.0.1:6379/1 get default estadisticas_ventas

Exit codes: 0 shown, 10 nothing is cached under this name, 3 no answer")]
pub(super) struct GetArgs {
    /// The service
    service: String,
    /// The name inside the service
    name: String,
}

/// Store a value under a key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache set migo greeting '{\"hello\": \"world\"}' --ttl 5min
  rucache set migo greeting --text hola --tag saludo
  curl -s https://example.pe/report.json | rucache set migo report -")]
pub(super) struct SetArgs {
    /// The service
    service: String,
    /// The name inside the service
    name: String,
    /// The value as JSON; - reads it from standard input
    value: String,
    /// Take the value as a text, not as JSON
    #[arg(long)]
    text: bool,
    /// How long it lives: seconds, or 15min; as the configuration says without it
    #[arg(long)]
    ttl: Option<String>,
    /// A tag that it carries; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Delete the values of keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache delete migo greeting
  rucache delete migo ruc_20131312955 ruc_20100070970")]
pub(super) struct DeleteArgs {
    /// The service
    service: String,
    /// The names inside the service
    #[arg(required = true)]
    names: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn get(args: &GetArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "get")?;
    let answer = cache.ask(Method::GET, &entry(&args.service, &args.name, &[]), None)?;
    if answer.status != 200 {
        return Err(cache.refused(answer.status, &answer.body));
    }
    // As it was stored, digit for digit: a number need not fit what this program reckons with.
    writeln!(out, "{}", answer.body)?;
    Ok(Exit::Done)
}

pub(super) fn set(args: &SetArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let value = value(args)?;
    let tags = (!args.tags.is_empty()).then(|| args.tags.join(","));
    let cache = Cache::open(global, "set")?;
    let query = [("ttl", args.ttl.as_deref()), ("tags", tags.as_deref())];
    let target = entry(&args.service, &args.name, &query);
    let answer = cache.done(Method::PUT, &target, Some(&value))?;
    report(out, args.json, &outcome(&answer), "stored")
}

pub(super) fn delete(
    args: &DeleteArgs,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "delete")?;
    let target = format!("/v1/cache/{}:batchDelete", super::cache::encoded(&args.service));
    let answer = cache.done(Method::POST, &target, Some(&json!({ "keys": args.names })))?;
    report(out, args.json, &answer, &format!("{} deleted", answer["deleted"]))
}

/// The address of an entry, whatever its name is.
fn entry(service: &str, name: &str, query: &[(&str, Option<&str>)]) -> String {
    let own = [("service", Some(service)), ("key", Some(name))];
    target("/v1/entry", &[&own, query].concat())
}

fn value(args: &SetArgs) -> Result<Value, Failure> {
    let mut text = args.value.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Failure::new(format!("cannot read the value from standard input: {error}"))
        })?;
    }
    if args.text {
        return Ok(Value::from(text));
    }
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("the value is not JSON: {error}; --text stores it as a text"))
    })
}

/// What a change answers as JSON, where it answers nothing.
pub(super) fn outcome(answer: &Value) -> Value {
    if answer.is_null() { json!({ "outcome": "done" }) } else { answer.clone() }
}

/// Tells what became of a change: as JSON, or in words.
pub(super) fn report(
    out: &mut Output,
    as_json: bool,
    answer: &Value,
    words: &str,
) -> Result<Exit, Failure> {
    if as_json {
        super::write_json(out, answer)?;
    } else if answer["outcome"] == "deferred" {
        writeln!(out, "{}; the backend has not confirmed it yet", printable(words))?;
    } else {
        writeln!(out, "{}", printable(words))?;
    }
    Ok(Exit::Done)
}
