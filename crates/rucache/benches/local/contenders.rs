//! Caches that each hold the same 10,000 records under the same keys.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache as Moka;
use rucache::core::Local;
use rucache::engine::{Accept, Cache, CacheBuilder};
use rucache::lookup::{CachedRecord, RucCache};
use rucache::memory::{LocalStore, MemoryConfig};
use rucache::ruc::{Answer, Coverage, Field, Profile, Provider, Ruc, Taxpayer};
use rucache::telemetry::{CacheMetrics, Exporter};
use rucache::{Key, Loaded, ServiceName, Ttl};

/// Number of records: a working set beyond the processor's caches, without eviction.
pub(crate) const RECORDS: usize = 10_000;

/// A cache that can be read, by place of the record.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    read: Box<dyn Fn(usize) + Send + Sync>,
}

impl Reader {
    /// Reads the records at `places`: what a profiler looks at.
    #[inline(never)]
    pub(crate) fn read_all(&self, places: &[usize]) {
        places.iter().for_each(|place| (self.read)(*place));
    }

    fn new(name: &'static str, read: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self { name, read: Box::new(read) }
    }
}

/// All contenders; the first is what the others are compared with.
pub(crate) fn all() -> Vec<Reader> {
    vec![
        plain_moka(),
        moka_with_expiry(),
        moka_with_deadline(),
        peek(),
        tagged(),
        rucs(),
        read_or_load(),
        observed(),
    ]
}

fn record(at: usize) -> Taxpayer {
    let ruc = Ruc::from_first_ten(2_000_000_000 + at as u64).expect("a number of prefix 20");
    let mut builder = Taxpayer::builder(ruc);
    builder.set(Field::NombreORazonSocial, "COMERCIALIZADORA DE MUESTRA S.A.C.");
    builder.set(Field::EstadoDelContribuyente, "ACTIVO");
    builder.set(Field::CondicionDeDomicilio, "HABIDO");
    builder.set(Field::Ubigeo, "150101");
    builder.set(Field::Direccion, "AV. DE LA MUESTRA NRO. 1234 URB. LOS EJEMPLOS LIMA LIMA LIMA");
    builder.build()
}

fn name(at: usize) -> String {
    format!("migo:ruc_{}", record(at).ruc())
}

fn names() -> Vec<String> {
    (0..RECORDS).map(name).collect()
}

/// Moka alone: no expiry at all.
fn plain_moka() -> Reader {
    let cache: Moka<String, Arc<Taxpayer>> = Moka::new(RECORDS as u64 * 2);
    (0..RECORDS).for_each(|at| cache.insert(name(at), Arc::new(record(at))));
    cache.run_pending_tasks();
    let names = names();
    Reader::new("plain moka sync, no expiry", move |at| {
        black_box(cache.get(names[at].as_str()).expect("a hit"));
    })
}

/// Moka with its own per-entry expiry: what its manual says to do for a TTL per entry.
fn moka_with_expiry() -> Reader {
    struct PerEntry;

    impl Expiry<String, (Ttl, Arc<Taxpayer>)> for PerEntry {
        fn expire_after_create(
            &self,
            _: &String,
            value: &(Ttl, Arc<Taxpayer>),
            _: Instant,
        ) -> Option<Duration> {
            Some(value.0.as_duration())
        }

        fn expire_after_update(
            &self,
            _: &String,
            value: &(Ttl, Arc<Taxpayer>),
            _: Instant,
            _: Option<Duration>,
        ) -> Option<Duration> {
            Some(value.0.as_duration())
        }
    }

    let cache = Moka::builder().max_capacity(RECORDS as u64 * 2).expire_after(PerEntry).build();
    (0..RECORDS).for_each(|at| cache.insert(name(at), (Ttl::MEDIUM, Arc::new(record(at)))));
    cache.run_pending_tasks();
    let names = names();
    Reader::new("hand-written: moka sync with per-entry expiry", move |at| {
        black_box(cache.get(names[at].as_str()).expect("a hit"));
    })
}

/// The same by hand: a fast hasher, and the deadline in the value, compared with `Instant::now`.
fn moka_with_deadline() -> Reader {
    let cache = Moka::builder()
        .max_capacity(RECORDS as u64 * 2)
        .build_with_hasher(foldhash::fast::RandomState::default());
    #[expect(clippy::disallowed_methods, reason = "what is measured is this clock")]
    let deadline = Instant::now() + Duration::from_secs(3_600);
    (0..RECORDS).for_each(|at| cache.insert(name(at), (deadline, Arc::new(record(at)))));
    cache.run_pending_tasks();
    let names = names();
    Reader::new("hand-written: moka sync, fast hasher, deadline in the value", move |at| {
        let (deadline, record) = cache.get(names[at].as_str()).expect("a hit");
        #[expect(clippy::disallowed_methods, reason = "what is measured is this clock")]
        let fresh = Instant::now() < deadline;
        assert!(fresh);
        black_box(record);
    })
}

