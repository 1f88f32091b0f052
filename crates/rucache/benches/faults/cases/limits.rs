//! Too large, too long, too many.

use std::time::Duration;

use rucache::engine::Written;
use rucache::{Accept, Cache, CacheError, Policy, Ttl};
use tokio::task::JoinSet;

use crate::arena::{Arena, Context, Site, open, pause};
use crate::report::Report;

/// A cache of any site, and what it stands on.
pub(crate) async fn any(context: &Context) -> (Cache, Option<Arena>) {
    if context.site == Site::Memory {
        return (open(context.site, "memory://?capacity=256MiB").await, None);
    }
    let arena = Arena::start(context);
    // Not a row about time limits.
    let cache = arena.open_with("?timeout=2s&connect_timeout=2s").await;
    (cache, Some(arena))
}

pub(crate) async fn oversize(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    let (small, large) = ("old".to_owned(), "x".repeat(1_100_000));
    for number in 0..20 {
        let name = format!("record_{number}");
        cache.set(&name[..], &small, Ttl::MEDIUM).await.unwrap();
        let sent = cache.set(&name[..], &large, Ttl::MEDIUM).await;
        report.must(matches!(sent, Err(CacheError::TooLarge { .. })), || format!("{sent:?}"));
        let kept = cache.read::<String>(&name[..], Accept::Stale).await;
        report.reads += 1;
        report.wrong += u64::from(!matches!(kept, Ok(None)));
    }
    report.must_be_right();
    report
}

pub(crate) async fn lives(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    let month = 30 * 24 * 3_600;
    let lives = [
        ("a_moment", Ttl::millis(1), false),
        ("a_month", Ttl::secs(month), true),
        ("a_month_and_a_second", Ttl::secs(month + 1), true),
        ("for_as_long_as_can_be", Ttl::millis(u64::MAX), true),
    ];
    for (name, ttl, _) in lives {
        let written = cache.set(name, &name.to_owned(), Policy::exact(ttl)).await;
        report.must(matches!(written, Ok(Written::Done)), || format!("{name}: {written:?}"));
    }
    // The coarse clock is behind by as much as ten milliseconds.
    pause(Duration::from_millis(30)).await;
    for (name, _, lives) in lives {
        let found = cache.get::<String>(name).await;
        report.reads += 1;
        report.failed += u64::from(found.is_err());
        let is_there = matches!(&found, Ok(Some(value)) if value == name);
        report.must(is_there == lives, || format!("{name}: {found:?}"));
    }
    report.must_be_right();
    report
}

/// Operations at once.
const AT_ONCE: u64 = 10_000;

/// The most connections that they may take.
const CONNECTIONS: u64 = 64;

pub(crate) async fn at_once(context: Context) -> Report {
    let (cache, arena) = any(&context).await;
    let mut report = Report::default();
    let mut calls = JoinSet::new();
    for number in 0..AT_ONCE {
        let cache = cache.clone();
        calls.spawn(async move {
            let name = format!("record_{number}");
            let done = cache.set(&name[..], &number, Ttl::MEDIUM).await;
            let read = cache.get::<u64>(&name[..]).await;
            (matches!(done, Ok(Written::Done)), matches!(read, Ok(Some(read)) if read == number))
        });
    }
    let answers = calls.join_all().await;
    report.reads = AT_ONCE;
    report.failed = answers.iter().filter(|(set, read)| !set || !read).count() as u64;
    let opened = arena.map_or(0, |arena| arena.proxy.counts().open);
    report.must_be_right();
    report.must(opened <= CONNECTIONS, || format!("{opened} connections"));
    report.note = format!("{opened} connections");
    report
}
