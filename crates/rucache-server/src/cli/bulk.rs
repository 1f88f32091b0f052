//! `rucache bulk`: a file of numbers in, a file of records out.

mod input;
mod output;

use std::path::PathBuf;
use std::sync::Arc;

use anstream::eprintln;
use rucache::core::Runtime;
use rucache::engine::TokioRuntime;
use rucache::lookup::BatchId;
use serde_json::{Value, json};

use super::Output;
use super::cache::{Cache, target};
use super::exit::{Exit, Failure};
use super::progress::{Progress, rate, span};
use super::quote::Quote;
use super::settings::Global;
use input::Input;
use output::Sink;

/// Numbers in one request, and so in one batch.
const BATCH: usize = 10_000;

/// Look up all numbers of a file.
///
/// CSV files have a header line with a column `ruc`, or the numbers in their first column; files of
/// lines of JSON (.ndjson, .jsonl) hold objects with a member `ruc`, or texts. Answers stand in the
/// order of the numbers, as soon as they are there. An interrupted run is taken up with --resume:
/// what stands in the output is not asked for again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache bulk clientes.csv --output registros.csv
  rucache bulk clientes.csv --dry-run
  rucache bulk clientes.csv --output registros.csv --resume
  rucache bulk clientes.ndjson --server http://127.0.0.1:8080 > registros.ndjson
  cut -f1 lista.tsv | rucache bulk - --from csv --to ndjson

Exit codes: as of rucache lookup: 0 all found, 10 some not found, 11 some text is not a RUC, 12 no
verdict on some, 3 the service did not answer; the highest that applies")]
pub(super) struct Args {
    /// The file; - reads standard input
    file: PathBuf,
    /// Write here; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on where an interrupted run has left the output
    #[arg(long, requires = "output")]
    resume: bool,
    /// Form of the input; by its name without it
    #[arg(long, value_enum, value_name = "FORM")]
    from: Option<Form>,
    /// Form of the output; by its name without it, else as the input
    #[arg(long, value_enum, value_name = "FORM")]
    to: Option<Form>,
    /// Column or member of the numbers
    #[arg(long, default_value = "ruc")]
    column: String,
    /// The service that records are kept in [default: migo]
    #[arg(long)]
    service: Option<String>,
    /// Name of the batch; a random one without it
    #[arg(long)]
    id: Option<BatchId>,
    /// Say how many calls to which source this would take, make none, and write nothing
    #[arg(long, conflicts_with_all = ["output", "resume"])]
    dry_run: bool,
    /// Print the summary as JSON to standard error; that of a dry run to standard output
    #[arg(long)]
    json: bool,
}

/// How a file looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    Csv,
    Ndjson,
}

