//! Callers that leave before their answer comes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use rucache_core::{BackendExt, Ttl};
use rucache_memcached::MemcachedBackend;
use rucache_testkit::{Memcached, MemcachedOptions};

use crate::rig::{Tally, key, open, value_of};

/// Calls that are left, in all.
const CALLS: u64 = 20_000;
const CALLERS: u64 = 16;

/// Polls `call` so many times at most, and leaves it.
async fn leave_after<T>(polls: u64, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = polled {
            return Some(answer);
        }
        tokio::task::yield_now().await;
    }
    None
}

async fn leave_calls(backend: Arc<MemcachedBackend>, caller: u64) -> Tally {
    let mut tally = Tally::default();
    for round in 0..CALLS / CALLERS {
        let own = key(format!("ruc_{}", (round * 7 + caller) % 64));
        let polls = (round + caller) % 5;
        if round.is_multiple_of(8) {
            leave_after(polls, backend.set(&own, value_of(&own), Ttl::LONG)).await;
        } else if let Some(Ok(Some(stored))) = leave_after(polls, backend.get(&own)).await {
            tally.wrong += u64::from(stored.value != value_of(&own));
        }
        if round.is_multiple_of(16) {
            // Somebody stays, and must not be told what those who left asked for.
            tally.read(&backend, &key(format!("ruc_{}", (round + caller) % 64))).await;
        }
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_answers_of_cancelled_calls_meet_nobody() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=5s&connect_timeout=5s");
    for number in 0..64 {
        let key = key(format!("ruc_{number}"));
        assert!(backend.set(&key, value_of(&key), Ttl::LONG).await.is_ok());
    }
    let leave = |caller| tokio::spawn(leave_calls(backend.clone(), caller));
    let mut tally = Tally::default();
    for caller in (0..CALLERS).map(leave).collect::<Vec<_>>() {
        tally.add(caller.await.unwrap());
    }
    assert_eq!((tally.wrong, tally.misses), (0, 0), "{tally:?}");
    assert_eq!(tally.errors, [], "nobody who stays pays for those who leave");
    assert_eq!(tally.hits, (CALLS / CALLERS).div_ceil(16) * CALLERS);
    for number in 0..64 {
        tally.read(&backend, &key(format!("ruc_{number}"))).await;
    }
    assert_eq!((tally.wrong, tally.misses, tally.errors.len()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caller_that_leaves_hands_its_place_on() {
    let server = Memcached::start(MemcachedOptions::default());
    let backend = open(&server.address(), "timeout=5s");
    let key = key("ruc_20131312955");
    assert!(backend.set(&key, value_of(&key), Ttl::LONG).await.is_ok());
    server.pause();
    // The first ones take the lanes, the others wait behind them; the first ones leave.
    let read = || {
        let (backend, key) = (backend.clone(), key.clone());
        tokio::spawn(async move { backend.get(&key).await })
    };
    let first: Vec<_> = (0..4).map(|_| read()).collect();
    tokio::task::yield_now().await;
    let others: Vec<_> = (0..16).map(|_| read()).collect();
    for call in first {
        call.abort();
    }
    server.resume();
    for call in others {
        let stored = call.await.unwrap().unwrap().unwrap();
        assert_eq!(stored.value, value_of(&key));
    }
}
