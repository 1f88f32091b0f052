//! Reads through the backend, beside the same reads through the bare client, on one server.

use std::hint::black_box;
use std::sync::Arc;

use memcache::exp::{AsyncMetaClient, Get, Op, OpResult};
use rucache_core::{Backend, BackendExt, Companions, Key, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{KEYS, Memcached, MemcachedOptions, Reads, VALUE_LEN, compare_reads};

fn main() {
    let server = Memcached::start(MemcachedOptions::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let readers = runtime.block_on(readers(&server));
    println!(
        "<!-- begin memcached -->\n{}\n<!-- end memcached -->",
        compare_reads(&runtime, &readers)
    );
}

async fn readers(server: &Memcached) -> [Reads; 3] {
    let backend = MemcachedBackend::open(&format!("{}?timeout=5s", server.url()));
    let backend = Arc::new(backend.expect("a backend"));
    // Capped: uncapped, the bare client fails under many callers.
    let raw = AsyncMetaClient::builder().max_connections(Some(16)).max_idle(16);
    let raw = raw.connect_async(server.address()).await.expect("a client");
    let key = |at| Key::parse(&format!("migo:ruc_{}", 20_000_000_000 + at)).expect("a key");
    let keys: Arc<[Key]> = (0..KEYS).map(key).collect();
    let names: Arc<[String]> = keys.iter().map(|key| format!("raw:{}", key.name())).collect();
    let value = vec![b'x'; VALUE_LEN];
    for (key, name) in keys.iter().zip(names.iter()) {
        backend.set(key, value.clone().into(), Ttl::LONG).await.expect("set");
        raw.set(name.as_str(), &value[..]).send().await.expect("set");
    }
    [
        bare(raw, names),
        ours("rucache-memcached: entries", backend.clone(), keys.clone(), Companions::None),
        ours("rucache-memcached: entries with their markers", backend, keys, Companions::Markers),
    ]
}

fn bare(raw: AsyncMetaClient, names: Arc<[String]>) -> Reads {
    let (batch, all) = (raw.clone(), names.clone());
    let one = move |at: usize| {
        let (raw, names) = (raw.clone(), names.clone());
        async move {
            let got = raw.get(names[at].as_str()).send().await.expect("an answer");
            assert!(black_box(got).hit());
        }
    };
    let all = move || {
        let (raw, names) = (batch.clone(), all.clone());
        async move {
            let gets = names.iter().map(|name| Op::from(Get::new(name.as_bytes())));
            let results = raw.run_many(gets).await.expect("answers");
            let hit = |result: &Result<OpResult, _>| matches!(result, Ok(OpResult::Get(got)) if got.hit());
            assert!(black_box(results).iter().all(hit));
        }
    };
    Reads::new("the bare client", one, all)
}

fn ours(
    name: &str,
    backend: Arc<MemcachedBackend>,
    keys: Arc<[Key]>,
    companions: Companions,
) -> Reads {
    let (batch, all) = (backend.clone(), keys.clone());
    let one = move |at: usize| {
        let (backend, keys) = (backend.clone(), keys.clone());
        async move { read(&backend, &keys[at..=at], companions).await }
    };
    let all = move || {
        let (backend, keys) = (batch.clone(), all.clone());
        async move { read(&backend, &keys, companions).await }
    };
    Reads::new(name, one, all)
}

async fn read(backend: &MemcachedBackend, keys: &[Key], companions: Companions) {
    for answer in black_box(backend.get_many(keys, companions).await) {
        let entry = answer.expect("an answer").entry.expect("an entry");
        assert_eq!(entry.value.len(), VALUE_LEN);
    }
}
