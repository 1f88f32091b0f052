//! What telemetry costs a hit in the local tier: the same cache, read in turns with an observer that
//! feeds the metrics and without one.
//!
//! Two caches without one take part, so that what two equal caches differ by is seen, too.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rucache::engine::{Accept, Cache};
use rucache::memory::{LocalStore, MemoryConfig};
use rucache::telemetry::{CacheMetrics, Exporter};
use rucache::{Key, Ttl};
use rucache_testkit::nanos_each;
use tokio::runtime::Runtime;

const ROUNDS: usize = 400;

/// Reads of a contender in a round: short, so that whatever else the machine does hits few rounds.
const READS: usize = 20_000;

/// Few enough to stay in the processor's own memory: what is measured is the program.
const RECORDS: usize = 500;

/// What telemetry may cost, in nanoseconds.
const MOST: f64 = 15.0;

/// How a hit is asked for.
#[derive(Clone, Copy)]
enum Read {
    Peek,
    Look,
    OrLoad,
}

struct Contender {
    cache: Cache,
    keys: Vec<Key>,
    _exporter: Exporter,
    _runtime: Runtime,
}

impl Contender {
    fn new(is_observed: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let runtime = runtime.expect("a runtime");
        let exporter = Exporter::new();
        let builder = Cache::builder(Arc::new(LocalStore::new(&MemoryConfig::default())));
        let metrics = || Arc::new(CacheMetrics::new(exporter.recorder(), "bench"));
        let cache = {
            let _entered = runtime.enter();
            let builder = if is_observed { builder.observer(metrics()) } else { builder };
            builder.build().expect("a cache")
        };
        let name = |at: usize| Key::parse(&format!("migo:ruc_{}", 20_000_000_000 + at));
        let keys: Vec<Key> = (0..RECORDS).map(|at| name(at).expect("a key")).collect();
        for (at, key) in keys.iter().enumerate() {
            let record = format!("record {at}");
            let set = cache.set(key, &record, Ttl::LONG);
            let _written = runtime.block_on(set).expect("stored");
        }
        Self { cache, keys, _exporter: exporter, _runtime: runtime }
    }

    fn read(&self, how: Read, times: usize) {
        for key in self.keys.iter().cycle().take(times) {
            match how {
                Read::Peek => {
                    let hit = self.cache.peek::<String>(key, Accept::Fresh).expect("a key");
                    black_box(hit.expect("a hit"));
                }
                Read::Look => {
                    black_box(
                        at_once(self.cache.read::<String>(key, Accept::Fresh)).expect("a hit"),
                    );
                }
                Read::OrLoad => {
                    let load = async || Err::<rucache::Loaded<String>, _>("never asked");
                    black_box(at_once(self.cache.read_or_load(key, Ttl::LONG, load)));
                }
            }
        }
    }
}

fn main() {
    let [plain, again, observed] = [false, false, true].map(Contender::new);
    println!("<!-- begin telemetry -->");
    println!(
        "Nanoseconds that a hit in the local tier takes, and takes more than in a cache without an \
         observer: by the quickest round of each, and by the median of the differences of each round \
         ({ROUNDS} rounds of {READS} reads of {RECORDS} entries, taking turns; one thread).\n"
    );
    println!(
        "| read | without | another one without: quickest | median | with metrics: quickest | median |"
    );
    println!("|---|---|---|---|---|---|");
    let mut worst = f64::MIN;
    for (name, how) in
        [("`peek`", Read::Peek), ("`read`", Read::Look), ("`read_or_load`", Read::OrLoad)]
    {
        let figures = rounds([&plain, &again, &observed], how);
        let least = [0, 1, 2].map(|at| sorted(figures.iter().map(|round| round[at]))[0]);
        let median = |at: usize| {
            let more = sorted(figures.iter().map(|round| round[at] - round[0]));
            more[more.len() / 2]
        };
        let (control, cost) = (least[1] - least[0], least[2] - least[0]);
        println!(
            "| {name} | {:.0} | {control:+.1} | {:+.1} | {cost:+.1} | {:+.1} |",
            least[0],
            median(1),
            median(2),
        );
        worst = worst.max(cost);
    }
    println!("<!-- end telemetry -->");
    assert!(worst <= MOST, "telemetry costs {worst:.1} ns a hit, more than {MOST:.0}");
}

/// How long a read took each contender in each round; another one begins each round.
fn rounds(contenders: [&Contender; 3], how: Read) -> Vec<[f64; 3]> {
    let mut figures = vec![[0.0; 3]; ROUNDS + ROUNDS / 4];
    for (number, round) in figures.iter_mut().enumerate() {
        for turn in 0..3 {
            let at = (number + turn) % 3;
            round[at] = nanos_each(READS, &mut || contenders[at].read(how, READS));
        }
    }
    // The first ones warm up.
    figures.split_off(ROUNDS / 4)
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// What a hit brings, which does not wait.
fn at_once<T, E: std::fmt::Debug>(hit: impl Future<Output = Result<T, E>>) -> T {
    match pin!(hit).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(hit) => hit.expect("a key"),
        Poll::Pending => panic!("a hit does not wait"),
    }
}
