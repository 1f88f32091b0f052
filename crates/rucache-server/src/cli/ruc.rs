//! `rucache ruc check`: the arithmetic of the numbers alone, without any look-up.

use std::io::Write;

use rucache::ruc::{InvalidRuc, Prefix, Ruc};
use serde_json::{Value, json};

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
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
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
        let results: Vec<_> = candidates.iter().map(to_json).collect();
        let counts = json!({ "valid": valid, "invalid": invalid });
        writeln!(out, "{:#}", json!({ "counts": counts, "results": results }))?;
    } else if !candidates.is_empty() {
        let mut table = Table::new(["TEXT", "VALID", "WHY"]);
        for candidate in &candidates {
            let input = candidate.input.as_str().into();
            table.push(match &candidate.ruc {
                Ok(ruc) => [input, Cell::new("yes", Tone::Good), about(candidate, *ruc).as_str().into()],
                Err(error) => [input, Cell::new("no", Tone::Bad), why(error).as_str().into()],
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

/// The broken rule and what is known about it.
pub(super) fn why(error: &InvalidRuc) -> String {
    let text = error.to_string();
    let reason = text.strip_prefix("not a RUC: ").unwrap_or(&text);
    format!("{}: {reason}", error.rule())
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

/// The same fields for every text; those that do not apply are null.
fn to_json(candidate: &Candidate) -> Value {
    let (ruc, error) = (candidate.ruc.ok(), candidate.ruc.as_ref().err());
    json!({
        "input": candidate.input,
        "valid": ruc.is_some(),
        "ruc": ruc,
        "prefix": ruc.map(|ruc| ruc.prefix().as_str()),
        "personal": ruc.map(Ruc::is_personal),
        "rule": error.map(|error| error.rule().as_str()),
        "expected": error.and_then(InvalidRuc::expected),
        "hint": error.and_then(InvalidRuc::hint),
        "detail": error.map(ToString::to_string),
    })
}
