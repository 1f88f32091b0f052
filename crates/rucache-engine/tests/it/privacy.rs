//! Names and values are personal data: neither shows where programs write logs.

use std::sync::{Arc, Mutex};

use rucache_core::{CacheEvent, ErrorKind, Observer, Operation};
use rucache_engine::{Accept, Loaded};

use crate::HOUR;
use crate::site::{Site, Told};

const RUC: &str = "20100047218";

/// Writes every event down as its `Debug` form.
#[derive(Default)]
struct Log(Mutex<String>);

impl Observer for Log {
    fn record(&self, event: &CacheEvent<'_>) {
        self.0.lock().unwrap().push_str(&format!("{event:?}\n"));
    }
}

#[test]
fn neither_key_nor_value_shows_in_events_errors_or_debug_forms() {
    let site = Site::new();
    let log = Arc::new(Log::default());
    let process =
        site.process_with(Told::Always, |builder| builder.observer(log.clone()).max_value_len(100));
    let cache = &process.cache;
    let name = format!("ruc_{RUC}");
    let mut texts = Vec::new();
    let mut note = |what: &dyn std::fmt::Debug| texts.push(format!("{what:?}"));
    site.runtime.block_on(async {
        let load = || async { Ok::<_, String>(Loaded::from(RUC.to_owned()).with_tags([RUC])) };
        note(&cache.read_or_load(&name, HOUR, load).await.map(|hit| hit.outcome));
        note(
            &cache.read::<String>(&name, Accept::Fresh).await.map(|hit| hit.map(|hit| hit.outcome)),
        );
        note(&cache.set(&name, &*RUC.repeat(20), HOUR).await);
        process.link.fail(Operation::Delete, ErrorKind::Timeout);
        note(&cache.delete(&name).await);
        note(&cache.invalidate_tag(RUC).await);
        let fails = || async { Err::<u8, _>("source is down") };
        note(&cache.get_or_load(&name, HOUR, fails).await);
        note(&cache.get_or_load(&name, HOUR, fails).await);
        note(&cache.set(&"x".repeat(70_000), RUC, HOUR).await);
        note(&cache.put(&name, Loaded::from(1).with_tags(["x".repeat(300) + RUC]), HOUR).await);
    });
    note(cache);
    note(&cache.health());
    note(&cache.stats());
    let texts = texts.join("\n") + &log.0.lock().unwrap();
    assert!(texts.len() > 2_000, "something was written: {texts}");
    assert!(!texts.contains(RUC), "{texts}");
}
