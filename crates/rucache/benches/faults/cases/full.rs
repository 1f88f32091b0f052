//! A server that refuses: no room, or writes that it does not take.

use std::sync::Arc;

use rucache::Ttl;
use rucache::engine::Written;

use crate::arena::{Arena, Context, pause};
use crate::crowd::{Crowd, NAMES, read};
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::Report;

pub(crate) async fn out_of_memory(context: Context) -> Report {
    let arena = Arena::start(&context);
    let (cache, redis) = (arena.open().await, arena.server.redis());
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
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

pub(crate) async fn read_only(context: Context) -> Report {
    let arena = Arena::start(&context);
    let (cache, redis) = (arena.open().await, arena.server.redis());
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
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
