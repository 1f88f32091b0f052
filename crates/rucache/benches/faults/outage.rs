//! An outage of the shared tier, whatever its cause: no read fails, calls are hardly slower, and it
//! is over two seconds after its cause is.

use std::time::Duration;

use rucache::Cache;
use rucache::core::Count;
use rucache::core::observer::TierResult;
use rucache::engine::Written;
use rucache::{ServiceName, Ttl};

use crate::arena::{Arena, Context, Site, open, pause, until};
use crate::crowd::{Crowd, NAMES};
use crate::report::{Report, percentile, shown};

/// How an outage begins and ends, and what it is held against.
pub(crate) struct Outage {
    /// Begins it.
    pub(crate) begin: fn(&Arena),
    /// Ends it.
    pub(crate) end: fn(&Arena),
    pub(crate) kind: Kind,
}

/// What the outage is to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing answers: the circuit opens within a second.
    Down,
    /// Some answers do not come, or not in time.
    Flaky,
    /// It is over as soon as it has begun.
    Blip,
}

/// The most that a call may take longer until the circuit is open; noise of the machine: three times
/// that for 99 of 100 calls, ten times for all.
const UNTIL_OPEN: Duration = Duration::from_millis(50);

/// The most that 99 of 100 calls may take longer once it is open, with the same noise.
const ONCE_OPEN: Duration = Duration::from_millis(1);

/// How soon after the loss of push a copy in this process is doubted.
const UNTOLD: Duration = Duration::from_secs(3);

/// How soon it is open.
const OPENS: Duration = Duration::from_secs(1);

/// How soon after its cause an outage is over, and what a busy machine adds.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);
pub(crate) const SLACK: Duration = Duration::from_secs(1);

/// How long loads are counted afterwards, and how long everything is given to get well.
const AFTERWARDS: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(outage: &Outage, context: &Context) -> Report {
    let arena = Arena::start(context);
    let cache = arena.open().await;
    let crowd = Crowd::start(&cache, context.seed);
    let alone = open(Site::Memory, "memory://").await;
    let control = Crowd::start_missing(&alone, context.seed);
    crowd.warm().await;
    let troubles = troubles(&cache);
    crowd.fault(true);
    control.fault(true);
    (outage.begin)(&arena);
    let patience = if outage.kind == Kind::Down { OPENS + UNTOLD } else { OPENS };
    let opened = opened_after(&cache, patience).await;
    if outage.kind != Kind::Blip {
        pause(context.span).await;
    }
    crowd.fault(false);
    control.fault(false);
    (outage.end)(&arena);
    let recovery = recovered(&cache).await;
    // Nothing that the server still has, or gets, is loaded twice from now on.
    let loads = crowd.loads();
    pause(AFTERWARDS).await;
    let herd = crowd.loads() - loads;
    let counted = self::troubles(&cache) > troubles;
    let samples = crowd.end().await;
    let without = percentile(&control.end().await.unaware, 99).unwrap_or_default();
    let once_open = percentile(&samples.aware, 99);
    let until_open = (percentile(&samples.unaware, 99), samples.unaware.iter().max().copied());
    let mut report = samples.report();
    report.recovery = recovery;
    report.must_be_right();
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}, not within {RECOVERY:?}")
    });
    report.must(herd <= NAMES, || format!("{herd} loads of {NAMES} names after the outage"));
    if outage.kind == Kind::Down {
        report.must(counted, || "no counter has moved".to_owned());
        // Copies answer for the server until they are doubted: nobody asks it before.
        let copies = if context.site == Site::Redis { UNTOLD } else { Duration::ZERO };
        report.must(opened.is_some_and(|after| after <= OPENS + copies), || {
            format!("the circuit was open after {opened:?}, not within {OPENS:?}")
        });
        report.must(once_open.is_some_and(|span| span <= without + 3 * ONCE_OPEN), || {
            format!("99 of 100 calls took up to {once_open:?} with the circuit open, {without:?} without a server")
        });
    }
    if let (Some(p99), Some(max)) = until_open {
        report.must(p99 <= 3 * UNTIL_OPEN && max <= 10 * UNTIL_OPEN, || {
            format!("calls took up to {p99:?}, {max:?} at most, before the circuit was open")
        });
    }
    report.note = [
        report.note,
        opened.map(|after| format!("open after {}", shown(after))).unwrap_or_default(),
        once_open
            .map(|span| format!("then p99 {}, without a server {}", shown(span), shown(without)))
            .unwrap_or_default(),
    ]
    .join(" ")
    .trim()
    .to_owned();
    report
}

/// Reads of the shared tier that it did not answer.
fn troubles(cache: &Cache) -> u64 {
    let counted = |result| Count::SharedRead(result);
    let kinds = [TierResult::Error, TierResult::Timeout, TierResult::Skipped].map(counted);
    let stats = cache.stats();
    stats.iter().map(|(_, counts)| kinds.iter().map(|kind| counts[*kind]).sum::<u64>()).sum()
}

async fn opened_after(cache: &Cache, patience: Duration) -> Option<Duration> {
    let clock = cache.runtime();
    let began = clock.now();
    let opened = until(patience, || !cache.health().nodes_down.is_empty()).await;
    opened.then(|| clock.now().since(began))
}

/// How long it takes until changes are confirmed again, several in a row, and nothing is known to be
/// down.
pub(crate) async fn recovered(cache: &Cache) -> Option<Duration> {
    let clock = cache.runtime().clone();
    let (began, mut first, mut in_a_row) = (clock.now(), None, 0);
    let own = cache.service(&ServiceName::from_static("probes"));
    while clock.now().since(began) < PATIENCE {
        let at = clock.now();
        let done = matches!(own.set("probe", &at.as_nanos(), Ttl::SHORT).await, Ok(Written::Done));
        if done && cache.health().nodes_down.is_empty() {
            first = first.or(Some(at.since(began)));
            in_a_row += 1;
        } else {
            (first, in_a_row) = (None, 0);
        }
        if in_a_row >= 10 {
            return first;
        }
        pause(Duration::from_millis(10)).await;
    }
    None
}
