//! Chaos over the model backend.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rucache_conformance::Model;
use rucache_core::{
    Answers, Backend, Companions, ErrorKind, Key, Precondition, ServiceName, TestRuntime,
    Timestamp, Ttl, Write, WriteOutcome,
};
use rucache_testkit::{Chaos, ChaosBackend};

fn chaos(seed: u64) -> (TestRuntime, ChaosBackend<Model>) {
    let runtime = TestRuntime::new(1);
    let model = Model::new(Arc::new(runtime.clone()));
    let chaos = ChaosBackend::new(model, Arc::new(runtime.clone()), seed);
    (runtime, chaos)
}

fn keys(count: usize) -> Vec<Key> {
    let service: ServiceName = "migo".parse().unwrap();
    (0..count).map(|id| Key::new(&service, &format!("ruc_{id}")).unwrap()).collect()
}

fn writes(keys: &[Key]) -> Vec<Write> {
    let write = |key: &Key| Write {
        key: key.clone(),
        value: Bytes::from_static(b"ACTIVO"),
        ttl: Ttl::secs(60),
        when: Precondition::Always,
    };
    keys.iter().map(write).collect()
}

/// How many of the keys the backend below really has.
fn held(runtime: &TestRuntime, chaos: &ChaosBackend<Model>, keys: &[Key]) -> usize {
    let fetched = runtime.block_on(chaos.inner().get_many(keys, Companions::None));
    fetched.into_iter().filter(|answer| answer.as_ref().unwrap().entry.is_some()).count()
}

fn kinds<T>(answers: Answers<T>) -> Vec<Option<ErrorKind>> {
    answers.into_iter().map(|answer| answer.err().map(|error| error.kind())).collect()
}

#[test]
fn failure_carries_nothing_out() {
    let (runtime, chaos) = chaos(1);
    let keys = keys(3);
    chaos.set(Chaos::failing(ErrorKind::Full, 1_000));
    let answers = kinds(runtime.block_on(chaos.write_many(&writes(&keys))));
    assert_eq!(answers, [Some(ErrorKind::Full); 3]);
    assert_eq!((held(&runtime, &chaos, &keys), chaos.spoiled()), (0, 3));
    assert_eq!(runtime.block_on(chaos.ping()).unwrap_err().kind(), ErrorKind::Full);
    chaos.set(Chaos::calm());
    let answers = runtime.block_on(chaos.write_many(&writes(&keys)));
    assert!(answers.iter().all(|answer| matches!(answer, Ok(WriteOutcome::Stored))));
}

#[test]
fn lost_reply_hides_a_write_that_happened() {
    let (runtime, chaos) = chaos(1);
    let keys = keys(2);
    let mut weather = Chaos::calm();
    weather.lost_replies = 1_000;
    chaos.set(weather);
    let answers = kinds(runtime.block_on(chaos.write_many(&writes(&keys))));
    assert_eq!(answers, [Some(ErrorKind::Interrupted); 2]);
    assert_eq!(held(&runtime, &chaos, &keys), 2);
}

#[test]
fn late_write_happens_after_its_answer() {
    let (runtime, chaos) = chaos(1);
    let keys = keys(2);
    let mut weather = Chaos::calm();
    weather.late = 1_000;
    weather.lateness = Duration::from_secs(5);
    chaos.set(weather);
    let answers = kinds(runtime.block_on(chaos.write_many(&writes(&keys))));
    assert_eq!(answers, [Some(ErrorKind::Timeout); 2]);
    let end = Timestamp::from_millis(u64::MAX);
    let put = rucache_core::MapEntry { member: "x".into(), note: Bytes::new(), expires: end };
    let put = runtime.block_on(chaos.map_put(&keys[0], &[put], Timestamp::from_millis(0)));
    assert_eq!(put.unwrap_err().kind(), ErrorKind::Timeout);
    let members = || {
        let len = chaos.inner().map_len(&keys[0], Timestamp::from_millis(0));
        runtime.block_on(len).unwrap()
    };
    assert_eq!((held(&runtime, &chaos, &keys), members()), (0, 0));
    runtime.advance(Duration::from_secs(5));
    assert_eq!((held(&runtime, &chaos, &keys), members()), (2, 1));
}

#[test]
fn delay_is_the_runtimes() {
    let (runtime, chaos) = chaos(1);
    let mut weather = Chaos::calm();
    weather.delay = Duration::from_millis(20);
    let chaos = Arc::new(chaos);
    chaos.set(weather);
    let (answered, asked) = std::sync::mpsc::channel();
    let caller = chaos.clone();
    rucache_core::Runtime::spawn(
        &runtime,
        Box::pin(async move {
            let _ = answered.send(caller.ping().await.is_ok());
        }),
    );
    runtime.run_until_stalled();
    assert!(asked.try_recv().is_err());
    runtime.advance(Duration::from_millis(20));
    assert_eq!(asked.try_recv(), Ok(true));
}

#[test]
fn shares_are_kept_and_repeat_with_their_seed() {
    let run = |seed| {
        let (runtime, chaos) = chaos(seed);
        let keys = keys(2_000);
        let mut weather = Chaos::failing(ErrorKind::Unreachable, 100);
        weather.failures.push((ErrorKind::Full, 50));
        weather.lost_replies = 200;
        chaos.set(weather);
        let answers = kinds(runtime.block_on(chaos.write_many(&writes(&keys))));
        (answers, held(&runtime, &chaos, &keys))
    };
    let (answers, held) = run(1);
    let count = |kind| answers.iter().filter(|answer| **answer == kind).count();
    assert!((150..250).contains(&count(Some(ErrorKind::Unreachable))));
    assert!((60..140).contains(&count(Some(ErrorKind::Full))));
    assert!((320..480).contains(&count(Some(ErrorKind::Interrupted))));
    assert_eq!(held, count(None) + count(Some(ErrorKind::Interrupted)));
    assert_eq!(run(1).0, answers);
    assert_ne!(run(2).0, answers);
}
