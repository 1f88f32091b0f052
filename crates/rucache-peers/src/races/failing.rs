//! Loads that panic, ask for themselves, or do not end.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::{Race, Threads, Time, Verdict, becomes_free};
use crate::{Caller, Ended, LoadFailed};

const CALLERS: usize = 10;

pub(super) const PANIC: Race = Race {
    name: "a loader that panics: one load for all who wait, each gets an answer, the key is free",
    provoked: "10 callers ask for one key with loaders that panic; the load is held until all of them wait; then later callers ask, with a loader that works.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| {
        async move {
            let source = &stage.source;
            let callers: Vec<Caller> =
                (0..CALLERS).map(|caller| stage.call(source.panics(caller))).collect();
            stage.settle().await;
            source.open();
            let ended = join_all(callers.into_iter().map(Caller::ended)).await;
            let waiting = ended.iter().filter(|ended| **ended == Ended::Waits).count();
            let loads = source.callers().len();
            let free = becomes_free(&stage).await;
            Ok(Verdict::unless((waiting, loads) == (0, 1) && free.is_ok(), || {
                let later = free.map_or_else(|ended| ended.to_string(), |()| "a value".to_owned());
                format!(
                    "loads: {loads} for {CALLERS} callers, of whom {waiting} got no answer; \
                     a later caller got {later}"
                )
            }))
        }
        .boxed()
    },
};

pub(super) const RECURSION: Race = Race {
    name: "a loader that asks for its own key gets an answer",
    provoked: "The loader of a key asks the cache for the same key, with a loader that works, and passes on what it gets; where a cache can be told, loads may take half a second.",
    threads: Threads::One,
    time: Time::ShortWhereTold,
    run: |stage| {
        async move {
            stage.source.open();
            let inner = stage.clone();
            let load = stage.source.then(0, move || {
                let inner = inner.clone();
                async move {
                    let load = inner.source.gives(1, "inner");
                    inner.peer.get_or_load(&inner.key, load).await.map_err(LoadFailed)
                }
            });
            let ended = stage.call(load).ended().await;
            Ok(Verdict::unless(ended != Ended::Waits, || ended.to_string()))
        }
        .boxed()
    },
};

pub(super) const NEVER_ENDS: Race = Race {
    name: "a loader that never ends: its caller gets an answer in time, and the key becomes free",
    provoked: "The cache is told that loads may take half a second; a loader never ends; afterwards callers ask with a loader that works, until one gets a value, for 5 s.",
    threads: Threads::One,
    time: Time::Short,
    run: |stage| {
        async move {
            stage.source.open();
            let ended = stage.call(stage.source.never(0)).ended().await;
            if ended == Ended::Waits {
                return Ok(Verdict::Fails(format!("the caller got {ended}")));
            }
            let free = becomes_free(&stage).await;
            Ok(Verdict::unless(free.is_ok(), || {
                let later = free.map_or_else(|ended| ended.to_string(), |()| String::new());
                format!("the caller got {ended}; a later caller got {later}")
            }))
        }
        .boxed()
    },
};

/// How long the caller who gives up waits.
const CALLERS_OWN: Duration = Duration::from_millis(100);

pub(super) const CALLER_GIVES_UP: Race = Race {
    name: "a caller gives up on a loader that never ends: the key becomes free",
    provoked: "A loader never ends and its caller waits under a timeout of its own, a tenth of a second; when that has dropped the call, callers ask with a loader that works, until one gets a value, for 5 s; where a cache can be told, loads may take half a second.",
    threads: Threads::One,
    time: Time::ShortWhereTold,
    run: |stage| {
        async move {
            stage.source.open();
            let (peer, key) = (stage.peer.clone(), stage.key.clone());
            let load = stage.source.never(0);
            let call = stage.task(async move {
                let call = peer.get_or_load(&key, load);
                tokio::time::timeout(CALLERS_OWN, call)
                    .await
                    .unwrap_or_else(|_| Err("gave up".to_owned()))
            });
            let gave_up = call.ended().await;
            let free = becomes_free(&stage).await;
            Ok(Verdict::unless(free.is_ok(), || {
                let later = free.map_or_else(|ended| ended.to_string(), |()| String::new());
                format!("the caller got {gave_up}; a later caller got {later}")
            }))
        }
        .boxed()
    },
};
