//! Running a seed, and what came of it.

use std::fmt;
use std::sync::Arc;

use crate::history::Violation;
use crate::setup::Tiers;
use crate::tally::Tally;
use crate::world::World;

/// More steps than a world takes: it goes round in circles.
const MAX_STEPS: u64 = 5_000_000;

/// Steps between two looks at what takes too long.
const LOOK_EVERY: u64 = 64;

/// Lines of a trace that are shown of a failure.
const SHOWN: usize = 150;

/// What came of a seed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Where entries lived.
    pub tiers: Tiers,
    /// The world as it was drawn, in words.
    pub setup: String,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// A number that stands for the whole history: equal for equal ones.
    pub digest: u64,
    /// What happened, a line each; empty unless it was asked for.
    pub trace: Vec<String>,
    /// How much happened.
    pub tally: Tally,
}

/// Runs the world of `seed`; without `tiers`, the seed decides on them too.
#[must_use]
pub fn run(seed: u64, tiers: Option<Tiers>) -> Report {
    run_with(seed, tiers, false)
}

/// As [`run`], and keeps the trace.
#[must_use]
pub fn replay(seed: u64, tiers: Option<Tiers>) -> Report {
    run_with(seed, tiers, true)
}

fn run_with(seed: u64, tiers: Option<Tiers>, traced: bool) -> Report {
    let chosen = usize::try_from(seed % 4).unwrap_or(0);
    let tiers = tiers.unwrap_or(Tiers::ALL[chosen]);
    let world = World::new(seed, tiers, traced);
    live(&world);
    let steps = world.scheduler.steps();
    let digest = world.scheduler.digest();
    let setup = world.setup.to_string();
    // What ends with the world is no part of its history.
    let (violation, trace, mut tally) = {
        let mut book = world.history.book();
        (book.violation().cloned(), book.take_trace(), book.tally)
    };
    world.scheduler.shut_down();
    tally.worlds = 1;
    tally.steps = steps;
    Report { seed, tiers, setup, violation, digest, trace, tally }
}

fn live(world: &Arc<World>) {
    while !world.has_ended() {
        if !world.scheduler.step() {
            return world.history.violate("I5", || "nothing happens any more".to_owned());
        }
        let steps = world.scheduler.steps();
        if !steps.is_multiple_of(LOOK_EVERY) {
            continue;
        }
        world.history.watch();
        if let Some(said) = world.scheduler.panicked() {
            world.history.violate("P1", || format!("a task panicked: {said}"));
        }
        if steps > MAX_STEPS {
            world.history.violate("P6", || format!("no end after {steps} steps"));
        }
        if world.history.book().violation().is_some() {
            return;
        }
    }
}

impl fmt::Display for Report {
    /// The seed, the world, the end of the trace, and the broken promise last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} ({})", self.seed, self.tiers)?;
        writeln!(f, "{}", self.setup)?;
        let from = self.trace.len().saturating_sub(SHOWN);
        if from > 0 {
            writeln!(f, "… {from} lines before")?;
        }
        for line in &self.trace[from..] {
            writeln!(f, "{line}")?;
        }
        match &self.violation {
            None => write!(f, "every promise was kept"),
            Some(Violation { promise, how }) => write!(f, "BROKEN {promise}: {how}"),
        }
    }
}
