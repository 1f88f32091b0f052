//! A flood of names that nobody asks for twice, whether they exist or not: what is read often stays,
//! and memory stays within its limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rucache::core::observer::Tier;
use rucache::core::{Count, Key};
use rucache::memory::Capacity;
use rucache::{Accept, Cache, Config, LoadError, Loaded, LocalTier, ServiceName, Ttl};
use tokio::task::JoinSet;

use crate::arena::{Arena, Context, Site};
use crate::chance::Chance;
use crate::report::{Report, shown};

/// Names that are asked for once.
const FLOOD: u64 = 5_000_000;

/// Fewer where each is a few round trips to a server.
const FLOOD_AT_SERVER: u64 = 100_000;

/// Records that are read often: a sixteenth of the local tier's room.
const HOT: u64 = 8_000;

/// A read of a hot record for so many of the flood.
const HOT_EVERY: u64 = 4;

const WORKERS: u64 = 8;

const CAPACITY: u64 = 64 << 20;

/// What a process takes for tasks, buffers and moka's tables, whatever is stored.
const FIXED: u64 = 8 << 20;

/// The least share of reads of hot records that must be hits, in thousandths.
const LEAST_HITS: u64 = 990;

fn record(number: u64) -> String {
    format!("a taxpayer's record, number {number}; ").repeat(6)
}

/// A cache with a local tier of a known size.
async fn small(context: &Context) -> (Cache, Option<Arena>) {
    let mut config = Config::default();
    if context.site == Site::Memory {
        config.backend = format!("memory://?capacity={CAPACITY}").parse().unwrap();
        return (rucache::open_with(config).await.unwrap(), None);
    }
    let arena = Arena::start(context);
    let scheme = if context.site == Site::Memcached { "memcached" } else { "redis" };
    let address = arena.proxy.address();
    config.backend = format!("{scheme}://{address}?timeout=2s&connect_timeout=2s").parse().unwrap();
    config.local = LocalTier::Of(Capacity::bytes(CAPACITY));
    if context.site == Site::RedisAlone {
        config.local = LocalTier::Off;
    }
    (rucache::open_with(config).await.unwrap(), Some(arena))
}

/// What becomes of a name of the flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// The source knows that it does not exist.
    Unknown,
    /// It has a record, which nobody reads again.
    Known,
}

pub(crate) async fn unknown_names(context: Context) -> Report {
    flood(context, Names::Unknown).await
}

pub(crate) async fn names_read_once(context: Context) -> Report {
    flood(context, Names::Known).await
}

async fn flood(context: Context, names: Names) -> Report {
    let (cache, arena) = small(&context).await;
    let flood = if arena.is_some() { FLOOD_AT_SERVER } else { FLOOD };
    let mut report = Report::default();
    let hot = cache.service(&ServiceName::from_static("hot"));
    for number in 0..HOT {
        hot.set(&key("hot", number), &record(number), Ttl::LONG).await.unwrap();
    }
    // Read as often as hot records are, so that the local tier knows them.
    for number in (0..HOT).cycle().take(usize::try_from(8 * HOT).unwrap()) {
        hot.read::<String>(&key("hot", number), Accept::Fresh).await.unwrap();
    }
    let before = resident();
    let services = cache.stats().len();
    let (hits, reads, most) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let began = cache.runtime().now();
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (cache, hits, reads, most) = (cache.clone(), hits.clone(), reads.clone(), most.clone());
        let mut chance = Chance::new(context.seed ^ worker << 32);
        workers.spawn(async move {
            for number in 0..flood / WORKERS {
                ask_once(&cache, chance.next(), names).await;
                if number % HOT_EVERY == 0 {
                    let number = chance.below(HOT);
                    let hit = cache.read::<String>(&key("hot", number), Accept::Fresh).await;
                    let hit = hit.unwrap();
                    assert!(hit.as_ref().is_none_or(|hit| **hit == record(number)));
                    reads.fetch_add(1, Ordering::Relaxed);
                    hits.fetch_add(u64::from(hit.is_some()), Ordering::Relaxed);
                }
                if number % 4_096 == 0 {
                    let bytes = cache.usage().map_or(0, |usage| usage.bytes);
                    most.fetch_max(bytes, Ordering::Relaxed);
                }
                if number % 64 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    workers.join_all().await;
    let took = cache.runtime().now().since(began);
    let grown = resident().saturating_sub(before);
    let (hits, reads) = (hits.load(Ordering::Relaxed), reads.load(Ordering::Relaxed));
    let most = most.load(Ordering::Relaxed);
    report.reads = flood + reads;
    let kept = hits * 1_000 / reads.max(1);
    report.must(kept >= LEAST_HITS, || format!("{hits} of {reads} reads of hot records hit"));
    if let Some(usage) = cache.usage() {
        let limit = usage.capacity_bytes + usage.capacity_bytes / 10;
        report.must(most <= limit, || format!("{most} bytes charged, more than {limit}"));
        report.must(grown <= limit + FIXED, || format!("the process grew by {grown} bytes"));
    }
    let local = Count::Hit(Tier::Local);
    let stats = cache.stats();
    report.must(stats.len() <= services + 1, || "a series for each name".to_owned());
    let local: u64 = stats.iter().map(|(_, counts)| counts[local]).sum();
    report.note = format!(
        "{}.{} % of hot reads hit, {local} local hits, {} MiB charged, {} MiB grown, {} each",
        kept / 10,
        kept % 10,
        most >> 20,
        grown >> 20,
        shown(took / u32::try_from(flood).unwrap()),
    );
    report
}

fn key(service: &'static str, number: u64) -> Key {
    Key::new(&ServiceName::from_static(service), &format!("record_{number}")).unwrap()
}

/// Asks for a name, and learns what there is to know of it.
async fn ask_once(cache: &Cache, number: u64, names: Names) {
    let load = move || async move {
        Ok::<_, std::io::Error>(match names {
            Names::Unknown => Loaded::<String>::negative("not_found"),
            Names::Known => Loaded::from(record(number)),
        })
    };
    let answer = cache.read_or_load(&key("flood", number), Ttl::MEDIUM, load).await;
    let right = match (&answer, names) {
        (Err(rucache::CacheError::Load(LoadError::Negative(_))), Names::Unknown) => true,
        (Ok(hit), Names::Known) => **hit == record(number),
        _ => false,
    };
    assert!(right, "{answer:?}");
}

/// Memory of this process, in bytes; nothing where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
