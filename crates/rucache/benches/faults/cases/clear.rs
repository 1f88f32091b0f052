//! A service of a million entries is cleared: one round trip to each node, nothing else is touched,
//! and nothing comes back.

use std::time::Duration;

use rucache::core::{Key, KeyCodec, Marker};
use rucache::engine::Written;
use rucache::memory::Capacity;
use rucache::{Accept, Cache, Config, LocalTier, ServiceName, Ttl};
use rucache_testkit::{Fault, FaultProxy, Memcached, MemcachedOptions, RedisOptions, RedisServer};
use tokio::task::JoinSet;

use crate::arena::{Context, Site, pause};
use crate::report::{Report, percentile, shown};

/// Entries of the cleared service, and of the one whose name begins with its name.
const ENTRIES: u64 = 1_000_000;
const SIBLINGS: u64 = 20_000;

const CLEARED: &str = "users";
const SIBLING: &str = "usersabc";

/// How long every answer is held back while round trips are counted.
const DELAY: Duration = Duration::from_millis(200);

/// How soon a clear is answered.
const ANSWER: Duration = Duration::from_millis(100);

/// Writers at once, and entries of a batch.
const WRITERS: u64 = 16;
const BATCH: u64 = 200;

/// Nodes behind proxies, if any, with a way to forget a marker by hand.
struct Nodes {
    redis: Option<RedisServer>,
    memcached: Vec<Memcached>,
    proxies: Vec<FaultProxy>,
}

impl Nodes {
    fn start(site: Site, seed: u64) -> Self {
        let large = MemcachedOptions { memory_mb: Some(1_024), ..MemcachedOptions::default() };
        let (redis, memcached) = match site {
            Site::Memory => (None, Vec::new()),
            Site::Memcached => (None, Memcached::start_pool(1, &large)),
            Site::Pool => (None, Memcached::start_pool(3, &large)),
            _ => (Some(RedisServer::start(RedisOptions::default())), Vec::new()),
        };
        let ports =
            redis.iter().map(RedisServer::port).chain(memcached.iter().map(Memcached::port));
        let proxies = ports.map(|port| FaultProxy::start(port, seed)).collect();
        Self { redis, memcached, proxies }
    }

    async fn open(&self, site: Site) -> Cache {
        let mut config = Config::default();
        let addresses: Vec<_> = self.proxies.iter().map(FaultProxy::address).collect();
        let scheme = if self.redis.is_some() { "redis" } else { "memcached" };
        config.backend = if self.proxies.is_empty() {
            "memory://?capacity=2GiB".parse().unwrap()
        } else {
            let limits = "timeout=2s&connect_timeout=2s";
            format!("{scheme}://{}?{limits}", addresses.join(",")).parse().unwrap()
        };
        config.local = match site {
            Site::Redis => LocalTier::Of(Capacity::bytes(1 << 30)),
            _ => LocalTier::Off,
        };
        rucache::open_with(config).await.unwrap()
    }

    fn set(&self, fault: &Fault) {
        self.proxies.iter().for_each(|proxy| proxy.set(fault.clone()));
    }

    /// As if every node had evicted it.
    fn evict(&self, marker: &Marker) {
        let name = KeyCodec::default().marker(marker);
        if let Some(redis) = &self.redis {
            redis.command(&["DEL", name.as_str()]);
        }
        for node in &self.memcached {
            node.command(&["delete", name.as_str()]);
        }
    }
}

