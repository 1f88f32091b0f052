//! Reads per second of one caller and of 256, beside the bare client, on a memcached of its own.
//!
//! `cargo run --release -p rucache-memcached --example coalescing`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memcache::exp::AsyncMetaClient;
use rucache_core::{Backend, BackendExt, Companions, Key, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};
use tokio::time::Instant;

const SPAN: Duration = Duration::from_millis(700);
const KEYS: u64 = 1_000;
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = Arc::new(MemcachedBackend::open(&(server.url() + "?timeout=5s"))?);
    let raw = AsyncMetaClient::builder().max_connections(Some(16)).max_idle(16);
    let raw = raw.connect_async(server.address()).await?;
    let keys = (0..KEYS).map(|number| Key::parse(&format!("migo:ruc_{}", 20_100_000_000 + number)));
    let keys: Arc<[Key]> = keys.collect::<Result<Vec<_>, _>>()?.into();
    for key in keys.iter() {
        backend.set(key, vec![b'x'; 500].into(), Ttl::LONG).await?;
    }
    for callers in [1, 256] {
        let mut figures: [Vec<u64>; 3] = Default::default();
        // Interleaved, so that what else the machine does meets all of them.
        for _ in 0..ROUNDS {
            let (client, names) = (raw.clone(), keys.clone());
            let bare = move |at: usize| {
                let (client, names) = (client.clone(), names.clone());
                async move {
                    let got = client.get(names[at].as_str()).send().await;
                    assert!(got.is_ok_and(|got| got.hit()));
                }
            };
            figures[0].push(rate(callers, bare).await);
            for (place, companions) in [(1, Companions::None), (2, Companions::Markers)] {
                let (backend, keys) = (backend.clone(), keys.clone());
                let adapter = move |at: usize| {
                    let (backend, keys) = (backend.clone(), keys.clone());
                    async move {
                        let got = backend.get_many(&keys[at..=at], companions).await;
                        assert!(matches!(&got[..], [Ok(got)] if got.entry.is_some()));
                    }
                };
                figures[place].push(rate(callers, adapter).await);
            }
        }
        for (who, mut figures) in
            ["bare client", "adapter", "adapter, with markers"].into_iter().zip(figures)
        {
            figures.sort_unstable();
            let [least, .., most] = figures[..] else { continue };
            let median = figures[figures.len() / 2];
            println!("{callers:>3} callers  {who:<22} {median:>7} reads/s ({least} to {most})");
        }
    }
    Ok(())
}

/// Reads per second of so many callers.
async fn rate<F, R>(callers: usize, read: F) -> u64
where
    F: Fn(usize) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let (done, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + SPAN);
    let caller = |caller: usize| {
        let (read, done) = (read.clone(), done.clone());
        tokio::spawn(async move {
            let (mut at, mut count) = (caller * 7, 0);
            while Instant::now() < end {
                read(at % 1_000).await;
                at += 1;
                count += 1;
            }
            done.fetch_add(count, Ordering::Relaxed);
        })
    };
    for caller in (0..callers).map(caller).collect::<Vec<_>>() {
        drop(caller.await);
    }
    done.load(Ordering::Relaxed) * 1_000 / 700
}
