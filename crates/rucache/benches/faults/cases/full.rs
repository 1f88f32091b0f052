//! A server that refuses: no room, a lease that it evicted, writes that it does not take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rucache::core::{Key, KeyCodec};
use rucache::engine::Written;
use rucache::{ServiceName, Ttl};

use crate::arena::{Arena, Context, pause};
use crate::crowd::{Crowd, NAMES, name, read, value};
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::Report;

pub(crate) async fn out_of_memory(context: Context) -> Report {
    let arena = Arena::start(&context);
    let (cache, redis) = (arena.open().await, arena.server.redis());
    let crowd = Crowd::start(&cache, context.seed);
    pause(Duration::from_secs(1)).await;
    crowd.fault(true);
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let written = cache.set("new", &1, Ttl::MEDIUM).await;
    pause(context.span).await;
    let down = cache.health().nodes_down;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    crowd.fault(false);
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(matches!(written, Ok(Written::Deferred) | Err(_)), || {
        format!("a write was told as {written:?}")
    });
    report.must(down.is_empty(), || format!("the circuit opened: {down:?}"));
    report
}

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
    let redis_port_is = redis.port();
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
    report.must(evicted == "1", || format!("no lease {lease} at {redis_port_is}"));
    report.must(matches!(&loading, Ok(read) if *read == value(1)), || format!("{loading:?}"));
    let again = read(&cache, 1, &loads).await;
    report.must(matches!(&again, Ok(read) if *read == value(1)), || format!("{again:?}"));
    let loads = loads.load(Ordering::Relaxed) - begun;
    report.must(loads == 2, || format!("{loads} loads: a fill was taken without its lease"));
    report.reads = 2;
    report
}

pub(crate) async fn read_only(context: Context) -> Report {
    let arena = Arena::start(&context);
    let (cache, redis) = (arena.open().await, arena.server.redis());
    let crowd = Crowd::start(&cache, context.seed);
    pause(Duration::from_secs(1)).await;
    crowd.fault(true);
    // Of a primary that does not answer: it keeps what it has, and refuses writes.
    redis.command(&["REPLICAOF", "127.0.0.1", "1"]);
    let written = cache.set("new", &1, Ttl::MEDIUM).await;
    pause(context.span).await;
    redis.command(&["REPLICAOF", "NO", "ONE"]);
    crowd.fault(false);
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(matches!(written, Ok(Written::Deferred) | Err(_)), || {
        format!("a write was told as {written:?}")
    });
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("writes back after {recovery:?}")
    });
    let there = read(&cache, NAMES, &Arc::default()).await;
    report.must(there.is_ok(), || format!("{there:?}"));
    report
}
