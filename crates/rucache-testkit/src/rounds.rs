//! Comparing in one run: contenders take turns, and ratios are taken round by round.

use std::fmt::Write as _;
use std::time::Instant;

/// One of those who are compared.
pub struct Contender<'a> {
    name: String,
    round: Box<dyn FnMut() -> f64 + 'a>,
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Contender<'a> {
    /// A contender whose `round` does the work once and gives its figure, less being better.
    pub fn new(name: impl Into<String>, round: impl FnMut() -> f64 + 'a) -> Self {
        Self { name: name.into(), round: Box::new(round) }
    }

    /// A contender whose `round` does `operations` operations; its figure is nanoseconds for each.
    pub fn timed(name: impl Into<String>, operations: usize, mut round: impl FnMut() + 'a) -> Self {
        Self::new(name, move || nanos_each(operations, &mut round))
    }
}

/// How long each of `operations` operations of `round` takes, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a round fit a double")]
pub fn nanos_each(operations: usize, round: &mut dyn FnMut()) -> f64 {
    let began = Instant::now();
    round();
    began.elapsed().as_nanos() as f64 / operations as f64
}

/// Lets contenders take turns for `rounds` rounds, after a quarter of that uncounted, another one
/// beginning each round; a machine whose speed drifts drifts for all.
///
/// Gives a table in Markdown: for each the least, median and greatest figure, in units of `unit`
/// nanoseconds, and of its ratio to the first contender of the same round.
#[must_use]
pub fn compare(rounds: usize, unit: f64, contenders: &mut [Contender<'_>]) -> String {
    let mut figures = vec![Vec::with_capacity(rounds); contenders.len()];
    let uncounted = rounds / 4;
    for round in 0..rounds + uncounted {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let figure = (contenders[at].round)() / unit;
            if round >= uncounted {
                figures[at].push(figure);
            }
        }
    }
    let mut table = "| | min | median | max | ratio min | ratio median | ratio max |\n".to_owned();
    table.push_str("|---|---|---|---|---|---|---|\n");
    for (contender, own) in contenders.iter().zip(&figures) {
        let ratios: Vec<f64> =
            own.iter().zip(&figures[0]).map(|(own, first)| own / first).collect();
        let [min, median, max] = spread(own);
        let [low, middle, high] = spread(&ratios);
        let name = &contender.name;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {min:.0} | {median:.0} | {max:.0} | {low:.2} | {middle:.2} | {high:.2} |"
        );
    }
    table
}

/// The least, the median and the greatest.
fn spread(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
    [at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut slow = 0.0;
        let mut drift = 0.0;
        let first = || {
            drift += 100.0;
            drift
        };
        let second = || {
            slow += 300.0;
            slow
        };
        let mut contenders = [Contender::new("one", first), Contender::new("three", second)];
        let table = compare(4, 1.0, &mut contenders);
        // The first round is not counted; each contender then has 200 to 500 times its share.
        assert!(table.contains("| one | 200 | 400 | 500 | 1.00 | 1.00 | 1.00 |"), "{table}");
        assert!(table.contains("| three | 600 | 1200 | 1500 | 3.00 | 3.00 | 3.00 |"), "{table}");
    }
}
