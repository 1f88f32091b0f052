//! What is counted for each service.

use std::time::Duration;

use rucache_core::observer::{
    LoadResult, Origin, RefreshResult, RefreshTrigger, Scope, StaleReason, StoreResult, Tier,
    TierResult,
};
use rucache_core::rule::{Event, Rule, RuleSet, Targets};
use rucache_core::{Change, Count, Counts, ErrorKind, Key, Operation, ServiceName};
use rucache_engine::{Accept, CacheError, Loaded, Reload, ServedFrom};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, tagged, with_stale};

/// What was counted for the service called `name`.
#[track_caller]
fn counts(lab: &Lab, name: &str) -> Counts {
    let stats = lab.cache.stats();
    let found = stats.into_iter().find(|(service, _)| service.as_str() == name);
    found.expect("the service was asked for").1
}

/// Of every read exactly one is counted.
fn reads(counts: &Counts) -> u64 {
    counts.hits() + counts.misses() + counts[Count::Bypass]
}

#[test]
fn every_read_is_counted_once_however_it_ends() {
    everywhere(|lab| {
        let mut made = 0;
        let mut check = |what: &str, by: u64| {
            made += by;
            assert_eq!(reads(&counts(lab, "default")), made, "{what}");
        };
        lab.get();
        check("a miss", 1);
        lab.source.gives("value");
        lab.now(with_stale()).unwrap();
        check("a load", 1);
        lab.get();
        lab.now(with_stale()).unwrap();
        drop(lab.stale());
        lab.peek();
        drop(lab.cache.peek::<String>("name", Accept::Stale).unwrap());
        check("hits and peeks", 5);
        lab.runtime.advance(Duration::from_secs(3_600));
        lab.source.fails("down");
        lab.now(with_stale()).unwrap();
        check("a stale hit", 1);
        lab.delete();
        lab.source.fails("down");
        assert!(lab.now(HOUR).is_err());
        check("an error", 1);
        lab.delete();
        lab.source.brings(Loaded::negative("none"));
        assert!(lab.now(HOUR).is_err());
        assert!(lab.now(HOUR).is_err());
        lab.look();
        check("verdicts", 3);
        let keys = [crate::site::key(), crate::site::key()];
        lab.runtime.block_on(lab.cache.get_many::<String>(&keys));
        check("many", 2);
        let go = lab.source.gives_later("value");
        lab.delete();
        let callers = [lab.start(HOUR), lab.start(HOUR), lab.start(HOUR)];
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert!(callers.iter().all(|caller| caller.value() == "value"));
        check("three who wait for one load", 3);
        assert_eq!(counts(lab, "default")[Count::Coalesced], 2);
    });
}

#[test]
fn hits_are_counted_by_the_tier_that_they_came_from() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Always), site.process(Told::Always));
    one.set("value");
    two.get();
    two.get();
    two.get();
    let counts = counts(&two, "default");
    assert_eq!((counts[Count::Hit(Tier::Shared)], counts[Count::Hit(Tier::Local)]), (1, 2));
    assert_eq!((counts[Count::LocalMiss], counts[Count::SharedRead(TierResult::Hit)]), (1, 1));
}

#[test]
fn read_that_the_local_tier_could_not_answer_is_counted_though_it_may_load() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.source.gives("value");
    process.now(HOUR).unwrap();
    process.now(HOUR).unwrap();
    process.now(HOUR).unwrap();
    let counts = counts(&process, "default");
    assert_eq!((counts[Count::LocalMiss], counts[Count::Hit(Tier::Local)]), (2, 1));
}

#[test]
fn outage_is_counted_as_that_and_not_as_a_miss_of_the_tier() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let kinds = [
        (ErrorKind::Timeout, TierResult::Timeout),
        (ErrorKind::CircuitOpen, TierResult::Skipped),
        (ErrorKind::Unreachable, TierResult::Error),
    ];
    for (kind, result) in kinds {
        process.link.fail(Operation::Get, kind);
        assert_eq!(process.get(), None);
        assert_eq!(counts(&process, "default")[Count::SharedRead(result)], 1, "{kind}");
    }
    assert_eq!(counts(&process, "default")[Count::SharedRead(TierResult::Miss)], 0);
}

