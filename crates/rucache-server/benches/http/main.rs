//! A look-up of a local hit over HTTP, beside a bare handler of the same framework: how many a
//! second, and how long each takes when half as many are asked for; and what scrapes of the metrics
//! cost meanwhile.
//!
//! Servers and load have a processor each, where there are two: what is measured is the server.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod bare;
mod load;
mod place;
mod scrape;
mod server;

use std::fmt::Write as _;

use rucache_testkit::{Contender, compare};

use load::{Latencies, Load};
use place::Place;
use server::{RECORDS, Server};

const ROUNDS: usize = 40;

/// Look-ups of a server in a round.
const REQUESTS: usize = 20_000;

/// Connections that are kept alive, each with one request at a time.
const CONNECTIONS: usize = 32;

/// Rounds at half the rate, and seconds of each.
const CALM_ROUNDS: usize = 10;
const CALM_SECONDS: f64 = 2.0;

/// The argument that leaves out all but the scrapes.
const SCRAPES_ONLY: &str = "scrapes";

fn main() {
    if let Some(len) = bare::asked() {
        return bare::serve(len);
    }
    Place::Servers.take();
    let service = Server::rucache();
    let len = service.fill();
    let bare = Server::bare(len);
    Place::Load.take();
    let (mut asking, mut bare_asking) =
        (Load::on(&service, CONNECTIONS), Load::on(&bare, CONNECTIONS));
    asking.expect_hits();
    if std::env::args().any(|argument| argument == SCRAPES_ONLY) {
        let best = (0..5).map(|_| asking.rate(REQUESTS)).fold(0.0, f64::max);
        return scrapes(&service, &mut asking, best);
    }

    println!("<!-- begin http -->");
    println!(
        "Look-ups a second over {CONNECTIONS} connections that are kept alive; ratios to the first \
         row, round by round ({ROUNDS} rounds of {REQUESTS} requests for {RECORDS} records, bodies \
         of {len} bytes; {}).\n",
        Place::about(),
    );
    let mut best = 0.0_f64;
    let mut contenders = [
        Contender::new("axum: a handler with a constant body", || bare_asking.rate(REQUESTS)),
        Contender::new("rucache: `GET /v1/ruc/{ruc}`, a local hit", || {
            let rate = asking.rate(REQUESTS);
            best = best.max(rate);
            rate
        }),
    ];
    println!("{}", compare(ROUNDS, 1.0, &mut contenders));
    drop(contenders);

    let half = best / 2.0;
    println!(
        "Microseconds from the moment a request was due to its whole answer, at {half:.0} requests \
         a second for each, which is half of the greatest rate of rucache ({CALM_ROUNDS} rounds of \
         {CALM_SECONDS:.0} s, taking turns).\n",
    );
    let (mut calm, mut bare_calm) = (Latencies::default(), Latencies::default());
    let (mut p99s, mut bare_p99s) = (Vec::new(), Vec::new());
    for _ in 0..CALM_ROUNDS {
        let (bare, own) = (bare_asking.at(half, CALM_SECONDS), asking.at(half, CALM_SECONDS));
        bare_p99s.extend(bare.percentiles([990]));
        p99s.extend(own.percentiles([990]));
        bare_calm.add(bare);
        calm.add(own);
    }
    println!("{}", table([("axum", &bare_calm), ("rucache", &calm)]));
    println!("p99 of each round: axum {}; rucache {}.\n", spread(bare_p99s), spread(p99s));
    scrapes(&service, &mut asking, best);
    println!("<!-- end http -->");
}

/// Scrapes at a quarter of the rate: one that a machine with other work keeps up with, too.
fn scrapes(service: &Server, asking: &mut Load, best: f64) {
    scrape::fill(service);
    let rounds = (CALM_ROUNDS, CALM_SECONDS);
    println!("{}", scrape::measure(service, asking, best / 4.0, rounds));
}

/// Least, median and greatest.
fn spread(mut figures: Vec<u128>) -> String {
    figures.sort_unstable();
    let last = figures.len() - 1;
    format!("{} to {}, median {}", figures[0], figures[last], figures[last / 2])
}

fn table(rows: [(&str, &Latencies); 2]) -> String {
    let mut table =
        "| | median | p90 | p99 | p99.9 | max |\n|---|---|---|---|---|---|\n".to_owned();
    for (name, latencies) in rows {
        let [median, p90, p99, p999, max] = latencies.percentiles([500, 900, 990, 999, 1_000]);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {median} | {p90} | {p99} | {p999} | {max} |");
    }
    table
}
