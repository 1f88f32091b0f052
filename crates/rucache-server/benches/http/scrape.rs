//! Scrapes of a service that is asked for look-ups: how long each takes, and what look-ups notice.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rucache::ruc::Ruc;
use serde_json::json;

use crate::load::{Latencies, Load};
use crate::server::Server;

/// Services with traffic of their own, more than are told apart.
const SERVICES: usize = 80;

/// Verdicts in the registry.
const VERDICTS: u64 = 20_000;

/// Time between two scrapes: much less than anybody leaves.
const EVERY: Duration = Duration::from_millis(100);

/// What a scrape may take at most.
const MOST: Duration = Duration::from_millis(20);

/// Gives `service` as many series as it can have, and a registry.
pub(crate) fn fill(service: &Server) {
    let url = |path: &str| format!("http://{}{path}", service.address);
    for at in 0..SERVICES {
        let path = url(&format!("/v1/cache/service-{at}/entry"));
        let stored = ureq::put(&path).content_type("application/json").send("1");
        assert_eq!(stored.expect("an answer").status(), 204);
        assert_eq!(ureq::get(&path).call().expect("an answer").status(), 200);
    }
    let verdict = json!({ "reason": "NO_EXISTE_SUNAT" }).to_string();
    for at in 0..VERDICTS {
        let ruc = Ruc::from_first_ten(2_060_000_000 + at).expect("a number");
        let path = url(&format!("/v1/invalid-rucs/{ruc}"));
        let marked = ureq::put(path).content_type("application/json").send(&verdict);
        assert!(marked.expect("an answer").status().is_success());
    }
}

/// Look-ups at `rate` a second, `rounds` times for `seconds` without scrapes and with them.
pub(crate) fn measure(
    service: &Server,
    asking: &mut Load,
    rate: f64,
    (rounds, seconds): (usize, f64),
) -> String {
    let (mut calm, mut watched) = (Latencies::default(), Latencies::default());
    let (mut scrapes, mut series) = (Vec::new(), 0);
    for _ in 0..rounds {
        calm.add(asking.at(rate, seconds));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let scraping = scope.spawn(|| scrape(service.address, &stop));
            watched.add(asking.at(rate, seconds));
            stop.store(true, Ordering::Relaxed);
            let (took, shown) = scraping.join().expect("scrapes");
            scrapes.extend(took);
            series = shown;
        });
    }
    scrapes.sort_unstable();
    let last = scrapes.len() - 1;
    let [median, p99, worst] = [50, 99, 100].map(|part| scrapes[last * part / 100]);
    let mut text = format!(
        "{} scrapes of {series} series, one each {EVERY:?}, under {rate:.0} look-ups a second, with \
         {VERDICTS} verdicts in the registry: median {:.1} ms, p99 {:.1} ms, longest {:.1} ms.\n\n\
         | look-ups, microseconds | median | p90 | p99 | p99.9 | max |\n|---|---|---|---|---|---|\n",
        scrapes.len(),
        median.as_secs_f64() * 1e3,
        p99.as_secs_f64() * 1e3,
        worst.as_secs_f64() * 1e3,
    );
    for (name, latencies) in [("not scraped", calm), ("scraped", watched)] {
        let [median, p90, p99, p999, max] = latencies.percentiles([500, 900, 990, 999, 1_000]);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {median} | {p90} | {p99} | {p999} | {max} |");
    }
    assert!(worst < MOST, "a scrape took {worst:?}\n{text}");
    text
}

/// Scrapes until `stop`; how long each took, and the series of the last.
fn scrape(address: SocketAddr, stop: &AtomicBool) -> (Vec<Duration>, usize) {
    let agent = ureq::Agent::new_with_defaults();
    let (mut took, mut series) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let began = now();
        let answer = agent.get(format!("http://{address}/metrics")).call();
        let text = answer.expect("an answer").body_mut().read_to_string().expect("text");
        took.push(began.elapsed());
        series = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        std::thread::sleep(EVERY);
    }
    (took, series)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}
