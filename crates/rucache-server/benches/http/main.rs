//! A look-up of a local hit over HTTP, beside a bare handler of the same framework: how many a
//! second, and how long each takes when half as many are asked for; and what scrapes of the metrics
//! cost meanwhile.
//!
//! Where there are two processors, servers and load have one each: what is measured is the server. The
//! one that is scraped has both.

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
    let (mut pair, len) = Pair::at(Place::Servers);
    if std::env::args().any(|argument| argument == SCRAPES_ONLY) {
        let top = (0..5).map(|_| pair.asking.rate(REQUESTS)).fold(0.0, f64::max);
        drop(pair);
        return scrapes(top);
    }

    println!("<!-- begin http -->");
    let top = rates(&mut pair, len);
    latencies(&mut pair, top / 2.0);
    drop(pair);
    scrapes(top);
    println!("<!-- end http -->");
}

/// Both servers, and who asks them.
struct Pair {
    asking: Load,
    bare_asking: Load,
    _service: Server,
    _bare: Server,
}

impl Pair {
    /// Servers that run at `place`, filled, and how long a body is.
    fn at(place: Place) -> (Self, usize) {
        place.take();
        let service = Server::rucache();
        let len = service.fill();
        let bare = Server::bare(len);
        Place::Load.take();
        let mut asking = Load::on(&service, CONNECTIONS);
        asking.expect_hits();
        let bare_asking = Load::on(&bare, CONNECTIONS);
        (Self { asking, bare_asking, _service: service, _bare: bare }, len)
    }
}

/// As many look-ups as there can be; how many a second that is, in the median.
fn rates(pair: &mut Pair, len: usize) -> f64 {
    println!(
        "Look-ups a second over {CONNECTIONS} connections that are kept alive; ratios to the first \
         row, round by round ({ROUNDS} rounds of {REQUESTS} requests for {RECORDS} records, bodies \
         of {len} bytes; {}).\n",
        Place::about(),
    );
    let mut rates = Vec::new();
    let mut contenders = [
        Contender::new("axum: a handler with a constant body", || pair.bare_asking.rate(REQUESTS)),
        Contender::new("rucache: `GET /v1/ruc/{ruc}`, a local hit", || {
            let rate = pair.asking.rate(REQUESTS);
            rates.push(rate);
            rate
        }),
    ];
    println!("{}", compare(ROUNDS, 1.0, &mut contenders));
    drop(contenders);
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// How long look-ups take at `rate` a second.
fn latencies(pair: &mut Pair, rate: f64) {
    println!(
        "Microseconds from the moment a request was due to its whole answer, at {rate:.0} requests \
         a second for each, which is half of the median rate of rucache ({CALM_ROUNDS} rounds of \
         {CALM_SECONDS:.0} s, taking turns).\n",
    );
    let (mut calm, mut bare_calm) = (Latencies::default(), Latencies::default());
    let (mut p99s, mut bare_p99s) = (Vec::new(), Vec::new());
    for _ in 0..CALM_ROUNDS {
        let bare = pair.bare_asking.at(rate, CALM_SECONDS);
        let own = pair.asking.at(rate, CALM_SECONDS);
        bare_p99s.extend(bare.percentiles([990]));
        p99s.extend(own.percentiles([990]));
        bare_calm.add(bare);
        calm.add(own);
    }
    println!("{}", table([("axum", &bare_calm), ("rucache", &calm)]));
    println!("p99 of each round: axum {}; rucache {}.\n", spread(bare_p99s), spread(p99s));
}

/// Scrapes at a quarter of the rate: one that a machine with other work keeps up with, too. The
/// service has all processors.
fn scrapes(top: f64) {
    Place::Anywhere.take();
    let service = Server::rucache();
    service.fill();
    scrape::fill(&service);
    Place::Load.take();
    let mut asking = Load::on(&service, CONNECTIONS);
    asking.expect_hits();
    let rounds = (CALM_ROUNDS, CALM_SECONDS);
    println!("{}", scrape::measure(&service, &mut asking, top / 4.0, rounds));
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
