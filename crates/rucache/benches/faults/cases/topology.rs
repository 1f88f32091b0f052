//! Servers of several nodes that lose one, or change who does what.

use std::time::Duration;

use rucache::engine::Written;
use rucache::{Cache, Key, ServiceName, Ttl};
use rucache_testkit::{Memcached, MemcachedOptions, RedisCluster, RedisOptions, RedisSentinel};

use crate::arena::{Context, open, pause, until};
use crate::crowd::{Crowd, NAMES, name};
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::{Report, shown};

/// How long everything is given to get well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names enough for each shard to have some.
const SHARD_PROBES: u64 = 32;

/// What a change of the primary may take the cache longer than Sentinel.
const NOTICED: Duration = Duration::from_secs(1);

pub(crate) async fn fail_over(context: Context) -> Report {
    let servers = RedisSentinel::start(&RedisOptions::default());
    let cache = open(context.site, &servers.url()).await;
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
    crowd.fault(true);
    let mut back = Vec::new();
    for killed in [false, true] {
        if killed {
            let old = servers.primary().port();
            servers.primary().kill_9();
            servers.wait_for_other_primary(old);
        } else {
            servers.fail_over();
        }
        // Counted from where Sentinel has done its part.
        back.push(recovered(&cache).await);
    }
    crowd.fault(false);
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = back.iter().copied().max().flatten();
    report.must(back.iter().all(|span| span.is_some_and(|span| span <= NOTICED + SLACK)), || {
        format!("writes back after {back:?}")
    });
    report
}

pub(crate) async fn reshard(context: Context) -> Report {
    let servers = RedisCluster::start(&RedisOptions::default());
    let cache = open(context.site, &servers.url()).await;
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
    crowd.fault(true);
    let mut moved = 0;
    for number in 0..12 {
        let slot = servers.slot_of(&format!("default:{}", name(number)));
        let owner = servers.primary_of(&format!("default:{}", name(number))).port();
        let to = servers.nodes()[..3].iter().find(|node| node.port() != owner).unwrap();
        servers.move_slot(slot, to);
        moved += 1;
        pause(Duration::from_millis(100)).await;
    }
    crowd.fault(false);
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    report.note = format!("{} {moved} slots", report.note).trim().to_owned();
    report
}

pub(crate) async fn primary_killed(context: Context) -> Report {
    let servers = RedisCluster::start(&RedisOptions::default());
    let cache = open(context.site, &servers.url()).await;
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
    crowd.fault(true);
    servers.nodes()[0].kill_9();
    let began = tokio::time::Instant::now();
    // A replica takes its place.
    servers.wait_until_ok();
    let replaced = began.elapsed();
    // The one that was killed stays down: that every shard takes changes again is what counts.
    let recovery = confirmed(&cache).await;
    crowd.fault(false);
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    let replaced = format!("replaced after {}", shown(replaced));
    report.note = format!("{} {replaced}", report.note).trim().to_owned();
    report
}

/// How long it takes until changes at every shard are confirmed.
async fn confirmed(cache: &Cache) -> Option<Duration> {
    let clock = cache.runtime().clone();
    let began = clock.now();
    while clock.now().since(began) < PATIENCE {
        let at = clock.now();
        let values = (0..SHARD_PROBES).map(|number| (probe(number), number)).collect();
        let written = cache.set_many(values, Ttl::SHORT).await;
        if written.iter().all(|one| matches!(one, Ok(Written::Done))) {
            return Some(at.since(began));
        }
        pause(Duration::from_millis(20)).await;
    }
    None
}

fn probe(number: u64) -> Key {
    Key::new(&ServiceName::from_static("probes"), &format!("probe_{number}")).unwrap()
}

pub(crate) async fn node_dies(context: Context) -> Report {
    let pool = Memcached::start_pool(3, &MemcachedOptions::default());
    let cache = open(context.site, &Memcached::pool_url(&pool)).await;
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
    crowd.fault(true);
    let before = hits(&cache).await;
    pool[0].kill_9();
    until(Duration::from_secs(5), || !cache.health().nodes_down.is_empty()).await;
    let during = hits(&cache).await;
    pause(context.span).await;
    pool[0].restart();
    crowd.fault(false);
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    let after = hits(&cache).await;
    report.must_be_right();
    report.recovery = recovery;
    report.must(before == NAMES, || format!("{before} of {NAMES} were there before"));
    // A third, give or take what a hash of so few names does.
    report.must((NAMES / 2..NAMES * 5 / 6).contains(&during), || {
        format!("{during} of {NAMES} were there while one of three nodes was gone")
    });
    report.must(after >= during, || format!("{after} of {NAMES} are there afterwards"));
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    report.note = format!("{} {during} of {NAMES} hit meanwhile", report.note).trim().to_owned();
    report
}

/// How many names are found without a load.
async fn hits(cache: &Cache) -> u64 {
    let mut hits = 0;
    for number in 0..NAMES {
        let found = cache.get::<String>(&name(number)[..]).await;
        hits += u64::from(matches!(found, Ok(Some(_))));
    }
    hits
}
