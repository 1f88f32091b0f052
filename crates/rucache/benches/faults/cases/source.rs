//! Faults of the source, crowds at it, and changes while it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache::engine::Written;
use rucache::{Accept, Cache, CacheError, LoadError, Loaded, Policy, Ttl};
use tokio::task::JoinSet;

use super::limits::any;
use crate::arena::{Context, pause};
use crate::report::Report;

/// Callers at once.
const CALLERS: u64 = 10_000;

/// What nobody waits longer for: the hard timeout, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_secs(13);

/// How a loader misbehaves.
#[derive(Debug, Clone, Copy)]
enum Bad {
    Panics,
    Hangs,
    /// The one who began it leaves.
    IsLeft,
}

pub(crate) async fn bad_loaders(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    for bad in [Bad::Panics, Bad::Hangs, Bad::IsLeft] {
        let loads = Arc::new(AtomicU64::new(0));
        let name = format!("{bad:?}");
        let ask = || {
            let (cache, loads, name) = (cache.clone(), loads.clone(), name.clone());
            async move {
                let load = move || async move {
                    loads.fetch_add(1, Ordering::Relaxed);
                    match bad {
                        Bad::Panics => {
                            pause(Duration::from_millis(200)).await;
                            std::panic::resume_unwind(Box::new("as it should"))
                        }
                        Bad::Hangs => std::future::pending().await,
                        Bad::IsLeft => pause(Duration::from_millis(200)).await,
                    }
                    Ok::<_, std::io::Error>(1_u64)
                };
                cache.get_or_load(&name[..], Ttl::MEDIUM, load).await
            }
        };
        let mut callers = JoinSet::new();
        let first = callers.spawn(ask());
        if matches!(bad, Bad::IsLeft) {
            until_one(&loads).await;
            first.abort();
        }
        for _ in 1..CALLERS {
            callers.spawn(ask());
        }
        let all = tokio::time::timeout(PATIENCE, async {
            let mut answers = Vec::new();
            while let Some(answer) = callers.join_next().await {
                answers.extend(answer);
            }
            answers
        });
        let Ok(answers) = all.await else {
            report.must(false, || format!("{bad:?}: some wait for ever"));
            continue;
        };
        report.reads += answers.len() as u64;
        let expected = |answer: &Result<u64, CacheError>| match (bad, answer) {
            (Bad::Panics, Err(CacheError::Load(LoadError::Panicked))) => true,
            // The failure may have been told by another reader's flight.
            (Bad::Panics, Err(CacheError::Load(LoadError::FailedElsewhere))) => true,
            (Bad::Hangs, Err(CacheError::Load(LoadError::DeadlinePassed { .. }))) => true,
            (Bad::IsLeft, Ok(1)) => true,
            _ => false,
        };
        let others = answers.iter().find(|answer| !expected(answer));
        report.must(others.is_none(), || format!("{bad:?}: {others:?}"));
        let loads = loads.load(Ordering::Relaxed);
        report.must(loads <= 2, || format!("{bad:?}: {loads} loads"));
        let held = cache.health();
        report.must(held.loads == 0 && held.stuck_keys == 0, || format!("{bad:?}: {held:?}"));
    }
    report
}

async fn until_one(loads: &AtomicU64) {
    while loads.load(Ordering::Relaxed) == 0 {
        pause(Duration::from_millis(1)).await;
    }
}

