//! `rucache ruc check`: the arithmetic of the numbers alone, without any look-up.

use rucache::ruc::{InvalidRuc, Prefix, Ruc};
use serde::Serialize;

use super::Output;
use super::exit::{Exit, Failure};
use super::input::{self, Candidate};
use super::table::{Cell, Table, Tone, terminal_width};

/// Work with numbers, without looking anybody up.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Check(Args),
}

/// Check numbers by their rules: length, digits, prefix, check digit.
///
/// Spaces, dots and dashes around and between the digits are passed over. A valid number need not
/// belong to anybody: ask with `rucache lookup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache ruc check 20131312955 20131312956
  rucache ruc check --json < numbers.txt

Exit codes: 0 all valid, 11 some text is not a RUC")]
pub(super) struct Args {
    /// The numbers; without any, one per line of standard input (blank lines and # are skipped)
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn check(args: Args, out: &mut Output) -> Result<Exit, Failure> {
    let candidates = input::candidates(args.texts)?;
    let valid = candidates.iter().filter(|candidate| candidate.ruc.is_ok()).count();
    let invalid = candidates.len() - valid;
    if args.json {
        let results = candidates.iter().map(Checked::from).collect();
        super::write_json(out, &Document { counts: Counts { valid, invalid }, results })?;
    } else if !candidates.is_empty() {
        let mut table = Table::new(["TEXT", "VALID", "WHY"]);
        for candidate in &candidates {
            let input = Cell::input(&candidate.input);
            table.push(match &candidate.ruc {
                Ok(ruc) => {
                    [input, Cell::new("yes", Tone::Good), about(candidate, *ruc).as_str().into()]
                }
                Err(error) => [
                    input,
                    Cell::new("no", Tone::Bad),
                    Cell::whole(&broken_rule(error.rule().as_str(), &error.to_string())),
                ],
            });
        }
        table.write(out, terminal_width())?;
    }
    Ok(if invalid == 0 { Exit::Done } else { Exit::Invalid })
}

fn about(candidate: &Candidate, ruc: Ruc) -> String {
    let holder = holder(ruc.prefix());
    if candidate.is_tidied() { format!("{holder}; read as {ruc}") } else { holder.to_owned() }
}

/// The name of a broken rule, and what the error says of it.
pub(super) fn broken_rule(rule: &str, detail: &str) -> String {
    format!("{rule}: {}", detail.strip_prefix("not a RUC: ").unwrap_or(detail))
}

/// Who stands behind a prefix.
const fn holder(prefix: Prefix) -> &'static str {
    match prefix {
        Prefix::NaturalPerson => "natural person (10)",
        Prefix::WithoutDni => "person without DNI (15)",
        Prefix::Historic => "historic prefix (16)",
        Prefix::NonDomiciled => "not domiciled in Peru (17)",
        Prefix::LegalEntity => "legal entity (20)",
        _ => "other prefix",
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    counts: Counts,
    results: Vec<Checked<'a>>,
}

#[derive(Serialize)]
struct Counts {
    valid: usize,
    invalid: usize,
}

/// A text and what its digits tell; what does not apply is null.
#[derive(Serialize)]
struct Checked<'a> {
    input: &'a str,
    valid: bool,
    ruc: Option<Ruc>,
    prefix: Option<&'static str>,
    personal: Option<bool>,
    rule: Option<&'static str>,
    expected: Option<u8>,
    hint: Option<&'static str>,
    detail: Option<String>,
}

impl<'a> From<&'a Candidate> for Checked<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        let (ruc, error) = (candidate.ruc.ok(), candidate.ruc.as_ref().err());
        Self {
            input: &candidate.input,
            valid: ruc.is_some(),
            ruc,
            prefix: ruc.map(|ruc| ruc.prefix().as_str()),
            personal: ruc.map(Ruc::is_personal),
            rule: error.map(|error| error.rule().as_str()),
            expected: error.and_then(InvalidRuc::expected),
            hint: error.and_then(InvalidRuc::hint),
            detail: error.map(ToString::to_string),
        }
    }
}
