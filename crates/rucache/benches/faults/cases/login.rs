//! A server that lets nobody in: another password, no room for clients.

use std::time::Duration;

use crate::arena::{Arena, Context, pause};
use crate::crowd::Crowd;
use crate::outage::{RECOVERY, SLACK, recovered};
use crate::report::Report;

/// How long the first rush lasts.
const RUSH: Duration = Duration::from_secs(1);

pub(crate) async fn password(context: Context) -> Report {
    let change = |arena: &Arena, password: &str| {
        let redis = arena.server.redis();
        redis.command(&["CONFIG", "SET", "requirepass", password]);
        if !password.is_empty() {
            redis.command(&["CLIENT", "KILL", "USER", "default"]);
        }
    };
    shut_out(context, |arena| change(arena, "another"), |arena| change(arena, "")).await
}

pub(crate) async fn max_clients(context: Context) -> Report {
    let change = |arena: &Arena, clients: &str| {
        let redis = arena.server.redis();
        redis.command(&["CONFIG", "SET", "maxclients", clients]);
        redis.try_command(&["CLIENT", "KILL", "USER", "default"]).ok();
    };
    shut_out(context, |arena| change(arena, "1"), |arena| change(arena, "10000")).await
}

async fn shut_out(context: Context, shut: impl Fn(&Arena), open: impl Fn(&Arena)) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let crowd = Crowd::start(&cache, context.seed);
    crowd.warm().await;
    crowd.fault(true);
    shut(&arena);
    // The rush of the first moment is over.
    pause(RUSH).await;
    let before = arena.proxy.counts().opened;
    pause(context.span).await;
    let attempts = arena.proxy.counts().opened - before;
    crowd.fault(false);
    open(&arena);
    let recovery = recovered(&cache).await;
    let mut report = crowd.end().await.report();
    report.must_be_right();
    report.recovery = recovery;
    report.must(recovery.is_some_and(|span| span <= RECOVERY + SLACK), || {
        format!("well again after {recovery:?}")
    });
    // One for data and one for push, each about once a second, push twice as often.
    let seconds = u64::try_from(context.span.as_millis()).unwrap() / 1_000 + 1;
    report.must(attempts <= 4 * seconds, || format!("{attempts} attempts in {:?}", context.span));
    report.note = format!("{} {attempts} attempts", report.note).trim().to_owned();
    report
}
