//! What stands under our names and is not ours, or no longer what we wrote.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rucache::core::{Key, KeyCodec};
use rucache::{Accept, ServiceName, Ttl};

use crate::arena::{Arena, Context};
use crate::crowd::{name, read, value};
use crate::report::Report;

fn wire(number: u64) -> String {
    let key = Key::new(&ServiceName::default(), &name(number)).unwrap();
    KeyCodec::default().entry(&key).as_str().to_owned()
}

pub(crate) async fn wrong_type(context: Context) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let loads = Arc::default();
    let mut report = Report::default();
    for number in 0..50 {
        arena.server.redis().command(&["LPUSH", &wire(number), "somebody else's"]);
        for _ in 0..3 {
            let read = read(&cache, number, &loads).await;
            report.reads += 1;
            report.failed += u64::from(read.is_err());
            report.wrong += u64::from(read.is_ok_and(|read| read != value(number)));
        }
        let stored = cache.set(&name(number)[..], &value(number), Ttl::MEDIUM).await;
        report.must(stored.is_ok(), || format!("not overwritten: {stored:?}"));
        let kept = cache.get::<String>(&name(number)[..]).await;
        report.must(matches!(&kept, Ok(Some(kept)) if *kept == value(number)), || {
            format!("not there after it was set: {kept:?}")
        });
    }
    report.must_be_right();
    let well = cache.health().nodes_down.is_empty();
    report.must(well, || "the circuit opened".to_owned());
    report
}

pub(crate) async fn flipped_bits(context: Context) -> Report {
    let arena = Arena::start(&context);
    let cache = arena.open().await;
    let redis = arena.server.redis();
    let loads = Arc::default();
    read(&cache, 1, &loads).await.unwrap();
    let wire = wire(1);
    let len: u64 = redis.command(&["STRLEN", &wire]).parse().unwrap();
    let mut report = Report::default();
    let mut missed = 0;
    for bit in 0..8 * len {
        let bit = bit.to_string();
        let flip = |to: &str| redis.command(&["SETBIT", &wire, &bit, to]);
        let was = redis.command(&["GETBIT", &wire, &bit]);
        flip(if was == "0" { "1" } else { "0" });
        let found = cache.read::<String>(&name(1)[..], Accept::Stale).await;
        report.reads += 1;
        match found {
            Ok(Some(hit)) => report.wrong += u64::from(*hit != value(1)),
            Ok(None) => missed += 1,
            Err(_) => report.failed += 1,
        }
        flip(&was);
    }
    report.must_be_right();
    // The version before the entry, and the byte that says that it was expired, may be anything.
    let least = 8 * (len - 10);
    report.must(missed >= least, || format!("{missed} of {} misses", 8 * len));
    let loaded = loads.load(Ordering::Relaxed);
    report.must(loaded == 1, || format!("{loaded} loads"));
    let there = cache.read::<String>(&name(1)[..], Accept::Fresh).await;
    report.must(matches!(there, Ok(Some(_))), || "not there as it was written".to_owned());
    report.note = format!("{missed} misses");
    report
}
