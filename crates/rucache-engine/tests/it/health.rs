//! What a cache says of its own state.

use std::time::Duration;

use rucache_core::{Operation, Ttl};
use rucache_engine::PushState;

use crate::site::{Site, Told};
use crate::{HOUR, Lab, tagged};

#[test]
fn cache_at_rest_is_well() {
    let health = Lab::new().cache.health();
    assert_eq!((health.stuck_keys, health.loads, health.undelivered), (0, 0, 0));
    assert_eq!((health.push, health.nodes_down), (PushState::None, Vec::new()));
}

#[test]
fn running_loads_are_told_and_a_hanging_one_is_gone_at_its_deadline() {
    crate::site::everywhere(|lab| {
        lab.source.hangs();
        let _reading = lab.start(HOUR);
        assert_eq!(lab.cache.health().loads, 1);
        lab.runtime.advance(Duration::from_secs(8));
        let health = lab.cache.health();
        assert_eq!((health.loads, health.stuck_keys), (0, 0));
    });
}

#[test]
fn key_that_is_held_past_the_deadline_is_told_while_it_lasts() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let gate = process.link.hold(Operation::Get);
    let _reading = process.start(HOUR);
    site.advance(17_000);
    assert_eq!(process.cache.health().stuck_keys, 0);
    site.advance(1);
    assert_eq!(process.cache.health().stuck_keys, 1);
    process.source.gives("value");
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(process.cache.health().stuck_keys, 0);
}

#[test]
fn failure_that_is_remembered_is_no_stuck_key() {
    let lab = Lab::new();
    for _ in 0..6 {
        assert!(lab.now(HOUR).is_err());
        lab.runtime.advance(Duration::from_secs(31));
    }
    assert!(lab.now(HOUR).is_err());
    lab.runtime.advance(Duration::from_secs(20));
    assert!(lab.now(HOUR).is_err());
    assert_eq!(lab.cache.health().stuck_keys, 0);
}

#[test]
fn nodes_that_do_not_answer_are_named_until_they_do() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let listeners = process.link.listeners();
    let down = || process.cache.health().nodes_down;
    for listener in &listeners {
        listener.node_down("a:1");
        listener.node_down("b:2");
        listener.node_down("a:1");
    }
    assert_eq!(down(), ["a:1", "b:2"]);
    for listener in &listeners {
        site.runtime.block_on(listener.node_recovering("a:1")).unwrap();
    }
    assert_eq!(down(), ["a:1", "b:2"]);
    listeners.iter().for_each(|listener| listener.node_up("a:1"));
    assert_eq!(down(), ["b:2"]);
}

#[test]
fn maintenance_drops_what_is_over_and_says_how_much() {
    let lab = Lab::new();
    for (name, ttl) in [("a", Ttl::MIN), ("b", HOUR), ("c", HOUR)] {
        lab.runtime.block_on(lab.cache.set(name, &1, ttl)).unwrap();
    }
    lab.runtime.block_on(lab.cache.put("d", tagged("x", &["red"]), HOUR)).unwrap();
    lab.runtime.advance(Duration::from_millis(1));
    assert_eq!(lab.cache.maintain(), 1);
    lab.invalidate_tag("red");
    assert_eq!((lab.cache.maintain(), lab.cache.usage().unwrap().entries), (1, 2));
    assert_eq!(lab.cache.maintain(), 0);
}

#[test]
fn ping_and_probe_tell_whether_the_store_answers() {
    let site = Site::new();
    let process = site.process(Told::Never);
    let works = || site.runtime.block_on(process.cache.probe()).map(|probe| probe.works);
    assert!(works().unwrap());
    assert!(site.runtime.block_on(process.cache.ping()).is_ok());
    process.link.down();
    assert!(site.runtime.block_on(process.cache.ping()).is_err());
    assert!(works().is_err());
    process.link.up();
    assert!(works().unwrap());
    assert_eq!(site.runtime.block_on(Lab::new().cache.ping()).unwrap(), Duration::ZERO);
}
