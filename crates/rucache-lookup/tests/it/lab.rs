//! Look-ups on a clock that a test moves, over each kind of home that entries can have.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rucache_core::emulation::Emulated;
use rucache_core::{KeyCodec, MapLocal, Runtime, ServiceName, TestRuntime};
use rucache_engine::{Cache, CacheBuilder};
use rucache_lookup::{CachedRecord, Lookup, LookupOptions, Lookups, RucCache};
use rucache_ruc::{
    Answer, Coverage, ExchangeRate, Field, Provider, RateQuery, Reply, Ruc, Taxpayer,
};

use crate::map_store::MapStore;

pub(crate) const SUNAT: &str = "20131312955";
pub(crate) const CONTINENTAL: &str = "20100038146";

pub(crate) fn ruc(text: &str) -> Ruc {
    text.parse().unwrap()
}

/// The `n`th of different numbers.
pub(crate) fn number(n: u64) -> Ruc {
    Ruc::from_first_ten(2_000_000_000 + n).unwrap()
}

pub(crate) fn record(number: &str, name: &str) -> Taxpayer {
    Taxpayer::builder(ruc(number)).set(Field::NombreORazonSocial, name).build()
}

pub(crate) fn migo() -> ServiceName {
    ServiceName::from_static("migo")
}

/// Where entries live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the process, with maps and counters aside.
    Process,
    /// At a server, read each time.
    Server,
    /// At a server, with copies in the process.
    Both,
}

impl Home {
    pub(crate) const ALL: [Self; 3] = [Self::Process, Self::Server, Self::Both];

    pub(crate) fn builder(self, store: &MapStore, runtime: Arc<dyn Runtime>) -> CacheBuilder {
        let backend = Arc::new(Emulated::new(store.clone(), runtime, KeyCodec::default()));
        match self {
            Self::Process => Cache::builder(Arc::new(MapLocal::default())).aside(backend),
            Self::Server => Cache::on_backend(backend),
            Self::Both => Cache::on_backend(backend).local(Arc::new(MapLocal::default())),
        }
    }
}

/// A provider with answers by number, which notes every call.
pub(crate) struct Scripted {
    pub(crate) answers: Mutex<HashMap<Ruc, Answer>>,
    pub(crate) rates: Mutex<HashMap<RateQuery, Reply<ExchangeRate>>>,
    pub(crate) rate_calls: Mutex<Vec<RateQuery>>,
    calls: Mutex<Vec<usize>>,
    batch_limit: usize,
    takes: Duration,
    runtime: TestRuntime,
    hangs_on: Mutex<Option<Ruc>>,
    panics_on: Mutex<Option<Ruc>>,
}

impl Scripted {
    pub(crate) fn hangs_on(&self, ruc: Ruc) {
        *self.hangs_on.lock().unwrap() = Some(ruc);
    }

    pub(crate) fn panics_on(&self, ruc: Ruc) {
        *self.panics_on.lock().unwrap() = Some(ruc);
    }
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn coverage(&self) -> Coverage {
        Coverage::Full
    }

    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.batch_limit).unwrap()
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        self.lookup_many(&[ruc]).await.remove(0)
    }

    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        self.calls.lock().unwrap().push(rucs.len());
        let has = |place: &Mutex<Option<Ruc>>| {
            let ruc = *place.lock().unwrap();
            ruc.is_some_and(|ruc| rucs.contains(&ruc))
        };
        assert!(!has(&self.panics_on), "on purpose");
        if has(&self.hangs_on) {
            std::future::pending::<()>().await;
        }
        self.runtime.sleep(self.takes).await;
        let answers = self.answers.lock().unwrap();
        rucs.iter().map(|ruc| answers.get(ruc).cloned().unwrap_or(Answer::NotFound)).collect()
    }

    async fn exchange_rate(&self, query: RateQuery) -> Reply<ExchangeRate> {
        self.rate_calls.lock().unwrap().push(query);
        self.rates.lock().unwrap().get(&query).cloned().unwrap_or(Reply::NotFound)
    }
}

