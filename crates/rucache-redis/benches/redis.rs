//! Reads through the backend, beside the same reads through the bare client, on one server.

use std::hint::black_box;
use std::sync::Arc;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use rucache_core::{Backend, BackendExt, Companions, Key, Ttl};
use rucache_redis::RedisBackend;
use rucache_testkit::{KEYS, Reads, RedisOptions, RedisServer, VALUE_LEN, compare_reads};

fn main() {
    let server = RedisServer::start(RedisOptions::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let readers = runtime.block_on(readers(&server.url()));
    println!("<!-- begin redis -->\n{}\n<!-- end redis -->", compare_reads(&runtime, &readers));
}

async fn readers(url: &str) -> [Reads; 3] {
    let backend = RedisBackend::open(&format!("{url}?timeout=5s")).await.expect("a backend");
    let backend = Arc::new(backend);
    let client = redis::Client::open(format!("{url}/?protocol=resp3")).expect("a URL");
    let mut raw = client.get_multiplexed_async_connection().await.expect("a connection");
    let key = |at| Key::parse(&format!("migo:ruc_{}", 20_000_000_000 + at)).expect("a key");
    let keys: Arc<[Key]> = (0..KEYS).map(key).collect();
    let names: Arc<[String]> = keys.iter().map(|key| format!("raw:{}", key.name())).collect();
    let value = vec![b'x'; VALUE_LEN];
    for (key, name) in keys.iter().zip(names.iter()) {
        backend.set(key, value.clone().into(), Ttl::LONG).await.expect("set");
        let () = raw.set(name, &value[..]).await.expect("set");
    }
    [
        bare(raw, names),
        ours("rucache-redis: entries", backend.clone(), keys.clone(), Companions::None),
        ours("rucache-redis: entries with their markers", backend, keys, Companions::Markers),
    ]
}

fn bare(raw: MultiplexedConnection, names: Arc<[String]>) -> Reads {
    let (batch, all) = (raw.clone(), names.clone());
    let one = move |at: usize| {
        let (mut raw, names) = (raw.clone(), names.clone());
        async move {
            let value: Vec<u8> = raw.get(&names[at]).await.expect("an answer");
            assert_eq!(black_box(value).len(), VALUE_LEN);
        }
    };
    let all = move || {
        let (mut raw, names) = (batch.clone(), all.clone());
        async move {
            let values: Vec<Vec<u8>> = raw.mget(&names[..]).await.expect("an answer");
            assert!(black_box(values).iter().all(|value| value.len() == VALUE_LEN));
        }
    };
    Reads::new("the bare client", one, all)
}

fn ours(name: &str, backend: Arc<RedisBackend>, keys: Arc<[Key]>, companions: Companions) -> Reads {
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

async fn read(backend: &RedisBackend, keys: &[Key], companions: Companions) {
    for answer in black_box(backend.get_many(keys, companions).await) {
        let entry = answer.expect("an answer").entry.expect("an entry");
        assert_eq!(entry.value.len(), VALUE_LEN);
    }
}
