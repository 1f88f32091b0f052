//! Changes are not told for a while: copies in this process are good for two seconds, and true again
//! when changes are told again.

use std::time::Duration;

use rucache::engine::{PushState, Written};
use rucache::{Cache, Ttl};
use rucache_testkit::{Connections, Fault};

use crate::arena::{Arena, Context, pause, until};
use crate::crowd::name;
use crate::outage::{RECOVERY, SLACK};
use crate::report::{Report, shown};

/// How old a copy may be without push; silence is noticed after a heartbeat and its time limit.
const BOUND: Duration = Duration::from_secs(3);

/// How long it is lost.
const LOST: Duration = Duration::from_secs(10);

/// Names that are copied.
const COPIES: u64 = 50;

pub(crate) async fn lost(context: Context) -> Report {
    let arena = Arena::start(&context);
    // One behind the proxy, and one that stays in touch and changes.
    let behind = arena.open().await;
    let direct = format!("redis://127.0.0.1:{}?timeout=2s", arena.server.redis().port());
    let writer = crate::arena::open(context.site, &direct).await;
    let mut report = Report::default();
    let patience = Duration::from_secs(10);
    let trusted = |cache: &Cache| cache.health().push == PushState::Trusted;
    report.must(until(patience, || trusted(&behind)).await, || "push never began".to_owned());
    let clock = writer.runtime().clone();
    let mut version = 0_u64;
    write(&writer, version).await;
    read_all(&behind).await;
    let began = clock.now();
    // Everything but what is new: the data connections are made again, push as well, and is silent.
    arena.proxy.set(Fault::BlackHole(Connections::All));
    let mut changed = clock.now();
    while clock.now().since(began) < LOST {
        let old = version;
        version += 1;
        write(&writer, version).await;
        let before = std::mem::replace(&mut changed, clock.now());
        pause(Duration::from_millis(500)).await;
        for seen in read_all(&behind).await.into_iter().flatten() {
            report.reads += 1;
            let late = seen < old && clock.now().since(before) > BOUND;
            report.wrong += u64::from(late);
        }
    }
    let state = behind.health().push;
    report.must(state == PushState::Lost, || format!("push is {state:?} all the same"));
    arena.heal();
    let healed = clock.now();
    let back = until(patience, || trusted(&behind)).await;
    let recovery = clock.now().since(healed);
    report.recovery = back.then_some(recovery);
    report.must(back && recovery <= RECOVERY + SLACK, || format!("back after {recovery:?}"));
    let stale =
        read_all(&behind).await.into_iter().flatten().filter(|seen| *seen < version).count();
    report.must(stale == 0, || format!("{stale} copies from before once push was back"));
    write(&writer, version + 1).await;
    let told = clock.now();
    // The last one written is the last one told.
    let last = name(COPIES - 1);
    while !matches!(behind.get::<u64>(&last[..]).await, Ok(Some(seen)) if seen > version)
        && clock.now().since(told) < BOUND
    {
        pause(Duration::from_millis(1)).await;
    }
    let told = clock.now().since(told);
    report.must(told < Duration::from_millis(500), || format!("told after {told:?}"));
    report.must_be_right();
    report.note = format!("told after {}", shown(told));
    report
}

async fn write(writer: &Cache, version: u64) {
    for number in 0..COPIES {
        let written = writer.set(&name(number)[..], &version, Ttl::MEDIUM).await;
        assert!(matches!(written, Ok(Written::Done)), "{written:?}");
    }
}

async fn read_all(cache: &Cache) -> Vec<Option<u64>> {
    let mut all = Vec::new();
    for number in 0..COPIES {
        all.push(cache.get::<u64>(&name(number)[..]).await.unwrap());
    }
    all
}
