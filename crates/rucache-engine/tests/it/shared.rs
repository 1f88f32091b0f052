//! Several processes over one shared tier: one load for all, and no invalidation undone.

use std::sync::Arc;
use std::time::Duration;

use rucache_conformance::Model;
use rucache_core::{Backend, Key, Lease, LeaseRequest, MarkerVersion, Runtime, TestRuntime, Ttl};
use rucache_engine::{Accept, Cache, CacheError, LoadError, Loaded, ServedFrom, StaleReason};

use crate::{HOUR, Lab, with_stale};

/// Two processes over one backend, on one clock.
pub(crate) struct Fleet {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) one: Lab,
    pub(crate) two: Lab,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let runtime = TestRuntime::new(1);
        let backend: Arc<dyn Backend> = Arc::new(Model::new(Arc::new(runtime.clone())));
        let process = || Lab::of(&runtime, Cache::on_backend(backend.clone()));
        let (one, two) = (process(), process());
        Self { backend, one, two }
    }

    fn advance(&self, millis: u64) {
        self.one.runtime.advance(Duration::from_millis(millis));
    }
}

pub(crate) fn key() -> Key {
    Key::parse("default:name").unwrap()
}

#[test]
fn what_one_process_loads_the_other_reads() {
    let fleet = Fleet::new();
    fleet.one.source.gives("value");
    assert_eq!(fleet.one.now(HOUR).unwrap().outcome.from, ServedFrom::Load);
    fleet.advance(59_000);
    let hit = fleet.two.now(HOUR).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("value", ServedFrom::Shared));
    assert_eq!(hit.outcome.age, Duration::from_secs(59));
    assert_eq!(hit.outcome.ttl, Duration::from_secs(3541));
    assert_eq!(fleet.two.source.loads(), 0);
}

#[test]
fn cold_key_costs_the_fleet_one_load() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("value");
    let first = fleet.one.start(HOUR);
    let second = fleet.two.start(HOUR);
    fleet.advance(1_000);
    assert!(second.ended().is_none());
    go.send(()).unwrap();
    fleet.advance(200);
    assert_eq!((first.value(), second.value()), ("value".into(), "value".into()));
    assert_eq!(second.ended().unwrap().unwrap().outcome.from, ServedFrom::Shared);
    assert_eq!((fleet.one.source.loads(), fleet.two.source.loads()), (1, 0));
}

#[test]
fn lease_of_a_running_load_is_prolonged_until_it_ends() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("value");
    let first = fleet.one.start(HOUR);
    fleet.advance(6_500);
    let second = fleet.two.start(HOUR);
    fleet.advance(1_000);
    go.send(()).unwrap();
    fleet.advance(200);
    assert_eq!((first.value(), second.value()), ("value".into(), "value".into()));
    assert!(first.ended().unwrap().unwrap().outcome.stored);
    assert_eq!(fleet.two.source.loads(), 0);
}

#[test]
fn lease_of_a_dead_process_costs_five_seconds_and_one_load_more() {
    let fleet = Fleet::new();
    let dead = LeaseRequest { key: key(), seen: None, ttl: Ttl::secs(5) };
    let granted = fleet.one.runtime.block_on(fleet.backend.lease_many(&[dead]));
    assert!(matches!(granted[..], [Ok(Lease::Granted(_))]), "{granted:?}");
    fleet.two.source.gives("value");
    let waiting = fleet.two.start(HOUR);
    fleet.advance(4_900);
    assert!(waiting.ended().is_none());
    fleet.advance(300);
    assert_eq!(waiting.value(), "value");
    assert_eq!(fleet.two.source.loads(), 1);
}

#[test]
fn delete_by_another_process_during_a_load_wins() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("old");
    let before = fleet.one.start(HOUR);
    fleet.two.runtime.block_on(fleet.two.cache.delete("name")).unwrap();
    go.send(()).unwrap();
    fleet.advance(0);
    let hit = before.ended().unwrap().unwrap();
    assert_eq!((&**hit, hit.outcome.stored), ("old", false));
    let read = fleet.one.cache.read::<String>("name", Accept::Stale);
    assert!(fleet.one.runtime.block_on(read).unwrap().is_none());
}