#[test]
fn loads_are_counted_by_how_they_end() {
    everywhere(|lab| {
        let after_back_off = || lab.runtime.advance(Duration::from_secs(400));
        lab.source.gives("value");
        lab.now(HOUR).unwrap();
        lab.delete();
        lab.source.fails("down");
        assert!(lab.now(HOUR).is_err());
        after_back_off();
        lab.source.next(async { panic!("on purpose") });
        assert!(lab.now(HOUR).is_err());
        after_back_off();
        lab.source.hangs();
        let hanging = lab.start(HOUR);
        assert_eq!(counts(lab, "default").loads_in_flight(), 1);
        lab.runtime.advance(Duration::from_secs(8));
        assert!(hanging.ended().unwrap().is_err());
        after_back_off();
        lab.source.brings(Loaded::absent());
        assert!(lab.now(HOUR).is_err());
        after_back_off();
        lab.source.brings(tagged("value", &["red"]));
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        lab.source.brings(Loaded::not_modified());
        lab.now(with_stale()).unwrap();
        let counts = counts(lab, "default");
        use LoadResult::{Error, Negative, NotModified, Panic, Success, Timeout};
        let ends = [Success, Error, Panic, Timeout, Negative, NotModified]
            .map(|result| counts[Count::Load(result)]);
        assert_eq!(ends, [2, 1, 1, 1, 1, 1]);
        assert_eq!((counts[Count::LoadStarted], counts.loads_in_flight()), (7, 0));
    });
}

#[test]
fn what_becomes_of_stored_values_is_counted_where_they_live() {
    for (lab, home) in [
        (Lab::with(|builder| builder.max_value_len(20)), Tier::Local),
        (Site::new().process_with(Told::Always, |b| b.max_value_len(20)).into_lab(), Tier::Shared),
    ] {
        lab.set("value");
        lab.source.gives(&"x".repeat(30));
        lab.delete();
        lab.now(HOUR).unwrap();
        let go = lab.source.gives_later("old");
        lab.delete();
        let loading = lab.start(HOUR);
        lab.set("new");
        go.send(()).unwrap();
        lab.runtime.run_until_stalled();
        assert_eq!(loading.value(), "old");
        let counts = counts(&lab, "default");
        let stored = [StoreResult::Stored, StoreResult::TooLarge, StoreResult::Superseded]
            .map(|result| counts[Count::Store(home, result)]);
        assert_eq!(stored, [2, 1, 1]);
    }
}

#[test]
fn invalidations_are_counted_by_scope() {
    everywhere(|lab| {
        lab.delete();
        lab.runtime.block_on(lab.cache.expire("name")).unwrap();
        lab.invalidate_tag("red");
        lab.clear();
        lab.runtime.block_on(lab.cache.clear_all()).unwrap();
        let counts = counts(lab, "default");
        let local = [Scope::Key, Scope::Tag, Scope::Namespace, Scope::All]
            .map(|scope| counts[Count::Invalidation(scope, Origin::Local)]);
        assert_eq!(local, [2, 1, 1, 1]);
    });
}

#[test]
fn stale_answers_are_counted_by_their_reason() {
    let lab = Lab::new();
    lab.source.gives("old");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(3_600));
    drop(lab.stale());
    lab.source.fails("down");
    lab.now(with_stale()).unwrap();
    lab.runtime.advance(Duration::from_secs(1));
    lab.source.hangs();
    let waiting = lab.start(with_stale());
    lab.runtime.advance(Duration::from_millis(500));
    assert_eq!(waiting.value(), "old");
    let counts = counts(&lab, "default");
    let stale = [StaleReason::Allowed, StaleReason::LoadError, StaleReason::SoftTimeout]
        .map(|reason| counts[Count::Stale(reason)]);
    assert_eq!(stale, [1, 1, 1]);
}

