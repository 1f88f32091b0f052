//! Beginning while the server is down, and coming back to one that was restarted.

use std::time::Duration;

use rucache_testkit::Fault;

use crate::arena::{Arena, Context, pause};
use crate::crowd::{Crowd, NAMES, read, value};
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::{Report, shown};

/// How soon a cache is ready whatever its server does.
const READY: Duration = Duration::from_secs(1);

pub(crate) async fn down_at_start(context: Context) -> Report {
    let arena = Arena::start(&context);
    arena.proxy.set(Fault::Refuse);
    let began = tokio::time::Instant::now();
    let cache = arena.open().await;
    let ready = began.elapsed();
    let crowd = Crowd::start(&cache, context.seed);
    crowd.fault(true);
    pause(context.span).await;
    crowd.fault(false);
    arena.heal();
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(ready <= READY, || format!("ready after {ready:?}"));
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("joined after {recovery:?}")
    });
    report.note = format!("{} ready after {}", report.note, shown(ready)).trim().to_owned();
    report
}

pub(crate) async fn idle_over_a_restart(context: Context) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let mut report = Report::default();
    let loads = std::sync::Arc::default();
    let clock = cache.runtime().clone();
    for (round, restarted) in [(0, false), (1, true)] {
        if restarted {
            arena.server.restart();
            pause(context.span).await;
        }
        for number in 0..NAMES {
            let began = clock.now();
            let read = read(&cache, number, &loads).await;
            report.reads += 1;
            report.failed += u64::from(read.is_err());
            report.wrong += u64::from(read.is_ok_and(|read| read != value(number)));
            if round == 1 {
                report.took.push(clock.now().since(began));
            }
        }
    }
    report.must_be_right();
    report.recovery = recovered(&cache).await;
    let recovery = report.recovery;
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    report
}
