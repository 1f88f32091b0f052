//! The fault matrix against whole caches: engine, adapter, local tier, real servers, a fault proxy.
//!
//! One row for each fault and site, in Markdown; ends with a failure when a promise was broken.
//! `cargo xtask faults` runs it.

#![expect(clippy::unwrap_used, reason = "a row fails by panicking")]

mod arena;
mod arguments;
mod cases;
mod chance;
mod crowd;
mod outage;
mod report;
mod rows;

use std::process::ExitCode;

use rucache_testkit::Parent;

use arguments::Arguments;
use report::Report;
use rows::{ROWS, Run};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some(parent) = Parent::of_this_process() {
        runtime.block_on(cases::processes::obey(parent));
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("faults: {wrong}");
            return ExitCode::FAILURE;
        }
    };
    let mut breaches = Vec::new();
    println!("{}", Report::HEADER);
    for row in ROWS.iter().filter(|row| arguments.takes(row.id)) {
        for site in row.on.iter().filter(|site| arguments.takes_site(**site)) {
            let context = arguments.context(*site);
            let report = runtime.block_on(async {
                match &row.run {
                    Run::Outage(outage) => outage::run(outage, &context).await,
                    Run::Case(case) => case(context).await,
                }
            });
            println!("{}", report.line(row, *site));
            let named = |breach: &String| format!("{} on {site}: {breach}", row.id);
            breaches.extend(report.breaches.iter().map(named));
        }
    }
    println!("\nSeed {}.", arguments.seed);
    if breaches.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nBroken promises:\n");
    breaches.iter().for_each(|breach| println!("- {breach}"));
    ExitCode::FAILURE
}