#[test]
fn set_by_another_process_during_a_load_wins() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("old");
    let before = fleet.one.start(HOUR);
    fleet.two.runtime.block_on(fleet.two.cache.set("name", "new", HOUR)).unwrap();
    go.send(()).unwrap();
    fleet.advance(0);
    assert_eq!(before.value(), "old");
    let read = fleet.one.runtime.block_on(fleet.one.cache.get::<String>("name"));
    assert_eq!(read.unwrap().unwrap(), "new");
}

#[test]
fn delete_by_the_loading_process_wins_too() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("old");
    let before = fleet.one.start(HOUR);
    fleet.one.runtime.block_on(fleet.one.cache.delete("name")).unwrap();
    go.send(()).unwrap();
    fleet.advance(0);
    assert!(!before.ended().unwrap().unwrap().outcome.stored);
    let read = fleet.two.runtime.block_on(fleet.two.cache.get::<String>("name"));
    assert_eq!(read.unwrap(), None);
}

#[test]
fn clear_of_the_service_during_a_load_wins() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("old");
    let before = fleet.one.start(HOUR);
    let service = rucache_core::Marker::Service(key().service_name());
    let seed = MarkerVersion::seed(fleet.one.runtime.wall(), 1);
    let bumped = fleet.one.runtime.block_on(fleet.backend.bump(&[service], seed));
    assert!(bumped.iter().all(Result::is_ok));
    go.send(()).unwrap();
    fleet.advance(0);
    assert_eq!(before.value(), "old");
    let read = fleet.two.runtime.block_on(fleet.two.cache.get::<String>("name"));
    assert_eq!(read.unwrap(), None);
}

#[test]
fn stale_value_is_served_at_once_while_another_process_refreshes() {
    let fleet = Fleet::new();
    fleet.one.source.gives("old");
    fleet.one.now(with_stale()).unwrap();
    fleet.advance(3_600_000);
    let go = fleet.one.source.gives_later("new");
    let refreshing = fleet.one.start(with_stale());
    let hit = fleet.two.now(with_stale()).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("old", ServedFrom::Stale(StaleReason::Refreshing)));
    fleet.advance(499);
    assert!(refreshing.ended().is_none());
    fleet.advance(1);
    let hit = refreshing.ended().unwrap().unwrap();
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::SoftTimeout));
    go.send(()).unwrap();
    fleet.advance(0);
    assert_eq!(*fleet.two.now(with_stale()).unwrap(), "new");
    assert_eq!(fleet.two.source.loads(), 0);
}

#[test]
fn failure_throttles_the_fleet_and_falls_back_on_the_stale_value() {
    let fleet = Fleet::new();
    fleet.one.source.gives("old");
    fleet.one.now(with_stale()).unwrap();
    fleet.advance(3_600_000);
    fleet.one.source.fails("source is down");
    let hit = fleet.one.now(with_stale()).unwrap();
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::LoadError));
    let hit = fleet.two.now(with_stale()).unwrap();
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::LoadError));
    assert_eq!(fleet.two.source.loads(), 0);
    fleet.advance(1_100);
    fleet.two.source.gives("new");
    assert_eq!(*fleet.two.now(with_stale()).unwrap(), "new");
}

#[test]
fn failure_without_a_fallback_is_told_to_the_fleet() {
    let fleet = Fleet::new();
    fleet.one.source.fails("source is down");
    assert!(fleet.one.now(HOUR).is_err());
    let error = fleet.two.now(HOUR).unwrap_err();
    assert!(matches!(error, CacheError::Load(LoadError::FailedElsewhere)), "{error:?}");
    assert_eq!(fleet.two.source.loads(), 0);
}

#[test]
fn certain_absence_drops_the_stale_value_for_the_fleet() {
    let fleet = Fleet::new();
    fleet.one.source.gives("old");
    fleet.one.now(with_stale()).unwrap();
    fleet.advance(3_600_000);
    fleet.one.source.next(async { Ok(Loaded::absent()) });
    let error = fleet.one.now(with_stale()).unwrap_err();
    assert!(matches!(error, CacheError::Load(LoadError::Absent)), "{error:?}");
    let read = fleet.two.cache.read::<String>("name", Accept::Stale);
    assert!(fleet.two.runtime.block_on(read).unwrap().is_none());
}

