//! What a row came to, as a line of the table.

use std::time::Duration;

use crate::arena::Site;
use crate::rows::Row;

/// What was seen, and what of it breaks a promise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) reads: u64,
    pub(crate) failed: u64,
    pub(crate) wrong: u64,
    /// How long each call took while the fault lasted.
    pub(crate) took: Vec<Duration>,
    /// How long after the end of the fault everything was well.
    pub(crate) recovery: Option<Duration>,
    /// What else there is to say.
    pub(crate) note: String,
    pub(crate) breaches: Vec<String>,
}

impl Report {
    pub(crate) const HEADER: &str = "| fault | | on | reads | failed | wrong | p99 | max | recovery | | |\n\
         |---|---|---|---|---|---|---|---|---|---|---|";

    /// Takes note of a breach unless `holds`.
    pub(crate) fn must(&mut self, holds: bool, how: impl FnOnce() -> String) {
        if !holds {
            self.breaches.push(how());
        }
    }

    /// No read may fail, and none may answer with what is not its key's.
    pub(crate) fn must_be_right(&mut self) {
        let (failed, wrong) = (self.failed, self.wrong);
        self.must(failed == 0, || format!("{failed} reads failed"));
        self.must(wrong == 0, || format!("{wrong} wrong values"));
    }

    pub(crate) fn line(&self, row: &Row, site: Site) -> String {
        let took = |share| percentile(&self.took, share).map_or_else(String::new, shown);
        let recovery = self.recovery.map_or_else(String::new, shown);
        let kept = if self.breaches.is_empty() { "kept" } else { "**broken**" };
        format!(
            "| {} | {} | {site} | {} | {} | {} | {} | {} | {recovery} | {} | {kept} |",
            row.id,
            row.what,
            self.reads,
            self.failed,
            self.wrong,
            took(99),
            took(100),
            self.note,
        )
    }
}

/// The value that `share` per cent are not above.
pub(crate) fn percentile(took: &[Duration], share: usize) -> Option<Duration> {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied()
}

/// For people: three digits are enough.
pub(crate) fn shown(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}
