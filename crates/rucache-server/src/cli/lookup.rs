//! `rucache lookup`: who is behind these numbers?

use anstream::eprintln;
use rucache::ruc::Ruc;
use serde::Serialize;

use super::Output;
use super::answer::{Answer, NOT_COVERED, Verdict};
use super::cache::Cache;
use super::exit::{Exit, Failure};
use super::input;
use super::quote::Quote;
use super::settings::Global;
use super::table::{Table, terminal_width};

/// The service of the cache that records are kept in.
const SERVICE: &str = "migo";

/// Look up taxpayers by their number.
///
/// With --server a running service is asked, else the configured backend and source are opened.
/// Spaces, dots and dashes around and between the digits are passed over. Answers come in the
/// order of the numbers. FACTURA says whether a factura can be issued: the taxpayer must be ACTIVO
/// and HABIDO.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache lookup 20131312955 20100070970
  rucache lookup --json < numbers.txt | jq '.results[] | select(.fit_for_factura)'
  rucache lookup --server http://127.0.0.1:8080 20131312955
  rucache lookup --dry-run < numbers.txt

Exit codes: 0 all found, 10 some not found, 11 some text is not a RUC, 12 no verdict on some
(its source failed or does not cover it), 3 the service did not answer; the highest that applies")]
pub(super) struct Args {
    /// The numbers; without any, one per line of standard input (blank lines and # are skipped)
    #[arg(value_name = "RUC")]
    numbers: Vec<String>,
    /// Say how many calls to which source this would take, and make none
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, global: &Global, out: &mut Output) -> Result<Exit, Failure> {
    let candidates = input::candidates(args.numbers)?;
    let rucs: Vec<Ruc> = candidates.iter().filter_map(|it| it.ruc.as_ref().ok().copied()).collect();
    if args.dry_run {
        let texts: Vec<String> = candidates
            .iter()
            .map(|it| it.ruc.map_or_else(|_| it.input.clone(), |ruc| ruc.to_string()))
            .collect();
        let mut quote = Quote::default();
        quote.add(&Cache::open_any(global)?, None, &texts)?;
        quote.write(out, args.json)?;
        return Ok(Exit::Done);
    }
    let mut verdicts = match global.server()? {
        Some(server) => server.lookup(&rucs)?,
        None => look_up_here(&rucs, global)?,
    }
    .into_iter();
    if !args.json {
        input::tell_tidied(&candidates);
    }
    let answers: Option<Vec<Answer>> = candidates
        .into_iter()
        .map(|candidate| {
            let verdict = match candidate.ruc {
                Ok(_) => verdicts.next()?,
                Err(error) => error.into(),
            };
            Some(Answer::new(candidate, verdict))
        })
        .collect();
    let answers = answers.ok_or_else(|| Failure::new("fewer answers than numbers"))?;
    if args.json {
        super::write_json(out, &Document { counts: Counts::of(&answers), results: &answers })?;
    } else if !answers.is_empty() {
        let mut table = Table::new(Answer::HEADINGS);
        for answer in &answers {
            table.push(answer.row());
        }
        table.write(out, terminal_width())?;
        if answers.iter().any(is_not_covered) {
            eprintln!(
                "rucache: note: the source does not cover every number; set RUCACHE_MIGO_TOKEN to \
                 ask MIGO, or source.register to SUNAT's register"
            );
        }
    }
    Ok(answers.iter().map(|answer| answer.verdict().exit()).max().unwrap_or(Exit::Done))
}

/// Opens what is configured and asks it.
fn look_up_here(rucs: &[Ruc], global: &Global) -> Result<Vec<Verdict>, Failure> {
    let config = global.load(None)?.into_config().cache;
    super::runtime()?.block_on(async {
        let cache =
            rucache::open_with(config).await.map_err(|error| Failure::from_error(&error))?;
        let lookups = cache.ruc(SERVICE).lookup_many(rucs).await;
        Ok(lookups.into_iter().map(Verdict::from).collect())
    })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    counts: Counts,
    results: &'a [Answer],
}

/// How many numbers ended in each outcome.
#[derive(Serialize)]
struct Counts {
    found: usize,
    not_found: usize,
    invalid: usize,
    unavailable: usize,
}

impl Counts {
    fn of(answers: &[Answer]) -> Self {
        let count = |exit| answers.iter().filter(|answer| answer.verdict().exit() == exit).count();
        Self {
            found: count(Exit::Done),
            not_found: count(Exit::NotFound),
            invalid: count(Exit::Invalid),
            unavailable: count(Exit::Unavailable),
        }
    }
}

fn is_not_covered(answer: &Answer) -> bool {
    matches!(answer.verdict(), Verdict::Unavailable { cause, .. } if cause == NOT_COVERED)
}
