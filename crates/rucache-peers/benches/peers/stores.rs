//! Stores, which do not load in these rows: moka as it is and by hand, `quick_cache`, `cached`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cached::ShardedLruTtlCache;
use moka::Expiry;
use moka::sync::Cache as Moka;
use quick_cache::sync::Cache as Quick;
use tokio::runtime::Handle;

use crate::reader::Reader;
use crate::record::{CAPACITY, RECORDS, Taxpayer, keys, of_key};

const TTL: Duration = Duration::from_secs(3_600);

/// All of them; the first is what the others are compared with.
pub(crate) fn all(runtime: &Handle) -> Vec<Reader> {
    vec![
        plain_moka(),
        moka_with_expiry(),
        moka_with_deadline(),
        moka_future(runtime),
        quick(),
        cached_store(),
    ]
}

fn shared(key: &str) -> Arc<Taxpayer> {
    Arc::new(of_key(key))
}

fn plain_moka() -> Reader {
    let cache: Moka<String, Arc<Taxpayer>> = Moka::new(CAPACITY as u64);
    let keys = keys();
    keys.iter().for_each(|key| cache.insert(key.clone(), shared(key)));
    cache.run_pending_tasks();
    Reader::plain("plain moka sync, no expiry", move |at| {
        black_box(cache.get(keys[at].as_str()).expect("a hit"));
    })
}

/// What moka's manual says to do for a time to live of each entry.
fn moka_with_expiry() -> Reader {
    #[derive(Clone)]
    struct Entry {
        ttl: Duration,
        record: Arc<Taxpayer>,
    }

    struct PerEntry;

    impl Expiry<String, Entry> for PerEntry {
        fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
            Some(entry.ttl)
        }

        fn expire_after_update(
            &self,
            _: &String,
            entry: &Entry,
            _: Instant,
            _: Option<Duration>,
        ) -> Option<Duration> {
            Some(entry.ttl)
        }
    }

    let cache = Moka::builder().max_capacity(CAPACITY as u64).expire_after(PerEntry).build();
    let keys = keys();
    keys.iter().for_each(|key| cache.insert(key.clone(), Entry { ttl: TTL, record: shared(key) }));
    cache.run_pending_tasks();
    Reader::plain("hand-written: moka sync with per-entry expiry", move |at| {
        black_box(cache.get(keys[at].as_str()).expect("a hit").record);
    })
}

/// The same by hand: a fast hasher, and the deadline in the value, compared with `Instant::now`.
fn moka_with_deadline() -> Reader {
    let cache = Moka::builder()
        .max_capacity(CAPACITY as u64)
        .build_with_hasher(foldhash::fast::RandomState::default());
    #[expect(clippy::disallowed_methods, reason = "what is measured is this clock")]
    let deadline = Instant::now() + TTL;
    let keys = keys();
    keys.iter().for_each(|key| cache.insert(key.clone(), (deadline, shared(key))));
    cache.run_pending_tasks();
    Reader::plain("hand-written: moka sync, fast hasher, deadline in the value", move |at| {
        let (deadline, record) = cache.get(keys[at].as_str()).expect("a hit");
        #[expect(clippy::disallowed_methods, reason = "what is measured is this clock")]
        let fresh = Instant::now() < deadline;
        assert!(fresh);
        black_box(record);
    })
}

fn moka_future(runtime: &Handle) -> Reader {
    let cache: moka::future::Cache<String, Arc<Taxpayer>> =
        moka::future::Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    let keys = keys();
    runtime.block_on(async {
        for key in &keys {
            cache.insert(key.clone(), shared(key)).await;
        }
        cache.run_pending_tasks().await;
    });
    Reader::waiting("moka future, one time to live", runtime, async move |at: usize| {
        black_box(cache.get(keys[at].as_str()).await.expect("a hit"));
    })
}

fn quick() -> Reader {
    let cache: Quick<String, Arc<Taxpayer>> = Quick::new(CAPACITY);
    let keys = keys();
    keys.iter().for_each(|key| cache.insert(key.clone(), shared(key)));
    assert_eq!(cache.len(), RECORDS);
    Reader::plain("quick_cache, no expiry", move |at| {
        black_box(cache.get(keys[at].as_str()).expect("a hit"));
    })
}

fn cached_store() -> Reader {
    let cache: ShardedLruTtlCache<String, Arc<Taxpayer>> = ShardedLruTtlCache::new(CAPACITY, TTL);
    let keys = keys();
    keys.iter().for_each(|key| drop(cache.set(key.clone(), shared(key))));
    Reader::plain("cached: `ShardedLruTtlCache`, one time to live", move |at| {
        black_box(cache.get(keys[at].as_str()).expect("a hit"));
    })
}
