//! What a run showed, in Markdown.

use std::fmt::Write as _;

use crate::entrants::ENTRANTS;
use crate::races::{RACES, Race};
use crate::{Entrant, Judged};

/// Begins and ends the result in the output of a run.
pub const SECTION: &str = "races";

/// What every race showed on every cache, in the order of [`RACES`] and [`ENTRANTS`].
#[must_use]
pub fn page(results: &[Vec<Judged>]) -> String {
    let mut text = "| what must hold |".to_owned();
    for entrant in ENTRANTS {
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, " {} |", entrant.name);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(ENTRANTS.len()));
    for (number, (race, results)) in RACES.iter().zip(results).enumerate() {
        let _ = write!(text, "\n| {}. {} |", number + 1, race.name);
        for judged in results {
            let _ = write!(text, " {} |", cell(judged));
        }
    }
    text.push_str("\n\n### How each row was provoked, and what was seen where it does not hold\n");
    for (number, (race, results)) in RACES.iter().zip(results).enumerate() {
        text.push_str(&provoked(number + 1, race, results));
    }
    text.push_str("\n### How each cache was used\n\n");
    for entrant in ENTRANTS {
        let _ = writeln!(text, "- {}: {}.", entrant.name, entrant.used);
    }
    text
}

const fn cell(judged: &Judged) -> &'static str {
    match judged {
        Judged::Passes => "yes",
        Judged::Fails(_) => "**no**",
        Judged::NoSuchOperation => "no such operation",
    }
}

fn provoked(number: usize, race: &Race, results: &[Judged]) -> String {
    let mut text = format!("\n{number}. {}\n", race.provoked);
    for (Entrant { name, .. }, judged) in ENTRANTS.iter().zip(results) {
        if let Judged::Fails(seen) = judged {
            let _ = writeln!(text, "   - {name}: {seen}.");
        }
    }
    text
}
