//! A source, the fake behind it, and a clock that can be moved.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache_core::{BoxFuture, Mono, Runtime, Timestamp};
use rucache_providers::{ApiKind, Secret, Source, SourceConfig};
use rucache_ruc::{CallResult, Provider, Ruc, SourceStatus};
use rucache_testkit::{ProviderFake, ProviderShape};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// 2026-01-28T15:00:00Z, ten in the morning in Lima.
pub(crate) const START: u64 = 1_769_612_400_000;

/// Real time and real tasks, and clocks that a test can move ahead.
pub(crate) struct Clock {
    handle: Handle,
    started: Instant,
    ahead: AtomicU64,
    drawn: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Arc<Self> {
        let (handle, started) = (Handle::current(), Instant::now());
        Arc::new(Self { handle, started, ahead: AtomicU64::new(0), drawn: AtomicU64::new(0) })
    }

    /// Moves both clocks ahead; who sleeps is not woken by it.
    pub(crate) fn advance(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.ahead.fetch_add(millis, Ordering::Relaxed);
    }

    fn passed(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}

impl Runtime for Clock {
    fn now(&self) -> Mono {
        Mono::from_nanos(1_000_000_000).after(self.passed())
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(START + u64::try_from(self.passed().as_millis()).unwrap())
    }

    fn sleep(&self, span: Duration) -> BoxFuture<()> {
        let _entered = self.handle.enter();
        Box::pin(sleep_until(Instant::now() + span))
    }

    fn spawn(&self, task: BoxFuture<()>) {
        self.handle.spawn(task);
    }

    fn random(&self) -> u64 {
        self.drawn.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

pub(crate) const fn shape(api: ApiKind) -> ProviderShape {
    match api {
        ApiKind::Migo => ProviderShape::Migo,
        ApiKind::Decolecta => ProviderShape::Decolecta,
        ApiKind::ApisNetPe => ProviderShape::ApisNetPe,
        _ => ProviderShape::Apiperu,
    }
}

pub(crate) struct Setting {
    pub(crate) fake: ProviderFake,
    pub(crate) clock: Arc<Clock>,
    pub(crate) source: Source,
}

impl Setting {
    /// A source of `api` without retries, and so that a call that is not answered fails soon.
    pub(crate) fn new(api: ApiKind) -> Self {
        Self::with(api, |_| {})
    }

    pub(crate) fn with(api: ApiKind, change: impl FnOnce(&mut SourceConfig)) -> Self {
        let (fake, clock) = (ProviderFake::start(shape(api)), Clock::new());
        let mut config = SourceConfig::new(api);
        config.base_url = Some(fake.url());
        config.retries = 0;
        config.timeout = Duration::from_millis(500);
        change(&mut config);
        let token = Secret::new(ProviderFake::TOKEN, "test").unwrap();
        let source = Source::with_token(&config, token, clock.clone(), None).unwrap();
        Self { fake, clock, source }
    }

    pub(crate) fn status(&self) -> SourceStatus {
        self.source.status().pop().unwrap()
    }

    pub(crate) fn count(&self, result: CallResult) -> u64 {
        let status = self.status();
        status.calls.iter().filter(|(one, _)| *one == result).map(|(_, count)| count).sum()
    }
}

pub(crate) fn ruc(index: u64) -> Ruc {
    Ruc::from_first_ten(2_000_000_000 + index).unwrap()
}

pub(crate) fn rucs(count: u64) -> Vec<Ruc> {
    (0..count).map(ruc).collect()
}

pub(crate) fn per_minute(limit: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(limit)
}