pub(crate) async fn a_million(context: Context) -> Report {
    let nodes = Nodes::start(context.site, context.seed);
    let cache = nodes.open(context.site).await;
    let mut report = Report::default();
    let clock = cache.runtime().clone();
    let cleared = cache.service(&service(CLEARED));
    // What is sent once in the life of a connection is sent before.
    cleared.clear().await.unwrap();
    fill(&cache, CLEARED, ENTRIES).await;
    fill(&cache, SIBLING, SIBLINGS).await;
    let siblings = present(&cache, SIBLING, SIBLINGS).await;
    let sample = present(&cache, CLEARED, SIBLINGS).await;
    report.must(sample == SIBLINGS, || format!("{sample} of {SIBLINGS} there before"));
    // Others read meanwhile.
    let before = latencies(&cache, Duration::from_secs(1)).await;
    let (others, cleared_in) = tokio::join!(latencies(&cache, Duration::from_secs(1)), async {
        pause(Duration::from_millis(300)).await;
        let began = clock.now();
        let written = cleared.clear().await;
        (clock.now().since(began), written)
    });
    let (answer, written) = cleared_in;
    report.must(matches!(written, Ok(Written::Done)), || format!("{written:?}"));
    report.must(answer <= ANSWER, || format!("answered after {answer:?}"));
    let (quiet, meanwhile) = (percentile(&before, 99), percentile(&others, 99));
    report.must(meanwhile <= quiet.map(|p99| (3 * p99).max(Duration::from_millis(3))), || {
        format!("others' p99 was {quiet:?}, then {meanwhile:?}")
    });
    report.took = others;
    let gone = |found: u64| found == 0;
    for evicted in [false, true] {
        if evicted {
            nodes.evict(&Marker::Service(service(CLEARED)));
        }
        let found = present(&cache, CLEARED, ENTRIES).await;
        report.must(gone(found), || format!("{found} came back, marker evicted: {evicted}"));
        report.reads += ENTRIES;
    }
    let left = present(&cache, SIBLING, SIBLINGS).await;
    report.must(left == siblings && left == SIBLINGS, || {
        format!("{left} of {SIBLINGS} entries of the sibling are left")
    });
    let mut round_trips = 0;
    if !nodes.proxies.is_empty() {
        nodes.set(&Fault::delay(DELAY));
        let began = clock.now();
        cleared.clear().await.unwrap();
        round_trips = clock.now().since(began).as_millis() / DELAY.as_millis();
        report.must(round_trips == 1, || format!("{round_trips} round trips"));
    }
    report.note = format!("answered after {}, {round_trips} round trips", shown(answer));
    report
}

fn service(name: &'static str) -> ServiceName {
    ServiceName::from_static(name)
}

fn keys(name: &'static str, numbers: std::ops::Range<u64>) -> Vec<Key> {
    let service = service(name);
    numbers.map(|number| Key::new(&service, &format!("record_{number}")).unwrap()).collect()
}

async fn fill(cache: &Cache, name: &'static str, entries: u64) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let cache = cache.clone();
        writers.spawn(async move {
            let mut first = writer * BATCH;
            while first < entries {
                let numbers = first..(first + BATCH).min(entries);
                let values = keys(name, numbers.clone()).into_iter().zip(numbers).collect();
                let written = cache.set_many(values, Ttl::LONG).await;
                assert!(written.into_iter().all(|one| matches!(one, Ok(Written::Done))));
                first += WRITERS * BATCH;
            }
        });
    }
    writers.join_all().await;
}

/// How many of the first entries are there.
async fn present(cache: &Cache, name: &'static str, entries: u64) -> u64 {
    let mut found = 0;
    for first in (0..entries).step_by(1_000) {
        let numbers = first..(first + 1_000).min(entries);
        let looks = cache.look_many::<u64>(&keys(name, numbers.clone()), Accept::Stale).await;
        for (number, look) in numbers.zip(looks) {
            if let Some(hit) = look.unwrap().value() {
                assert_eq!(*hit, number);
                found += 1;
            }
        }
    }
    found
}

/// How long reads of another service take, for so long.
async fn latencies(cache: &Cache, span: Duration) -> Vec<Duration> {
    let clock = cache.runtime().clone();
    let (began, mut took, mut number) = (clock.now(), Vec::new(), 0);
    while clock.now().since(began) < span {
        let called = clock.now();
        let key = &keys(SIBLING, number..number + 1)[0];
        cache.read::<u64>(key, Accept::Fresh).await.unwrap();
        took.push(clock.now().since(called));
        number = (number + 1) % SIBLINGS;
        pause(Duration::from_micros(200)).await;
    }
    took
}
