//! Callers that leave while answers are late: nobody else gets what was theirs.

use std::sync::Arc;
use std::time::Duration;

use rucache::Accept;
use rucache_testkit::Fault;
use tokio::task::JoinSet;

use crate::arena::{Arena, Context};
use crate::chance::Chance;
use crate::crowd::{NAMES, name, read, value};
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::Report;

/// Calls that are cancelled, and how many are under way at a time.
const CALLS: u64 = 20_000;
const AT_ONCE: usize = 200;

pub(crate) async fn cancelled(context: Context) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let loads = Arc::default();
    for number in 0..NAMES {
        read(&cache, number, &loads).await.unwrap();
    }
    let (shortest, longest) = (Duration::from_millis(1), Duration::from_millis(15));
    arena.proxy.set(Fault::Delay { shortest, longest, one_in: 1 });
    let mut chance = Chance::new(context.seed);
    let mut calls = JoinSet::new();
    let mut report = Report::default();
    for _ in 0..CALLS {
        if calls.len() >= AT_ONCE {
            calls.join_next().await.unwrap().unwrap();
        }
        let (cache, number) = (cache.clone(), chance.below(NAMES));
        let patience = Duration::from_micros(chance.below(12_000));
        calls.spawn(async move {
            let name = name(number);
            let call = cache.read::<String>(&name[..], Accept::Fresh);
            // Most do not end: that is the fault.
            let _ = tokio::time::timeout(patience, call).await;
        });
    }
    calls.join_all().await;
    arena.heal();
    report.recovery = recovered(&cache).await;
    for round in 0..5 {
        for number in 0..NAMES {
            let read = read(&cache, (number * 7 + round) % NAMES, &loads).await;
            report.reads += 1;
            report.failed += u64::from(read.is_err());
            report.wrong +=
                u64::from(read.is_ok_and(|read| read != value((number * 7 + round) % NAMES)));
        }
    }
    report.must_be_right();
    let recovery = report.recovery;
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    report
}