#[test]
fn services_are_counted_apart() {
    everywhere(|lab| {
        let users = lab.cache.service(&ServiceName::new("users").unwrap());
        lab.runtime.block_on(users.get::<u8>("x")).unwrap();
        lab.runtime.block_on(users.get::<u8>("x")).unwrap();
        lab.get();
        assert_eq!(counts(lab, "users")[Count::Miss], 2);
        assert_eq!(counts(lab, "default")[Count::Miss], 1);
        assert_eq!(lab.cache.stats().len(), 2);
    });
}

#[test]
fn what_is_told_of_everything_is_counted_as_that() {
    let site = Site::new();
    let (one, two) = (site.process(Told::Always), site.process(Told::Always));
    two.get();
    let told = || counts(&two, "default")[Count::Invalidation(Scope::All, Origin::Push)];
    let before = told();
    one.runtime.block_on(one.cache.clear_all()).unwrap();
    assert_eq!(told(), before + 1);
    two.link.say(&Change::Everything);
    assert_eq!(told(), before + 2);
}

#[test]
fn stale_answer_while_the_shared_tier_is_down_says_so() {
    let process = Site::new().process(Told::Always);
    process.source.gives("old");
    process.now(with_stale()).unwrap();
    // The local copy.
    process.get();
    process.runtime.advance(Duration::from_secs(3_600));
    process.link.fail(Operation::Get, ErrorKind::Unreachable);
    let hit = process.stale().unwrap();
    assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::BackendDown));
    let counts = counts(&process, "default");
    assert_eq!(counts[Count::Stale(StaleReason::BackendDown)], 1);
    assert_eq!(counts[Count::Stale(StaleReason::Allowed)], 0);
}

#[test]
fn write_that_the_store_refuses_is_told_from_one_that_failed() {
    for (kind, result) in [
        (ErrorKind::Full, StoreResult::Refused),
        (ErrorKind::ReadOnly, StoreResult::Refused),
        (ErrorKind::Timeout, StoreResult::Error),
        (ErrorKind::CircuitOpen, StoreResult::Error),
    ] {
        let process = Site::new().process(Told::Never);
        process.link.fail(Operation::Write, kind);
        process.runtime.block_on(process.cache.set("name", "value", HOUR)).unwrap();
        let store = Count::Store(Tier::Shared, result);
        assert_eq!(counts(&process, "default")[store], 1, "a set: {kind}");
        process.link.fail(Operation::Write, kind);
        process.source.gives("value");
        process.delete();
        process.now(HOUR).unwrap();
        assert_eq!(counts(&process, "default")[store], 2, "a load: {kind}");
        // Refused or not, who has it need not load it again.
        assert_eq!(process.peek().as_deref(), Some("value"), "{kind}");
    }
}

#[test]
fn refresh_by_a_rule_is_counted_by_how_it_ends() {
    struct Source(bool);

    #[async_trait::async_trait]
    impl Reload for Source {
        async fn reload(&self, key: &Key) -> Result<(), CacheError> {
            if self.0 {
                Ok(())
            } else {
                Err(CacheError::TooLarge { len: key.name().len(), max: 0 })
            }
        }
    }

    let lab = Lab::new();
    let rule = Rule::on("product", ["saved"]).refresh(Targets::keys(["default:name"]));
    let rules = RuleSet::new([rule]).unwrap();
    for brings in [true, false, true] {
        lab.set("value");
        let event = Event::new("product", "saved", "7");
        let source = Source(brings);
        let applied = lab.cache.apply(&rules, &event, Some(&source));
        let applied = lab.runtime.block_on(applied);
        assert_eq!(applied.len(), 1);
        assert_eq!(applied[0].result.is_ok(), brings);
    }
    let counts = counts(&lab, "default");
    let ends = [RefreshResult::Loaded, RefreshResult::Failed]
        .map(|result| counts[Count::Refresh(RefreshTrigger::Rule, result)]);
    assert_eq!(ends, [2, 1]);
}
