//! `rucache clear`, `invalidate` and `event`: what makes entries outdated.

use std::io::{Read, Write};

use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::Output;
use super::cache::{Cache, encoded, target};
use super::entry::{outcome, report};
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::table::{Table, terminal_width};

/// Remove everything that a service holds, or everything of every service.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache clear migo
  rucache clear --all --server http://127.0.0.1:8080")]
pub(super) struct ClearArgs {
    /// The service
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    service: Option<String>,
    /// Every service
    #[arg(long)]
    all: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Remove entries by key, by tag, by service.
///
/// Keys and tags are written SERVICE:NAME; without a service they are those of `default`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache invalidate migo:ruc_20131312955 estadisticas_ventas
  rucache invalidate --tag migo:estado_activo --service nubefact
  rucache invalidate --expire migo:ruc_20131312955")]
pub(super) struct InvalidateArgs {
    /// The keys
    #[arg(value_name = "KEY", required_unless_present_any = ["tags", "services"])]
    keys: Vec<String>,
    /// A tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A service; may be given several times
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// Keep the values of keys as fallbacks for look-ups whose source fails
    #[arg(long)]
    expire: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Say that something happened, and let the rules say what that makes outdated.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache event producto saved 7 --field categoria=3:4
  rucache event ruc rejected 20131312955
  rucache event --dry-run producto deleted 7
  rucache event - < events.json")]
pub(super) struct EventArgs {
    /// The kind of thing; - reads one event or a list of them as JSON from standard input
    entity: String,
    /// What happened to it: created, updated, saved, deleted
    action: Option<String>,
    /// Which one: its primary key
    key: Option<String>,
    /// A field that changed, with its value before and after; may be given several times
    #[arg(long = "field", value_name = "NAME=OLD:NEW")]
    fields: Vec<String>,
    /// Do nothing, and show what it would do
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn clear(args: &ClearArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "clear")?;
    let (target, words) = match &args.service {
        Some(service) => (format!("/v1/cache/{}", encoded(service)), format!("{service} cleared")),
        None => ("/v1/cache?confirm=all".to_owned(), "everything cleared".to_owned()),
    };
    let answer = cache.done(Method::DELETE, &target, None)?;
    report(out, args.json, &outcome(&answer), &words)
}

pub(super) fn invalidate(
    args: &InvalidateArgs,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let cache = Cache::open(global, "invalidate")?;
    let body = json!({
        "keys": args.keys,
        "tags": args.tags,
        "services": args.services,
        "mode": if args.expire { "expire" } else { "remove" },
    });
    let answer = cache.done(Method::POST, "/v1/invalidate", Some(&body))?;
    report(out, args.json, &answer, if args.expire { "expired" } else { "removed" })
}

pub(super) fn event(args: &EventArgs, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let events = events(args)?;
    let cache = match args.dry_run {
        true => Cache::open_any(global)?,
        false => Cache::open(global, "event")?,
    };
    let target = target("/v1/events", &[("dry_run", args.dry_run.then_some("true"))]);
    let answer = cache.done(Method::POST, &target, Some(&events))?;
    let effects = answer["effects"].as_array().cloned().unwrap_or_default();
    let failed = effects.iter().any(|effect| effect["outcome"] == "failed");
    if args.json {
        super::write_json(out, &answer)?;
    } else if effects.is_empty() {
        writeln!(out, "no rule has anything to do")?;
    } else {
        let mut table = Table::new(["ACTION", "WHAT", "NAME", "OUTCOME"]);
        for effect in &effects {
            let kinds = ["key", "tag", "service"];
            let kind = kinds.iter().find(|kind| effect[**kind].is_string()).unwrap_or(&"");
            let text = |name: &str| effect[name].as_str().unwrap_or("-").to_owned();
            let cells = [text("action"), (*kind).to_owned(), text(kind), text("outcome")];
            table.push(cells.map(|cell| cell.as_str().into()));
        }
        table.write(out, terminal_width())?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn events(args: &EventArgs) -> Result<Value, Failure> {
    if args.entity == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Failure::new(format!("cannot read the events from standard input: {error}"))
        })?;
        return serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("standard input is not JSON: {error}")));
    }
    let (Some(action), Some(key)) = (&args.action, &args.key) else {
        return Err(Failure::new("an event needs ENTITY, ACTION and KEY"));
    };
    let mut fields = Map::new();
    for field in &args.fields {
        let parts =
            field.split_once('=').and_then(|(name, values)| Some((name, values.split_once(':')?)));
        let Some((name, (old, new))) = parts else {
            return Err(Failure::new(format!("--field {field:?} is not NAME=OLD:NEW")));
        };
        fields.insert(name.to_owned(), json!({ "old": scalar(old), "new": scalar(new) }));
    }
    Ok(json!({ "entity": args.entity, "action": action, "key": key, "fields": fields }))
}

/// A value as people write it: nothing is null, the rest is text, as it stands in keys.
fn scalar(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}