pub(crate) async fn source_down(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    let policy = Policy::exact(Ttl::millis(50)).with_stale(Ttl::secs(60));
    cache.set("kept", &7_u64, policy).await.unwrap();
    pause(Duration::from_millis(100)).await;
    let calls = Arc::new(AtomicU64::new(0));
    let ask = |name: &'static str| {
        let (cache, calls) = (cache.clone(), calls.clone());
        async move {
            let load = move || async move {
                calls.fetch_add(1, Ordering::Relaxed);
                Err::<u64, _>(std::io::Error::other("503"))
            };
            cache.get_or_load(name, policy, load).await
        }
    };
    let clock = cache.runtime().clone();
    let began = clock.now();
    while clock.now().since(began) < context.span {
        for name in ["kept", "unknown"] {
            let answer = ask(name).await;
            report.reads += 1;
            match (name, &answer) {
                ("kept", Ok(7)) | ("unknown", Err(CacheError::Load(_))) => {}
                ("kept", Ok(_)) => report.wrong += 1,
                _ => report.failed += 1,
            }
        }
        pause(Duration::from_millis(5)).await;
    }
    report.must_be_right();
    // One, then after 1 s, 2 s, 4 s: of two names.
    let most = 2 * (2 + u64::from((context.span.as_millis() / 1_000).ilog2()));
    let calls = calls.load(Ordering::Relaxed);
    report.must((2..=most).contains(&calls), || format!("{calls} calls in {:?}", context.span));
    let found = cache.look::<u64>("unknown", Accept::Stale).await;
    report.must(matches!(found, Ok(rucache::engine::Found::Nothing)), || {
        format!("a failed source is remembered as {found:?}")
    });
    report.note = format!("{calls} calls");
    report
}

pub(crate) async fn crowd(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    for names in [1, 1_000] {
        let loads = Arc::new(AtomicU64::new(0));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (cache, loads) = (cache.clone(), loads.clone());
            callers.spawn(async move {
                let number = caller % names;
                let name = format!("{names}_{number}");
                let load = move || async move {
                    loads.fetch_add(1, Ordering::Relaxed);
                    pause(Duration::from_millis(200)).await;
                    Ok::<_, std::io::Error>(number)
                };
                matches!(cache.get_or_load(&name[..], Ttl::MEDIUM, load).await, Ok(n) if n == number)
            });
        }
        let answers = callers.join_all().await;
        report.reads += CALLERS;
        report.failed += answers.iter().filter(|right| !**right).count() as u64;
        let loads = loads.load(Ordering::Relaxed);
        report.must(loads == names, || format!("{loads} loads of {names} names"));
    }
    report.must_be_right();
    report
}

/// What is done to an entry while it is being loaded.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Delete,
    Expire,
    Set,
    Tag,
    Clear,
    ClearAll,
}

pub(crate) async fn changed_meanwhile(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    let all = [
        Meanwhile::Delete,
        Meanwhile::Expire,
        Meanwhile::Set,
        Meanwhile::Tag,
        Meanwhile::Clear,
        Meanwhile::ClearAll,
    ];
    for (round, what) in all.into_iter().cycle().take(5 * all.len()).enumerate() {
        let name = format!("record_{round}");
        let loads = Arc::new(AtomicU64::new(0));
        let (counted, slow) = (loads.clone(), Duration::from_millis(80));
        let load = move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
            pause(slow).await;
            Ok::<_, std::io::Error>(Loaded::<String>::new("old".to_owned()).with_tags(["lima"]))
        };
        let change = async {
            until_one(&loads).await;
            change(&cache, &name, what).await
        };
        let (_, changed) = tokio::join!(cache.read_or_load(&name[..], Ttl::MEDIUM, load), change);
        report.must(matches!(changed, Ok(Written::Done)), || format!("{what:?}: {changed:?}"));
        let newer = || async { Ok::<_, std::io::Error>("new".to_owned()) };
        let read = cache.get_or_load(&name[..], Ttl::MEDIUM, newer).await;
        report.reads += 1;
        let right = matches!(&read, Ok(read) if read == "new");
        report.must(right, || format!("{what:?} is undone: {read:?}"));
    }
    report
}

async fn change(cache: &Cache, name: &str, what: Meanwhile) -> Result<Written, CacheError> {
    match what {
        Meanwhile::Delete => Ok(cache.delete(name).await?.written),
        Meanwhile::Expire => Ok(cache.expire(name).await?.written),
        Meanwhile::Set => cache.set(name, "new", Ttl::MEDIUM).await,
        Meanwhile::Tag => cache.invalidate_tag("lima").await,
        Meanwhile::Clear => cache.clear().await,
        Meanwhile::ClearAll => cache.clear_all().await,
    }
}
