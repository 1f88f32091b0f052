//! A cache in this process over a source that asks a fake, with clocks that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache::Timing;
use rucache::core::{BoxFuture, Mono, Runtime, Timestamp};
use rucache::engine::{Cache, TokioRuntime};
use rucache::lookup::{Lookup, LookupOptions, Lookups, RucCache, TtlTable};
use rucache::memory::{LocalStore, MemoryBackend, MemoryConfig};
use rucache::providers::{ApiKind, Secret, Source, SourceConfig};
use rucache::ruc::{Outcome, Ruc, SourceStatus};
use rucache_testkit::{ProviderFake, ProviderShape};

/// Real time and real tasks, and clocks that a test can move ahead.
pub(crate) struct Clock {
    inner: TokioRuntime,
    ahead: AtomicU64,
}

impl Clock {
    /// Moves the clocks ahead; who sleeps is not woken by it.
    pub(crate) fn advance(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap();
        self.ahead.fetch_add(nanos, Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_nanos(self.ahead.load(Ordering::Relaxed))
    }
}

impl Runtime for Clock {
    fn now(&self) -> Mono {
        self.inner.now().after(self.ahead())
    }

    fn wall(&self) -> Timestamp {
        let ahead = u64::try_from(self.ahead().as_millis()).unwrap();
        Timestamp::from_millis(self.inner.wall().as_millis() + ahead)
    }

    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        self.inner.sleep(span)
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.inner.spawn(task);
    }

    fn random(&self) -> u64 {
        self.inner.random()
    }
}

/// Everything that a process has.
pub(crate) struct Stand {
    pub(crate) fake: ProviderFake,
    pub(crate) clock: Arc<Clock>,
    pub(crate) source: Source,
    pub(crate) lookups: Lookups,
    pub(crate) rucs: RucCache,
}

impl Stand {
    /// A process whose records are fresh for `fresh` seconds.
    pub(crate) fn new(
        shape: ProviderShape,
        fresh: u64,
        change: impl FnOnce(&mut SourceConfig),
    ) -> Self {
        let fake = ProviderFake::start(shape);
        let inner = TokioRuntime::current().unwrap();
        let clock = Arc::new(Clock { inner, ahead: AtomicU64::new(0) });
        let mut config = SourceConfig::new(match shape {
            ProviderShape::Migo => ApiKind::Migo,
            _ => ApiKind::Decolecta,
        });
        config.base_url = Some(fake.url());
        config.retries = 0;
        change(&mut config);
        let token = Secret::new(ProviderFake::TOKEN, "test").unwrap();
        let source = Source::with_token(&config, token, clock.clone(), None).unwrap();
        let memory = MemoryConfig::default();
        let aside = MemoryBackend::aside(&memory, clock.clone());
        let moment = Duration::from_millis(1);
        let timing = Timing::default().with_back_off(moment).with_max_back_off(moment);
        let cache = Cache::builder(Arc::new(LocalStore::new(&memory)))
            .aside(Arc::new(aside))
            .runtime(clock.clone())
            // Waited for in real time, which does not pass here.
            .timing(timing)
            .build()
            .unwrap();
        let ttls: TtlTable = serde_json::from_value(serde_json::json!({ "ruc_*": fresh })).unwrap();
        let options = LookupOptions::default().with_ttls(ttls);
        let lookups = Lookups::new(cache, Arc::new(source.clone()), options).unwrap();
        let rucs = lookups.ruc(&"migo".parse().unwrap());
        Self { fake, clock, source, lookups, rucs }
    }

    pub(crate) async fn lookup(&self, index: u64) -> Lookup {
        self.rucs.lookup_served(&ruc(index)).await
    }

    /// How one look-up ends: `found`, `stale`, or the label of what else.
    pub(crate) async fn ends(&self, index: u64) -> &'static str {
        let lookup = self.lookup(index).await;
        match &lookup.outcome {
            Outcome::Found(_) if lookup.is_stale() => "stale",
            Outcome::Unavailable(why) => why.cause.as_str(),
            other => other.as_str(),
        }
    }

    pub(crate) fn status(&self) -> SourceStatus {
        rucache::ruc::Provider::status(&self.source).pop().unwrap()
    }

    /// Numbers that are listed as invalid.
    pub(crate) async fn marked(&self) -> u64 {
        self.rucs.invalid_count().await.unwrap()
    }
}

/// The `index`th of different numbers.
pub(crate) fn ruc(index: u64) -> Ruc {
    Ruc::from_first_ten(2_000_000_000 + index).unwrap()
}
