//! A hit in the local tier allocates nothing, from the name to the value.

use std::sync::Arc;

use rucache::engine::Accept;
use rucache::{Key, Loaded, Ttl};

/// Reads that fit between two housekeepings of moka, which runs one on the reader's thread every
/// 64th read; what that allocates is measured where the store is, in `rucache-memory`.
const UNTIL_HOUSEKEEPING: usize = 60;

#[track_caller]
fn check(name: &str, cache: &rucache::Cache, mut read: impl FnMut()) {
    for _ in 0..170 {
        let _ = cache.usage();
        let counted = allocation_counter::measure(|| {
            (0..UNTIL_HOUSEKEEPING).for_each(|_| read());
        });
        assert_eq!(counted.count_total, 0, "{name}: {counted:?}");
    }
}

/// What a hit brings, which does not wait.
fn at_once<T>(hit: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(hit).poll(&mut context) {
        std::task::Poll::Ready(hit) => hit,
        std::task::Poll::Pending => panic!("a hit does not wait"),
    }
}

// One thread, so that every allocation counted is the hit's.
#[tokio::test(flavor = "current_thread")]
async fn hit_allocates_nothing() {
    let cache = rucache::open_default().await.unwrap();
    let key = Key::parse("migo:greeting").unwrap();
    cache.set(&key, &7_u64, Ttl::MEDIUM).await.unwrap();
    cache.set("estadisticas_usuarios", &7_u64, Ttl::MEDIUM).await.unwrap();
    check("peek by key", &cache, || {
        let hit = cache.peek::<u64>(&key, Accept::Fresh).unwrap().unwrap();
        assert_eq!(*hit, 7);
    });
    check("peek by plain name", &cache, || {
        let hit = cache.peek::<u64>("estadisticas_usuarios", Accept::Fresh).unwrap().unwrap();
        assert_eq!(*hit, 7);
    });
    check("read_or_load by key", &cache, || {
        let load = || async { Err::<Loaded<u64>, _>("not asked") };
        assert_eq!(*at_once(cache.read_or_load(&key, Ttl::MEDIUM, load)).unwrap(), 7);
    });
    let (rucs, ruc) = (cache.ruc("migo"), "20131312955".parse().unwrap());
    let asked = rucs.lookup(&ruc).await;
    let record = at_once(rucs.get(&ruc)).unwrap().value;
    assert_eq!(asked.record().unwrap(), &record.record);
    check("record by number", &cache, || {
        let hit = at_once(rucs.get(&ruc)).unwrap();
        assert!(Arc::ptr_eq(&hit.value, &record));
    });
}

#[test]
fn counting_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(7))));
    assert_eq!(counted.count_total, 1);
}
