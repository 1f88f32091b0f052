//! `rucache-sim`: runs seeds, and replays one.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use lexopt::{Arg, Parser, ValueExt as _};
use rucache_sim::{Report, Tally, Tiers, replay, run};

/// What is asked for.
#[derive(Debug)]
struct Order {
    seeds: u64,
    seed: Option<u64>,
    tiers: Option<Tiers>,
    whole: bool,
}

fn main() -> ExitCode {
    match order(Parser::from_env()) {
        Ok(Order { seed: Some(seed), tiers, whole, .. }) => show(&replay(seed, tiers), whole),
        Ok(order) => sweep(&order),
        Err(error) => {
            eprintln!("rucache-sim: {error}");
            eprintln!("usage: rucache-sim [--seeds N] [--seed S [--whole]] [--config NAME]");
            ExitCode::FAILURE
        }
    }
}

fn order(mut parser: Parser) -> Result<Order, lexopt::Error> {
    let mut order = Order { seeds: 300, seed: None, tiers: None, whole: false };
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("seeds") => order.seeds = parser.value()?.parse()?,
            Arg::Long("seed") => order.seed = Some(parser.value()?.parse()?),
            Arg::Long("config") => order.tiers = Some(parser.value()?.parse()?),
            Arg::Long("whole") => order.whole = true,
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
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (total, broken) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= order.seeds {
                return;
            }
            let report = run(seed, order.tiers);
            if let Ok(mut total) = total.lock() {
                *total += report.tally;
            }
            if report.violation.is_some() {
                stop.store(true, Ordering::Relaxed);
                if let Ok(mut broken) = broken.lock() {
                    broken.push(seed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(work);
        }
    });
    if let Ok(total) = total.lock() {
        println!("{total}");
    }
    // Of two that broke at the same time the lower one, whoever was faster.
    let first = broken.into_inner().ok().and_then(|seeds| seeds.into_iter().min());
    match first {
        None => {
            println!("{} seeds, every promise was kept", order.seeds);
            ExitCode::SUCCESS
        }
        Some(seed) => {
            let config = order.tiers.map_or(String::new(), |tiers| format!(" --config {tiers}"));
            let code = show(&replay(seed, order.tiers), false);
            println!("again: cargo xtask sim --seed {seed}{config}");
            code
        }
    }
}
