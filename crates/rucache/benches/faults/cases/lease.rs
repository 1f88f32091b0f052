//! Leases that are lost: by the server that granted them, or on the way to whoever asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache::core::{Key, KeyCodec};
use rucache::{ServiceName, Ttl};
use rucache_testkit::Fault;

use crate::arena::{Arena, Context, pause};
use crate::crowd::{name, read, value};
use crate::report::{Report, shown};

pub(crate) async fn lease_evicted(context: Context) -> Report {
    let arena = Arena::start(&context);
    let (cache, redis) = (arena.open().await, arena.server.redis());
    let mut report = Report::default();
    let key = Key::new(&ServiceName::default(), &name(1)).unwrap();
    let lease = KeyCodec::default().lease(&key).as_str().to_owned();
    let loads = Arc::new(AtomicU64::new(0));
    // The first load of all makes the markers.
    read(&cache, 0, &loads).await.unwrap();
    let begun = loads.load(Ordering::Relaxed);
    let (counted, admin) = (loads.clone(), lease.clone());
    let load = move || async move {
        counted.fetch_add(1, Ordering::Relaxed);
        pause(Duration::from_millis(300)).await;
        Ok::<_, std::io::Error>(value(1))
    };
    let (loading, evicted) = tokio::join!(
        async {
            let name = name(1);
            cache.get_or_load(&name[..], Ttl::MEDIUM, load).await
        },
        async {
            pause(Duration::from_millis(150)).await;
            redis.command(&["DEL", &admin])
        }
    );
    report.must(evicted == "1", || format!("there was no lease {lease}"));
    report.must(matches!(&loading, Ok(read) if *read == value(1)), || format!("{loading:?}"));
    let again = read(&cache, 1, &loads).await;
    report.must(matches!(&again, Ok(read) if *read == value(1)), || format!("{again:?}"));
    let loads = loads.load(Ordering::Relaxed) - begun;
    report.must(loads == 2, || format!("{loads} loads: a fill was taken without its lease"));
    report.reads = 2;
    report
}

/// How many answers are tried as the one that gets lost: those of one load, and some more.
const ANSWERS: u64 = 6;

/// Longer than a call to the server may take.
const LATE: Duration = Duration::from_millis(80);

/// The most that a call may take: a few calls to the server, each within its limit, on a busy
/// machine.
const PATIENCE: Duration = Duration::from_millis(500);

/// One answer of those to a load comes too late, another one each time: whatever it was, the next
/// caller does not wait for a load that nobody is at.
pub(crate) async fn answer_lost(context: Context) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let loads = Arc::default();
    let mut report = Report::default();
    let clock = cache.runtime().clone();
    // The first load of all makes the markers.
    read(&cache, 0, &loads).await.unwrap();
    for lost in 1..=ANSWERS {
        for round in 0..5 {
            let number = lost * 100 + round;
            arena.proxy.set(Fault::stall(LATE, lost));
            for pass in ["with a lost answer", "after it"] {
                let began = clock.now();
                let read = read(&cache, number, &loads).await;
                let took = clock.now().since(began);
                report.reads += 1;
                report.failed += u64::from(read.is_err());
                report.wrong += u64::from(read.is_ok_and(|read| read != value(number)));
                report.must(took <= PATIENCE, || {
                    format!("answer {lost} lost: a call {pass} took {}", shown(took))
                });
                report.took.push(took);
                arena.heal();
            }
            // What came late is no part of the next round.
            pause(LATE).await;
        }
    }
    report.must_be_right();
    report
}
