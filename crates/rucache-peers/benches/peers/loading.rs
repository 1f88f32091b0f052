//! Caches that load: `amalgam-cache`, `hitbox`, `multi-tier-cache`, `cached`'s functions.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use amalgam::{Cache as Amalgam, EntryOptions, MetricsPlugin};
use cached::CachedExt as _;
use cached::macros::cached as cached_function;
use hitbox::CacheStatus;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_backend::format::{BincodeFormat, Format, JsonFormat};
use hitbox_fn::cached as hitbox_function;
use hitbox_moka::MokaBackend;
use metrics_exporter_prometheus::PrometheusBuilder;
use multi_tier_cache::{
    CacheStrategy, CacheSystem, CacheSystemBuilder, L1Cache, MokaCacheConfig, TierConfig,
};
use tokio::runtime::Handle;

use crate::reader::Reader;
use crate::record::{CAPACITY, Taxpayer, keys, of_key};

const TTL: Duration = Duration::from_secs(3_600);

/// As often as the recorder does it itself where it serves its metrics.
const UPKEEP: Duration = Duration::from_secs(5);

pub(crate) fn all(runtime: &Handle) -> Vec<Reader> {
    record_metrics(runtime);
    let plain = || Amalgam::builder();
    let metered = || Amalgam::builder().plugin(Arc::new(MetricsPlugin::new()));
    vec![
        amalgam("amalgam-cache: `try_get`", runtime, plain(), &[]),
        amalgam("amalgam-cache: `try_get`, its metrics on", runtime, metered(), &[]),
        amalgam("amalgam-cache: `try_get`, two tags", runtime, plain(), &["lima", "activos"]),
        amalgam_or_load(runtime),
        hitbox("hitbox on moka, bincode", runtime, BincodeFormat),
        hitbox("hitbox on moka, JSON", runtime, JsonFormat),
        multi_tier(runtime),
        multi_tier_bytes(runtime),
        function(runtime),
    ]
}

/// Without a recorder a plugin's metrics go nowhere; without upkeep they are heaped up.
fn record_metrics(runtime: &Handle) {
    let recorder = PrometheusBuilder::new().install_recorder().expect("the first recorder");
    runtime.spawn(async move {
        let mut every = tokio::time::interval(UPKEEP);
        loop {
            every.tick().await;
            recorder.run_upkeep();
        }
    });
}

fn amalgam_filled(
    runtime: &Handle,
    builder: amalgam::CacheBuilder<Arc<Taxpayer>>,
    tags: &[&str],
) -> Amalgam<Arc<Taxpayer>> {
    let _entered = runtime.enter();
    let builder = builder.default_options(EntryOptions::new(TTL)).max_capacity(CAPACITY as u64);
    let cache = builder.try_build().expect("a cache");
    runtime.block_on(async {
        for key in keys() {
            let record = Arc::new(of_key(&key));
            cache.set(&key, record).tags(tags.iter().copied()).await.expect("stored");
        }
    });
    cache
}

fn amalgam(
    name: &'static str,
    runtime: &Handle,
    builder: amalgam::CacheBuilder<Arc<Taxpayer>>,
    tags: &[&str],
) -> Reader {
    let (cache, keys) = (amalgam_filled(runtime, builder, tags), keys());
    Reader::waiting(name, runtime, async move |at: usize| {
        let hit = cache.try_get(keys[at].as_str()).await.expect("an answer");
        black_box(hit.expect("a hit"));
    })
}

fn amalgam_or_load(runtime: &Handle) -> Reader {
    let (cache, keys) = (amalgam_filled(runtime, Amalgam::builder(), &[]), keys());
    Reader::waiting("amalgam-cache: `get_or_set`", runtime, async move |at: usize| {
        let load = |_| async { Err::<Arc<Taxpayer>, _>(std::fmt::Error) };
        let hit = cache.get_or_set(keys[at].as_str(), amalgam::source::factory(load)).await;
        black_box(hit.expect("a hit"));
    })
}

#[hitbox_function]
async fn taxpayer(key: String) -> Result<Taxpayer, Infallible> {
    Ok(of_key(&key))
}

fn hitbox(name: &'static str, runtime: &Handle, format: impl Format + Clone + 'static) -> Reader {
    let backend = MokaBackend::builder().max_entries(CAPACITY as u64).value_format(format).build();
    let alone = ConcurrencyLimit::new(1).expect("a limit");
    let cache = hitbox_fn::Cache::builder()
        .backend(backend)
        .policy(PolicyConfig::builder().ttl(TTL).concurrency(alone).build())
        .concurrency_manager(BroadcastConcurrencyManager::new())
        .build();
    let keys = keys();
    runtime.block_on(async {
        for key in &keys {
            taxpayer(key.clone()).cache(&cache).await.expect("loaded");
            let (_, context) = taxpayer(key.clone()).cache(&cache).with_context().await;
            assert_eq!(context.status, CacheStatus::Hit);
        }
    });
    Reader::waiting(name, runtime, async move |at: usize| {
        black_box(taxpayer(keys[at].clone()).cache(&cache).await.expect("a hit"));
    })
}

fn multi_tier_filled(runtime: &Handle) -> CacheSystem {
    let config =
        MokaCacheConfig { max_capacity: CAPACITY as u64, time_to_live: TTL, time_to_idle: TTL };
    runtime.block_on(async {
        let tier = Arc::new(L1Cache::new(config).expect("a tier"));
        let builder = CacheSystemBuilder::new().with_tier(tier, TierConfig::as_l1());
        let system = builder.build().await.expect("a cache");
        for key in keys() {
            let bytes = serde_json::to_vec(&of_key(&key)).expect("JSON");
            let manager = system.cache_manager();
            let set = manager.set_with_strategy(&key, bytes.into(), CacheStrategy::Custom(TTL));
            set.await.expect("stored");
        }
        system
    })
}

fn multi_tier(runtime: &Handle) -> Reader {
    let (system, keys) = (multi_tier_filled(runtime), keys());
    Reader::waiting("multi-tier-cache: `get_typed`", runtime, async move |at: usize| {
        let hit: Option<Taxpayer> =
            system.cache_manager().get_typed(&keys[at]).await.expect("an answer");
        black_box(hit.expect("a hit"));
    })
}

fn multi_tier_bytes(runtime: &Handle) -> Reader {
    let (system, keys) = (multi_tier_filled(runtime), keys());
    Reader::waiting("multi-tier-cache: `get`, bytes only", runtime, async move |at: usize| {
        let hit = system.cache_manager().get(&keys[at]).await.expect("an answer");
        black_box(hit.expect("a hit"));
    })
}

#[cached_function(
    max_size = 20_000,
    ttl_secs = 3_600,
    key = "String",
    convert = { key.to_owned() },
    sync_writes = "by_key"
)]
async fn shared_taxpayer(key: &str) -> Arc<Taxpayer> {
    Arc::new(of_key(key))
}

fn function(runtime: &Handle) -> Reader {
    let keys = keys();
    runtime.block_on(async {
        for key in &keys {
            shared_taxpayer(key).await;
        }
        assert_eq!(SHARED_TAXPAYER.read().await.len(), keys.len());
    });
    let name = "cached: a `#[cached(sync_writes = \"by_key\")]` function";
    Reader::waiting(name, runtime, async move |at: usize| {
        black_box(shared_taxpayer(&keys[at]).await);
    })
}