/// A cache of ours, built as `change` says.
fn cache(change: impl FnOnce(CacheBuilder) -> CacheBuilder) -> (tokio::runtime::Runtime, Cache) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let runtime = runtime.expect("a tokio runtime");
    let local: Arc<dyn Local> = Arc::new(LocalStore::new(&MemoryConfig::default()));
    let cache = {
        let _entered = runtime.enter();
        change(Cache::builder(local)).build().expect("a cache")
    };
    (runtime, cache.service(&ServiceName::from_static("migo")))
}

/// The same, filled with the records as they are.
fn filled(change: impl FnOnce(CacheBuilder) -> CacheBuilder) -> (tokio::runtime::Runtime, Cache) {
    let (runtime, cache) = cache(change);
    for (at, key) in keys().iter().enumerate() {
        runtime.block_on(cache.put(key, Loaded::new(record(at)), Ttl::MEDIUM)).expect("stored");
    }
    (runtime, cache)
}

/// The same, filled with the records as a look-up stores them: under their tags.
fn filled_with_tags() -> (tokio::runtime::Runtime, Cache) {
    let (runtime, cache) = cache(|builder| builder);
    let rucs = RucCache::new(cache.clone(), Arc::new(NoProvider), Profile::Reference);
    for at in 0..RECORDS {
        runtime.block_on(rucs.set(record(at), None)).expect("stored");
    }
    (runtime, cache)
}

fn keys() -> Vec<Key> {
    names().iter().map(|name| Key::parse(name).expect("a key")).collect()
}

/// The engine's read, by a key that is at hand: TTL, type check, outcome with age and remaining
/// life.
fn peek() -> Reader {
    let ((runtime, cache), keys) = (filled(|builder| builder), keys());
    Reader::new("rucache: `peek` by key", move |at| {
        let _runtime = &runtime;
        let hit = cache.peek::<Taxpayer>(&keys[at], Accept::Fresh).expect("a key");
        black_box(hit.expect("a hit"));
    })
}

/// The same of records with three tags: state, condition, region.
fn tagged() -> Reader {
    let ((runtime, cache), keys) = (filled_with_tags(), keys());
    assert_eq!(rucache::ruc::tags(&record(0)).count(), 3, "as the row says");
    Reader::new("rucache: `peek` by key, three tags", move |at| {
        let _runtime = &runtime;
        let hit = cache.peek::<CachedRecord>(&keys[at], Accept::Fresh).expect("a key");
        black_box(hit.expect("a hit"));
    })
}

/// The read of a record by its number: with its tags, and the key is built.
fn rucs() -> Reader {
    let (runtime, cache) = filled_with_tags();
    let rucs = RucCache::new(cache, Arc::new(NoProvider), Profile::Reference);
    let numbers: Vec<Ruc> = (0..RECORDS).map(|at| record(at).ruc()).collect();
    Reader::new("rucache: record by number, three tags", move |at| {
        let _runtime = &runtime;
        black_box(at_once(rucs.get(&numbers[at])).expect("a hit"));
    })
}

/// Cache-aside on a hit: the future is polled once.
fn read_or_load() -> Reader {
    loading("rucache: `read_or_load` by key", filled(|builder| builder))
}

/// The same with metrics: what telemetry costs is the difference to the row before.
fn observed() -> Reader {
    let exporter = Exporter::new();
    let metrics = Arc::new(CacheMetrics::new(exporter.recorder(), "bench"));
    loading(
        "rucache: `read_or_load` by key, with metrics",
        filled(|builder| builder.observer(metrics)),
    )
}

fn loading(name: &'static str, filled: (tokio::runtime::Runtime, Cache)) -> Reader {
    let ((runtime, cache), keys) = (filled, keys());
    Reader::new(name, move |at| {
        let _runtime = &runtime;
        let load = || async { Err::<Loaded<Taxpayer>, _>("never asked") };
        let read = cache.read_or_load(&keys[at], Ttl::MEDIUM, load);
        black_box(at_once(read).expect("a hit"));
    })
}

/// What a hit brings, which does not wait.
fn at_once<T>(hit: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(hit).poll(&mut context) {
        std::task::Poll::Ready(hit) => hit,
        std::task::Poll::Pending => panic!("a hit does not wait"),
    }
}

struct NoProvider;

#[async_trait::async_trait]
impl Provider for NoProvider {
    fn name(&self) -> &str {
        "none"
    }

    fn coverage(&self) -> Coverage {
        Coverage::Partial
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.coverage().silence(ruc)
    }
}
