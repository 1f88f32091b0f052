//! Callers at random on few keys: what a confirmed change has ended does not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache_core::{
    BackOff, Backend, BackendExt, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, Precondition, Ttl,
    Write, WriteOutcome,
};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};
use tokio::time::Instant;

use crate::rig::{key, open};

const KEYS: usize = 4;
const LOADERS: u64 = 8;
const SPAN: Duration = Duration::from_secs(4);

/// The truth behind the cache: a version for each key.
#[derive(Default)]
struct Source {
    current: [AtomicU64; KEYS],
    /// What every reader must see at least, from the moment a change is confirmed.
    confirmed: [AtomicU64; KEYS],
}

#[derive(Debug, Default)]
struct Counts {
    stored: u64,
    refused: u64,
    undone: u64,
}

/// SplitMix64: a run is repeated by its seed, as far as the scheduler allows.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % end
    }
}

fn keys() -> [Key; KEYS] {
    std::array::from_fn(|at| key(format!("ruc_{at}")))
}

/// Changes one key: the source first, then the cache, then everybody may rely on it.
async fn invalidate(backend: Arc<MemcachedBackend>, source: Arc<Source>, at: usize) -> u64 {
    let (key, mut dice, mut changes) = (&keys()[at], Dice(at as u64), 0);
    let end = Instant::now() + SPAN;
    while Instant::now() < end {
        let version = source.current[at].fetch_add(1, Ordering::SeqCst) + 1;
        let keys = std::slice::from_ref(key);
        match dice.below(3) {
            0 => backend.set(key, version.to_string().into(), Ttl::LONG).await.unwrap(),
            1 => drop(backend.delete_many(keys).await.remove(0).unwrap()),
            _ => drop(backend.expire_many(keys).await.remove(0).unwrap()),
        }
        source.confirmed[at].store(version, Ordering::SeqCst);
        changes += 1;
        for _ in 0..dice.below(6) {
            tokio::task::yield_now().await;
        }
    }
    changes
}

/// Reads, and loads where there is nothing fresh.
async fn load(backend: Arc<MemcachedBackend>, source: Arc<Source>, seed: u64) -> Counts {
    let (keys, mut dice, mut counts) = (keys(), Dice(seed), Counts::default());
    let end = Instant::now() + SPAN;
    while Instant::now() < end {
        let at = usize::try_from(dice.below(KEYS as u64)).unwrap();
        let key = &keys[at];
        let floor = source.confirmed[at].load(Ordering::SeqCst);
        let stored = backend.get(key).await.unwrap();
        if let Some(stored) = stored.as_ref().filter(|stored| !stored.stale) {
            let version: u64 = std::str::from_utf8(&stored.value).unwrap().parse().unwrap();
            counts.undone += u64::from(version < floor);
            if dice.below(4) > 0 {
                continue;
            }
        }
        let seen = stored.map(|stored| stored.version);
        let request = LeaseRequest { key: key.clone(), seen, ttl: Ttl::SHORT };
        let Lease::Granted(token) = backend.lease_many(&[request]).await.remove(0).unwrap() else {
            continue;
        };
        let loaded = source.current[at].load(Ordering::SeqCst);
        let hold = LeaseHold { key: key.clone(), token };
        for _ in 0..dice.below(8) {
            tokio::task::yield_now().await;
        }
        match dice.below(8) {
            0 => {
                let back_off = BackOff { note: "down".into(), ttl: Ttl::MIN };
                let end = LeaseEnd { hold, back_off: Some(back_off) };
                backend.release_many(&[end]).await.remove(0).unwrap();
                continue;
            }
            1 => {
                backend.release_many(&[LeaseEnd { hold, back_off: None }]).await.remove(0).unwrap();
                continue;
            }
            2 => drop(backend.renew_many(&[hold], Ttl::LONG).await.remove(0).unwrap()),
            _ => {}
        }
        let write = Write {
            key: key.clone(),
            value: loaded.to_string().into(),
            ttl: Ttl::LONG,
            when: Precondition::Lease(token),
        };
        match backend.write(write).await.unwrap() {
            WriteOutcome::Stored => counts.stored += 1,
            WriteOutcome::Refused => counts.refused += 1,
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fill_undoes_a_confirmed_change() {
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let addresses = pool.iter().map(Memcached::address).collect::<Vec<_>>().join(",");
    let source = Arc::new(Source::default());
    // Two handles, as two processes have.
    let handles = [(); 2].map(|()| open(&addresses, "timeout=10s&connect_timeout=10s"));
    let loader = |seed: u64| {
        let handle = &handles[usize::from(seed % 2 == 1)];
        tokio::spawn(load(handle.clone(), source.clone(), seed))
    };
    let loaders: Vec<_> = (0..LOADERS).map(loader).collect();
    let invalidator = |at| tokio::spawn(invalidate(handles[0].clone(), source.clone(), at));
    let invalidators: Vec<_> = (0..KEYS).map(invalidator).collect();
    let (mut counts, mut changes) = (Counts::default(), 0);
    for loader in loaders {
        let found = loader.await.unwrap();
        counts.stored += found.stored;
        counts.refused += found.refused;
        counts.undone += found.undone;
    }
    for invalidator in invalidators {
        changes += invalidator.await.unwrap();
    }
    println!("{counts:?}, {changes} changes");
    assert_eq!(counts.undone, 0, "{counts:?}, {changes} changes");
    assert!(counts.stored > 100 && counts.refused > 100 && changes > 100, "{counts:?}, {changes}");
}