impl Form {
    fn of(file: &std::path::Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "csv" | "txt" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// What came out of a run.
#[derive(Debug, Default, serde::Serialize)]
struct Summary {
    total: usize,
    skipped: usize,
    found: u64,
    not_found: u64,
    invalid: u64,
    unavailable: u64,
    hits: u64,
    misses: u64,
    seconds: f64,
    batches: Vec<String>,
}

impl Summary {
    fn add(&mut self, answer: &Value) {
        let count = match answer["outcome"].as_str() {
            Some("found") => &mut self.found,
            Some("not_found") => &mut self.not_found,
            Some("invalid") => &mut self.invalid,
            _ => &mut self.unavailable,
        };
        *count += 1;
        match answer["cache"].as_str() {
            Some("hit" | "stale") => self.hits += 1,
            Some(_) => self.misses += 1,
            None => {}
        }
    }

    const fn done(&self) -> u64 {
        self.found + self.not_found + self.invalid + self.unavailable
    }

    const fn exit(&self) -> Exit {
        match self {
            Self { unavailable: 1.., .. } => Exit::Unavailable,
            Self { invalid: 1.., .. } => Exit::Invalid,
            Self { not_found: 1.., .. } => Exit::NotFound,
            _ => Exit::Done,
        }
    }
}

pub(super) fn run(args: &Args, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let from = args.from.or_else(|| Form::of(&args.file)).unwrap_or(Form::Csv);
    let by_name = args.output.as_deref().and_then(Form::of);
    let to = args.to.or(by_name).unwrap_or(from);
    let Input { numbers } = Input::read(&args.file, from, &args.column)?;
    if args.dry_run {
        let cache = Cache::open_any(global)?;
        let mut quote = Quote::default();
        for batch in numbers.chunks(BATCH) {
            quote.add(&cache, args.service.as_deref(), batch)?;
        }
        quote.write(out, args.json)?;
        return Ok(Exit::Done);
    }
    let mut sink = Sink::open(args.output.as_deref(), to, args.resume, out)?;
    let skipped = sink.answered();
    if skipped > numbers.len() {
        return Err(Failure::new(format!(
            "the output has {skipped} answers and the input {} numbers: it is of another input",
            numbers.len()
        )));
    }
    let cache = Cache::open_any(global)?;
    let timer = super::runtime()?;
    let clock: Arc<dyn Runtime> = Arc::new(TokioRuntime::new(timer.handle().clone()));
    let id = args.id.clone().unwrap_or_else(|| BatchId::random(&clock));
    let mut summary = Summary { total: numbers.len(), skipped, ..Summary::default() };
    let total = u64::try_from(numbers.len()).ok();
    let before = u64::try_from(skipped).unwrap_or(u64::MAX);
    let mut progress = Progress::begin(clock, before, total);
    for (at, batch) in numbers.chunks(BATCH).enumerate() {
        let first = at * BATCH;
        if first + batch.len() <= skipped {
            continue;
        }
        let name = if numbers.len() > BATCH { format!("{id}.{}", at + 1) } else { id.to_string() };
        let start = skipped.saturating_sub(first).to_string();
        let query =
            [("service", args.service.as_deref()), ("id", Some(&*name)), ("from", Some(&*start))];
        let target = target("/v1/ruc:batch", &query);
        summary.batches.push(name.clone());
        cache.lines(&target, &json!({ "rucs": batch }), &mut |line| {
            let answer: Value = serde_json::from_str(line)
                .map_err(|error| Failure::new(format!("an answer is not understood: {error}")))?;
            sink.write(line, &answer)?;
            summary.add(&answer);
            let facts = format!("{} hits, {} misses", summary.hits, summary.misses);
            progress.show(before + summary.done(), &facts);
            Ok(())
        })?;
        sink.flush()?;
    }
    sink.flush()?;
    let expected = numbers.len() - skipped;
    if u64::try_from(expected).is_ok_and(|expected| summary.done() < expected) {
        return Err(Failure::with(Exit::Unreachable, "the answers break off; go on with --resume"));
    }
    let took = progress.end();
    summary.seconds = took.as_secs_f64();
    tell(&summary, took, args.json)?;
    Ok(summary.exit())
}

/// The numbers of a file that are RUCs.
pub(super) fn valid_numbers(file: &std::path::Path) -> Result<Vec<String>, Failure> {
    let Input { numbers } = Input::read(file, Form::of(file).unwrap_or(Form::Csv), "ruc")?;
    let given = numbers.len();
    let valid: Vec<String> =
        numbers.into_iter().filter(|text| text.parse::<rucache::ruc::Ruc>().is_ok()).collect();
    if valid.len() < given {
        eprintln!("rucache: note: {} texts are not RUCs and are left out", given - valid.len());
    }
    Ok(valid)
}

fn tell(summary: &Summary, took: std::time::Duration, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let text = serde_json::to_string(summary)
            .map_err(|error| Failure::new(format!("cannot write the summary: {error}")))?;
        eprintln!("{text}");
        return Ok(());
    }
    let Summary { found, not_found, invalid, unavailable, hits, misses, skipped, .. } = summary;
    let done = summary.done();
    eprintln!(
        "rucache: {done} numbers in {} ({:.0}/s): {found} found, {not_found} not found, {invalid} \
         not a RUC, {unavailable} without a verdict; {hits} hits, {misses} misses",
        span(took),
        rate(done, took),
    );
    if *skipped > 0 {
        eprintln!("rucache: {skipped} were answered before");
    }
    if let Some(name) = summary.batches.last() {
        eprintln!("rucache: batch {name}");
    }
    Ok(())
}