#[test]
fn set_by_another_process_outlives_a_load_that_finds_nothing_or_too_much() {
    for brings_nothing in [true, false] {
        let fleet = Fleet::new();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        fleet.one.source.next(async move {
            let _ = wait.await;
            let too_much = || Loaded::from("x".repeat(2_000_000));
            Ok(if brings_nothing { Loaded::absent() } else { too_much() })
        });
        let before = fleet.one.start(HOUR);
        fleet.two.runtime.block_on(fleet.two.cache.set("name", "new", HOUR)).unwrap();
        go.send(()).unwrap();
        fleet.advance(0);
        assert_eq!(before.ended().unwrap().is_err(), brings_nothing);
        let read = fleet.one.runtime.block_on(fleet.one.cache.get::<String>("name"));
        assert_eq!(read.unwrap().as_deref(), Some("new"));
    }
}

#[test]
fn value_of_another_type_is_loaded_over_and_no_fallback() {
    let fleet = Fleet::new();
    fleet.two.runtime.block_on(fleet.two.cache.set("name", &7, with_stale())).unwrap();
    fleet.one.source.gives("text");
    assert_eq!(*fleet.one.now(with_stale()).unwrap(), "text");
    fleet.two.runtime.block_on(fleet.two.cache.set("name", &7, with_stale())).unwrap();
    fleet.advance(3_600_000);
    let go = fleet.one.source.gives_later("newer");
    let waiting = fleet.one.start(with_stale());
    fleet.advance(2_000);
    assert!(waiting.ended().is_none());
    go.send(()).unwrap();
    fleet.advance(0);
    assert_eq!(waiting.value(), "newer");
}

#[test]
fn who_comes_a_while_after_another_process_deleted_does_not_join_the_older_load() {
    let fleet = Fleet::new();
    let old = fleet.one.source.gives_later("old");
    let before = fleet.one.start(HOUR);
    fleet.two.runtime.block_on(fleet.two.cache.delete("name")).unwrap();
    fleet.advance(1_600);
    fleet.one.source.gives("new");
    assert_eq!(*fleet.one.now(HOUR).unwrap(), "new");
    old.send(()).unwrap();
    fleet.advance(0);
    assert_eq!(before.value(), "old");
    assert_eq!(*fleet.two.now(HOUR).unwrap(), "new");
}

#[test]
fn key_that_another_process_loads_does_not_wait_for_the_rest_of_a_batch() {
    let fleet = Fleet::new();
    let go = fleet.one.source.gives_later("from one");
    let first = fleet.one.start(HOUR);
    let keys = [key(), Key::parse("default:slow").unwrap()];
    let cache = fleet.two.cache.clone();
    let batch = fleet.two.apart(async move {
        let never = |_: Vec<Key>| std::future::pending::<Vec<Result<Loaded<String>, String>>>();
        let at_once = std::num::NonZeroUsize::MAX;
        cache.read_or_load_many::<String, _, _, _>(&keys, HOUR, at_once, never).await
    });
    let joined = fleet.two.start(HOUR);
    go.send(()).unwrap();
    fleet.advance(200);
    assert_eq!((first.value(), joined.value()), ("from one".into(), "from one".into()));
    fleet.advance(10_000);
    let answers = batch.lock().unwrap().take().expect("the batch has ended");
    assert_eq!(**answers[0].as_ref().unwrap(), "from one");
    assert!(matches!(answers[1], Err(LoadError::DeadlinePassed { .. })), "{:?}", answers[1]);
}

#[test]
fn early_read_is_a_hit_and_one_process_refreshes() {
    let fleet = Fleet::new();
    let policy = with_stale().with_early_refresh(80);
    fleet.one.source.gives("old");
    fleet.one.now(policy).unwrap();
    fleet.advance(2_880_000);
    let go = fleet.one.source.gives_later("new");
    assert_eq!(*fleet.one.now(policy).unwrap(), "old");
    fleet.advance(0);
    assert_eq!(*fleet.two.now(policy).unwrap(), "old");
    go.send(()).unwrap();
    fleet.advance(0);
    let hit = fleet.two.now(policy).unwrap();
    assert_eq!((&**hit, hit.outcome.from), ("new", ServedFrom::Shared));
    assert_eq!((fleet.one.source.loads(), fleet.two.source.loads()), (2, 0));
}