/// A process with look-ups, its source and its clock.
pub(crate) struct Lab {
    pub(crate) runtime: TestRuntime,
    pub(crate) store: MapStore,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) cache: Cache,
    pub(crate) lookups: Lookups,
    pub(crate) rucs: RucCache,
}

impl Lab {
    pub(crate) fn new(batch_limit: usize, takes: Duration) -> Self {
        Self::at(Home::Process, batch_limit, takes, LookupOptions::default())
    }

    pub(crate) fn instant() -> Self {
        Self::new(1, Duration::ZERO)
    }

    /// With entries at `home` and an instant source that takes 100 at once.
    pub(crate) fn home(home: Home) -> Self {
        Self::at(home, 100, Duration::ZERO, LookupOptions::default())
    }

    pub(crate) fn at(
        home: Home,
        batch_limit: usize,
        takes: Duration,
        options: LookupOptions,
    ) -> Self {
        Self::build(home, batch_limit, takes, options, TestRuntime::new(1), MapStore::default())
    }

    /// Another process on the same server and clock.
    pub(crate) fn beside(&self, home: Home) -> Self {
        let (runtime, store) = (self.runtime.clone(), self.store.clone());
        Self::build(home, 100, Duration::ZERO, LookupOptions::default(), runtime, store)
    }

    fn build(
        home: Home,
        batch_limit: usize,
        takes: Duration,
        options: LookupOptions,
        runtime: TestRuntime,
        store: MapStore,
    ) -> Self {
        let provider = Arc::new(Scripted {
            answers: Mutex::default(),
            rates: Mutex::default(),
            rate_calls: Mutex::default(),
            calls: Mutex::default(),
            batch_limit,
            takes,
            runtime: runtime.clone(),
            hangs_on: Mutex::default(),
            panics_on: Mutex::default(),
        });
        let shared: Arc<dyn Runtime> = Arc::new(runtime.clone());
        let cache = home.builder(&store, shared.clone()).runtime(shared).build().unwrap();
        let lookups = Lookups::new(cache.clone(), provider.clone(), options).unwrap();
        let rucs = lookups.ruc(&migo());
        Self { runtime, store, provider, cache, lookups, rucs }
    }

    /// Waits for `future`, on a clock that stands still.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn answers(&self, number: &str, answer: Answer) {
        self.provider.answers.lock().unwrap().insert(ruc(number), answer);
    }

    /// Has a record of each of `numbers` at the source.
    pub(crate) fn knows(&self, numbers: &[Ruc]) {
        for number in numbers {
            let text = number.to_string();
            self.answers(&text, Answer::found(record(&text, &text)));
        }
    }

    pub(crate) fn lookup(&self, number: &str) -> Lookup {
        self.run(self.rucs.lookup_served(&ruc(number)))
    }

    pub(crate) fn get(&self, number: &str) -> Option<rucache_engine::Hit<CachedRecord>> {
        self.run(self.rucs.get(&ruc(number)))
    }

    /// Runs `future` apart; the result is there once it has ended.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Arc<Mutex<Option<T>>> {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        self.runtime.spawn(Box::pin(async move {
            let ended = future.await;
            *slot.lock().unwrap() = Some(ended);
        }));
        self.runtime.run_until_stalled();
        result
    }

    /// Looks `rucs` up apart; the result is there once it has ended.
    pub(crate) fn apart(&self, rucs: &[Ruc]) -> Arc<Mutex<Option<Vec<Lookup>>>> {
        let (cache, rucs) = (self.rucs.clone(), rucs.to_vec());
        self.begin(async move { cache.lookup_many(&rucs).await })
    }

    /// Numbers in each call that the source was asked in.
    pub(crate) fn calls(&self) -> Vec<usize> {
        self.provider.calls.lock().unwrap().clone()
    }
}
