//! What happens during a load is not undone by it.

use rucache_engine::{Accept, CacheError, ServedFrom};

use crate::{HOUR, Lab};

#[test]
fn delete_during_a_load_wins() {
    let lab = Lab::new();
    let go = lab.source.gives_later("old");
    let before = lab.start(HOUR);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    let hit = before.ended().unwrap().unwrap();
    assert_eq!(*hit, "old");
    assert!(!hit.outcome.stored);
    assert!(lab.cache.peek::<String>("name", Accept::Stale).unwrap().is_none());
}

#[test]
fn set_during_a_load_wins() {
    let lab = Lab::new();
    let go = lab.source.gives_later("old");
    let before = lab.start(HOUR);
    lab.runtime.block_on(lab.cache.set("name", "new", HOUR)).unwrap();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(before.value(), "old");
    assert_eq!(lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap().unwrap(), "new");
}

#[test]
fn who_comes_after_the_delete_starts_a_new_load() {
    let lab = Lab::new();
    let (old, new) = (lab.source.gives_later("old"), lab.source.gives_later("new"));
    let before = lab.start(HOUR);
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    let after = lab.start(HOUR);
    assert_eq!(lab.source.loads(), 2);
    new.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(after.value(), "new");
    old.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert_eq!(before.value(), "old");
    let stored = lab.now(HOUR).unwrap();
    assert_eq!((&**stored, stored.outcome.from), ("new", ServedFrom::Local));
}

#[test]
fn delete_ends_a_back_off() {
    let lab = Lab::new();
    lab.source.fails("down");
    assert!(lab.now(HOUR).is_err());
    lab.runtime.block_on(lab.cache.delete("name")).unwrap();
    lab.source.gives("up");
    assert_eq!(*lab.now(HOUR).unwrap(), "up");
}

#[test]
fn oversize_value_is_refused_and_the_old_one_is_gone() {
    let lab = Lab::with(|builder| builder.max_value_len(20));
    lab.runtime.block_on(lab.cache.set("name", "short", HOUR)).unwrap();
    let long = "x".repeat(19);
    let refused = lab.runtime.block_on(lab.cache.set("name", &*long, HOUR)).unwrap_err();
    assert!(matches!(refused, CacheError::TooLarge { len: 21, max: 20 }), "{refused:?}");
    assert!(lab.cache.peek::<String>("name", Accept::Stale).unwrap().is_none());
}

#[test]
fn oversize_load_is_served_and_not_stored() {
    let lab = Lab::with(|builder| builder.max_value_len(20));
    let long = "x".repeat(19);
    lab.source.gives(&long);
    let hit = lab.now(HOUR).unwrap();
    assert_eq!(*hit, long);
    assert!(!hit.outcome.stored);
    assert!(lab.cache.peek::<String>("name", Accept::Stale).unwrap().is_none());
}

#[test]
fn absence_learned_by_an_older_load_does_not_drop_a_newer_value() {
    let lab = Lab::new();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    lab.source.next(async {
        let _ = wait.await;
        Ok(rucache_engine::Loaded::absent())
    });
    let before = lab.start(HOUR);
    lab.runtime.block_on(lab.cache.set("name", "new", HOUR)).unwrap();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert!(before.ended().unwrap().is_err());
    assert_eq!(lab.runtime.block_on(lab.cache.get::<String>("name")).unwrap().unwrap(), "new");
}
