//! `rucache-sim`: runs seeds, and replays one.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lexopt::{Arg, Parser, ValueExt as _};
use rucache_sim::{Report, Tally, Tiers, Violation, replay, run};

/// What is asked for.
#[derive(Debug)]
struct Order {
    seeds: u64,
    seed: Option<u64>,
    tiers: Option<Tiers>,
    whole: bool,
    /// Whether a broken promise is what is wanted.
    expects_violation: bool,
}

fn main() -> ExitCode {
    match order(Parser::from_env()) {
        Ok(Order { seed: Some(seed), tiers, whole, .. }) => show(&replay(seed, tiers), whole),
        Ok(order) => sweep(&order),
        Err(error) => {
            eprintln!("rucache-sim: {error}");
            eprintln!(
                "usage: rucache-sim [--seeds N [--expect-violation]] [--seed S [--whole]] \
                 [--config local|shared|push|pull]"
            );
            ExitCode::FAILURE
        }
    }
}

fn order(mut parser: Parser) -> Result<Order, lexopt::Error> {
    let mut order =
        Order { seeds: 300, seed: None, tiers: None, whole: false, expects_violation: false };
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("seeds") => order.seeds = parser.value()?.parse()?,
            Arg::Long("seed") => order.seed = Some(parser.value()?.parse()?),
            Arg::Long("config") => order.tiers = Some(parser.value()?.parse()?),
            Arg::Long("whole") => order.whole = true,
            Arg::Long("expect-violation") => order.expects_violation = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(order)
}

/// Shows one world: its end, or the whole of it.
fn show(report: &Report, whole: bool) -> ExitCode {
    if whole {
        report.trace.iter().for_each(|line| println!("{line}"));
    }
    println!("{report}");
    println!("{}", report.tally);
    println!("digest {:016x}", report.digest);
    if report.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs seeds until one breaks a promise, and shows that one.
fn sweep(order: &Order) -> ExitCode {
    let (total, first) = run_all(order);
    if order.expects_violation {
        match &first {
            Some(Report { seed, tiers, violation: Some(Violation { promise, how }), .. }) => {
                println!("caught: seed {seed} ({tiers}), {promise}: {how}");
            }
            _ => println!("{} seeds, every promise was kept", order.seeds),
        }
        return ExitCode::SUCCESS;
    }
    println!("{total}");
    let Some(first) = first else {
        println!("{} seeds, every promise was kept", order.seeds);
        return ExitCode::SUCCESS;
    };
    let config = order.tiers.map_or(String::new(), |tiers| format!(" --config {tiers}"));
    let again = replay(first.seed, order.tiers);
    let code = show(&again, false);
    if again.violation != first.violation {
        println!("its first run ended otherwise: {:?}", first.violation);
    }
    println!("again: cargo xtask sim --seed {}{config}", first.seed);
    code
}

/// Runs seeds on every processor until one breaks a promise: of two that do so at the same time the
/// lower one, whoever was faster.
fn run_all(order: &Order) -> (Tally, Option<Report>) {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let found = Mutex::new((Tally::default(), None::<Report>));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= order.seeds {
                return;
            }
            let report = run(seed, order.tiers);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.0 += report.tally;
            if report.violation.is_some() {
                stop.store(true, Ordering::Relaxed);
                if found.1.as_ref().is_none_or(|other| report.seed < other.seed) {
                    found.1 = Some(report);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
