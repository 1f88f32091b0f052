//! Warming a cache that is too small for all of it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::stream;
use rucache::lookup::{LookupOptions, Lookups, Stopped, WarmItem, WarmOptions};
use rucache::ruc::{Field, Ruc, Taxpayer};

use super::Source;

fn record(n: u64) -> Taxpayer {
    let ruc = Ruc::from_first_ten(2_000_000_000 + n).unwrap();
    Taxpayer::builder(ruc).set(Field::NombreORazonSocial, &"X".repeat(200)).build()
}

#[tokio::test]
async fn what_is_asked_for_outlasts_any_amount_of_warming() {
    let cache = (*rucache::open("memory://?capacity=1MiB").await.unwrap()).clone();
    let (calls, runtime) = (AtomicUsize::new(0), cache.runtime().clone());
    let source = Arc::new(Source { calls, takes: Duration::ZERO, runtime });
    let lookups = Lookups::new(cache, source, LookupOptions::default()).unwrap();
    let rucs = lookups.ruc(&"migo".parse().unwrap());
    for n in 0..100 {
        let _ = rucs.set(record(n), None).await.unwrap();
    }
    let all_there = async || {
        for n in 0..100 {
            assert!(rucs.get(&record(n).ruc()).await.is_some(), "the {n}th is gone");
        }
    };
    for _ in 0..20 {
        all_there().await;
    }
    let items = || stream::iter((100..50_000).map(|n| WarmItem::from(record(n))));
    let warmed = rucs.warm(items(), WarmOptions::default(), |_| ()).await;
    assert_eq!(warmed.stopped, Some(Stopped::Full), "{warmed:?}");
    assert!(warmed.stored > 500, "{warmed:?}");
    all_there().await;
    let again = rucs.warm(items(), WarmOptions::default(), |_| ()).await;
    assert_eq!((again.stopped, again.stored), (Some(Stopped::Full), 0), "{again:?}");
    all_there().await;
}
