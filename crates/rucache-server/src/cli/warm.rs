//! `rucache warm`: fills a cache before anybody asks.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use anstream::eprintln;
use rucache::engine::TokioRuntime;
use serde_json::{Map, Value, json};

use super::Output;
use super::bulk;
use super::cache::{Cache, target};
use super::exit::{Exit, Failure};
use super::progress::{Progress, span};
use super::settings::Global;

/// Numbers in one request.
const STEP: usize = 10_000;

/// The counts of a step, in the order in which they are told.
const COUNTS: [&str; 6] =
    ["seen", "already_cached", "loaded", "stored", "not_found", "unavailable"];

/// Bring records into the cache before anybody asks for them.
///
/// What is cached already is left alone, and no more than nine tenths of the cache are filled.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache warm --file clientes.csv --rate 20
  rucache warm --most-asked 1000
  rucache warm --register --estado ACTIVO --prefix 20 --server http://127.0.0.1:8080")]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub(super) struct Args {
    /// The numbers of a file, as `bulk` reads it
    #[arg(long, group = "source")]
    file: Option<PathBuf>,
    /// So many of the numbers that are asked for most
    #[arg(long, group = "source", value_name = "N")]
    most_asked: Option<usize>,
    /// Records of the configured register, or of the bundled sample
    #[arg(long, group = "source")]
    register: bool,
    /// With --register: numbers that begin so
    #[arg(long, requires = "register")]
    prefix: Option<String>,
    /// With --register: taxpayers with this estado
    #[arg(long, requires = "register")]
    estado: Option<String>,
    /// With --register: taxpayers with this condición
    #[arg(long, requires = "register")]
    condicion: Option<String>,
    /// With --register: places whose ubigeo begins so
    #[arg(long, requires = "register")]
    ubigeo: Option<String>,
    /// Most numbers a second
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// Most numbers in all
    #[arg(long)]
    max: Option<u64>,
    /// The service that records are kept in [default: migo]
    #[arg(long)]
    service: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let bodies = bodies(args)?;
    let cache = Cache::open(global, "warm")?;
    let timer = super::runtime()?;
    let total = args.file.as_ref().map(|_| bodies.iter().map(numbers).sum());
    let clock = Arc::new(TokioRuntime::new(timer.handle().clone()));
    let mut progress = Progress::begin(clock, 0, total);
    let target = target("/v1/warm", &[("service", args.service.as_deref())]);
    let mut done = Map::new();
    for mut body in bodies {
        if let Some(max) = args.max {
            let used = count(&done, "loaded") + count(&done, "stored");
            body["max"] = max.saturating_sub(used).into();
        }
        let mut last = Value::Null;
        cache.lines(&target, &body, &mut |line| {
            last = serde_json::from_str(line)
                .map_err(|error| Failure::new(format!("an answer is not understood: {error}")))?;
            let seen = count(&done, "seen") + last["seen"].as_u64().unwrap_or(0);
            progress.show(seen, &format!("{} loaded, {} stored", last["loaded"], last["stored"]));
            Ok(())
        })?;
        if last["done"] != true {
            return Err(Failure::with(Exit::Unreachable, "the service broke off"));
        }
        for name in COUNTS {
            let sum = count(&done, name) + last[name].as_u64().unwrap_or(0);
            done.insert(name.to_owned(), sum.into());
        }
        done.insert("stopped".to_owned(), last["stopped"].clone());
        if !last["stopped"].is_null() {
            break;
        }
    }
    let took = progress.end();
    if args.json {
        super::write_json(out, &done)?;
    } else {
        let told = COUNTS.map(|name| format!("{} {}", count(&done, name), name.replace('_', " ")));
        eprintln!("rucache: {} in {}", told.join(", "), span(took));
        match done.get("stopped").and_then(Value::as_str) {
            Some("full") => eprintln!("rucache: stopped: the cache is nine tenths full"),
            Some("limit") => eprintln!("rucache: stopped at --max"),
            _ => {}
        }
    }
    Ok(Exit::Done)
}

fn count(done: &Map<String, Value>, name: &str) -> u64 {
    done.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn numbers(body: &Value) -> u64 {
    body["rucs"].as_array().map_or(0, |rucs| u64::try_from(rucs.len()).unwrap_or(u64::MAX))
}

/// The requests that it takes.
fn bodies(args: &Args) -> Result<Vec<Value>, Failure> {
    let mut bodies = if let Some(file) = &args.file {
        let numbers = bulk::valid_numbers(file)?;
        numbers.chunks(STEP).map(|rucs| json!({ "rucs": rucs })).collect()
    } else if let Some(count) = args.most_asked {
        vec![json!({ "most_asked": count })]
    } else {
        let given = [
            ("prefix", &args.prefix),
            ("estado", &args.estado),
            ("condicion", &args.condicion),
            ("ubigeo", &args.ubigeo),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let filter: Map<_, _> =
            given.map(|(name, value)| (name.to_owned(), value.as_str().into())).collect();
        vec![json!({ "register": filter })]
    };
    if let Some(rate) = args.rate {
        bodies.iter_mut().for_each(|body| body["rate"] = rate.get().into());
    }
    Ok(bodies)
}
