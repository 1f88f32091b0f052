//! Many names at once.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rucache_core::{Key, Operation};
use rucache_engine::{Accept, CacheError, Found, Hit, LoadError, Loaded, ServedFrom, Written};

use crate::site::{Site, Told, everywhere};
use crate::{HOUR, Lab, SourceAnswer, tagged, with_stale};

fn keys(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| Key::parse(&format!("default:{name}")).unwrap()).collect()
}

type Asked = Arc<Mutex<Vec<Vec<String>>>>;

/// Reads `names`, loading each as its own name; notes what the loader was asked for.
fn load(lab: &Lab, names: &[&str], asked: &Asked) -> Vec<Result<Hit<String>, LoadError>> {
    let notes = asked.clone();
    let keys = keys(names);
    let loader = move |missing: Vec<Key>| {
        let names: Vec<String> = missing.iter().map(|key| key.name().to_owned()).collect();
        notes.lock().unwrap().push(names.clone());
        async move {
            let answer = |name: String| match name.as_str() {
                "bad" => Err("no bad today"),
                "none" => Ok(Loaded::negative("none")),
                _ => Ok(Loaded::from(name)),
            };
            names.into_iter().map(answer).collect::<Vec<_>>()
        }
    };
    let read = lab.cache.read_or_load_many(&keys, with_stale(), NonZeroUsize::MAX, loader);
    lab.runtime.block_on(read)
}

#[test]
fn loader_is_asked_once_for_all_that_are_missing_and_each_has_its_own_result() {
    everywhere(|lab| {
        lab.runtime.block_on(lab.cache.set("kept", "kept", HOUR)).unwrap();
        let asked = Asked::default();
        let names = ["a", "kept", "bad", "none", "b", "a"];
        let answers = load(lab, &names, &asked);
        assert_eq!(*asked.lock().unwrap(), [["a", "bad", "none", "b"]]);
        let texts: Vec<_> = answers.iter().map(|answer| answer.as_deref().cloned()).collect();
        for (at, text) in [(0, "a"), (1, "kept"), (4, "b"), (5, "a")] {
            assert_eq!(texts[at].as_deref().unwrap(), text);
        }
        assert!(matches!(texts[2], Err(LoadError::Failed(_))));
        assert!(matches!(texts[3], Err(LoadError::Negative(_))));
        let answers = load(lab, &names, &asked);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
        assert_eq!(asked.lock().unwrap().len(), 1, "failure and verdict are remembered");
    });
}

#[test]
fn many_are_one_round_trip_each_way() {
    let site = Site::new();
    let process = site.process(Told::Always);
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    process.set("the markers are there");
    process.link.calls();
    load(&process, &names, &Asked::default());
    use Operation::{Get, Lease, Markers, Write};
    let mut calls = process.link.calls();
    // Markers of the service that is new here; leases and epochs together.
    calls.retain(|call| *call != Markers);
    assert_eq!(calls, [Get, Lease, Write]);
    let keys = keys(&names);
    let many = process.cache.get_many::<String>(&keys);
    assert!(site.runtime.block_on(many).iter().all(Option::is_some));
    assert_eq!(process.link.calls(), [Get]);
    let many = process.cache.get_many::<String>(&keys);
    assert!(site.runtime.block_on(many).iter().all(Option::is_some));
    assert_eq!(process.link.calls(), []);
}

#[test]
fn batch_that_fails_as_a_whole_fails_each_and_falls_back_for_each() {
    everywhere(|lab| {
        let names = ["a", "b"];
        load(lab, &names, &Asked::default());
        lab.runtime.advance(Duration::from_secs(3_600));
        let keys = keys(&["a", "b", "c"]);
        let read = lab.cache.read_or_load_many::<String, _, _, _>(
            &keys,
            with_stale(),
            NonZeroUsize::MAX,
            |_| async { panic!("on purpose") as Vec<Result<Loaded<String>, String>> },
        );
        let answers = lab.runtime.block_on(read);
        assert_eq!(answers[0].as_deref().unwrap(), "a");
        assert_eq!(answers[1].as_deref().unwrap(), "b");
        assert!(matches!(answers[2], Err(LoadError::Panicked)), "{:?}", answers[2]);
    });
}

/// Loads `a` to `h` by a loader that cannot bear a batch with one of `poisons` in it; how the loads
/// of each ended, and the batches the loader was asked for.
fn load_with(
    lab: &Lab,
    poisons: &'static str,
    spoil: fn(&mut Vec<SourceAnswer>),
) -> (String, Vec<String>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let batches = asked.clone();
    let names = keys(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    let read = lab.cache.read_or_load_many::<String, _, _, _>(
        &names,
        HOUR,
        NonZeroUsize::MAX,
        move |missing: Vec<Key>| {
            let names: Vec<String> = missing.iter().map(|key| key.name().to_owned()).collect();
            batches.lock().unwrap().push(names.concat());
            async move {
                let is_poisoned = names.iter().any(|name| poisons.contains(name));
                let mut answers = names.into_iter().map(|name| Ok(name.into())).collect();
                if is_poisoned {
                    spoil(&mut answers);
                }
                answers
            }
        },
    );
    let answers = lab.runtime.block_on(read);
    let ends = answers.iter().map(|answer| answer.as_ref().map_or("-", |hit| hit.as_str()));
    (ends.collect(), std::mem::take(&mut asked.lock().unwrap()))
}

#[test]
fn one_key_that_a_loader_cannot_bear_does_not_fail_its_batch() {
    everywhere(|lab| {
        let (ends, batches) = load_with(lab, "f", |_| panic!("on purpose"));
        assert_eq!(ends, "abcde-gh");
        assert_eq!(batches, ["abcdefgh", "abcd", "efgh", "ef", "gh", "e", "f"]);
    });
}

#[test]
fn answers_of_another_number_than_the_keys_are_nobodys() {
    // Whoever counts takes the answer of its neighbour for a key's.
    let one_too_few = |answers: &mut Vec<SourceAnswer>| drop(answers.remove(0));
    let one_too_many = |answers: &mut Vec<SourceAnswer>| answers.insert(0, Ok(tagged("x", &[])));
    for spoil in [one_too_few as fn(&mut Vec<SourceAnswer>), one_too_many] {
        everywhere(|lab| {
            let (ends, batches) = load_with(lab, "a", spoil);
            assert_eq!(ends, "-bcdefgh");
            assert_eq!(batches, ["abcdefgh", "abcd", "efgh", "ab", "cd", "a", "b"]);
        });
    }
}

#[test]
fn batch_of_which_both_halves_fail_is_not_asked_for_key_by_key() {
    everywhere(|lab| {
        let (ends, batches) = load_with(lab, "ah", |_| panic!("on purpose"));
        assert_eq!(ends, "--------");
        assert_eq!(batches, ["abcdefgh", "abcd", "efgh"]);
    });
}

#[test]
fn hard_timeout_holds_for_the_call_as_a_whole() {
    everywhere(|lab| {
        let cache = lab.cache.clone();
        let names = keys(&["a", "b", "c"]);
        let reading = lab.apart(async move {
            // One at a time, four seconds each.
            let read = cache.read_or_load_many(&names, HOUR, NonZeroUsize::MIN, {
                let cache = cache.clone();
                move |missing: Vec<Key>| {
                    let nap = cache.runtime().sleep(Duration::from_secs(4));
                    async move {
                        nap.await;
                        missing.iter().map(|_| Ok::<_, String>(Loaded::from(7_u8))).collect()
                    }
                }
            });
            read.await
        });
        lab.runtime.advance(Duration::from_millis(9_999));
        assert!(reading.lock().unwrap().is_none());
        lab.runtime.advance(Duration::from_millis(1));
        let answers = reading.lock().unwrap().take().expect("ten seconds have passed");
        let ends: Vec<_> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(ends, [true, true, false]);
        assert!(matches!(answers[2], Err(LoadError::TimedOut { .. })), "{:?}", answers[2]);
        lab.runtime.advance(Duration::from_secs(4));
        let last = lab.runtime.block_on(lab.cache.get::<u8>("c")).unwrap();
        assert_eq!(last, Some(7), "its load went on");
    });
}

#[test]
fn looks_tell_values_verdicts_and_nothing_in_the_order_of_the_names() {
    everywhere(|lab| {
        lab.runtime.block_on(lab.cache.set("a", "a", HOUR)).unwrap();
        let none = Loaded::<String>::negative("none");
        lab.runtime.block_on(lab.cache.put("none", none, HOUR)).unwrap();
        let keys = keys(&["missing", "a", "none", "a"]);
        let found = lab.runtime.block_on(lab.cache.look_many::<String>(&keys, Accept::Fresh));
        assert!(matches!(found[0], Ok(Found::Nothing)));
        assert!(matches!(found[2], Ok(Found::Negative(_))));
        for at in [1, 3] {
            assert!(matches!(&found[at], Ok(Found::Value(hit)) if **hit == "a"));
        }
        assert!(lab.runtime.block_on(lab.cache.look_many::<String>(&[], Accept::Fresh)).is_empty());
    });
}

#[test]
fn values_set_together_have_their_own_results() {
    let lab = Lab::with(|builder| builder.max_value_len(10));
    let values = vec![
        (keys(&["a"]).remove(0), "short".to_owned()),
        (keys(&["b"]).remove(0), "x".repeat(20)),
        (keys(&["c"]).remove(0), "also".to_owned()),
    ];
    let set = lab.runtime.block_on(lab.cache.set_many(values, HOUR));
    assert!(matches!(set[0], Ok(Written::Done)));
    assert!(matches!(set[1], Err(CacheError::TooLarge { len: 22, max: 10 })), "{:?}", set[1]);
    assert!(matches!(set[2], Ok(Written::Done)));
}

#[test]
fn strict_reads_of_many_fail_only_where_the_store_did() {
    let site = Site::new();
    let process = site.process_with(Told::Never, |builder| builder.strict_reads());
    let keys = keys(&["a", "b"]);
    process.link.spoil(&keys[0]);
    let found = site.runtime.block_on(process.cache.look_many::<String>(&keys, Accept::Fresh));
    assert!(matches!(found[0], Err(CacheError::Backend(_))), "{:?}", found[0]);
    assert!(matches!(found[1], Ok(Found::Nothing)), "{:?}", found[1]);
}

#[test]
fn callers_of_overlapping_batches_share_their_loads() {
    everywhere(|lab| {
        let asked = Asked::default();
        let batch = |names: &[&str]| {
            let (cache, notes, keys) = (lab.cache.clone(), asked.clone(), keys(names));
            lab.apart(async move {
                let nap = cache.runtime().clone();
                let loader = move |missing: Vec<Key>| {
                    let names = missing.iter().map(|key| key.name().to_owned());
                    notes.lock().unwrap().push(names.collect::<Vec<_>>());
                    let nap = nap.sleep(Duration::from_millis(100));
                    async move {
                        nap.await;
                        missing
                            .iter()
                            .map(|key| Ok::<_, String>(Loaded::from(key.name().to_owned())))
                            .collect()
                    }
                };
                cache.read_or_load_many(&keys, HOUR, NonZeroUsize::MAX, loader).await
            })
        };
        let batches = [batch(&["a", "b"]), batch(&["b", "c"]), batch(&["c", "a"])];
        lab.runtime.advance(Duration::from_millis(100));
        lab.runtime.advance(Duration::from_millis(100));
        assert_eq!(*asked.lock().unwrap(), [vec!["a", "b"], vec!["c"]]);
        for batch in batches {
            let answers = batch.lock().unwrap().take().expect("the batch has ended");
            assert!(answers.iter().all(|answer| answer.is_ok()), "{answers:?}");
            assert!(answers.iter().flatten().all(|hit| hit.outcome.from != ServedFrom::Local));
        }
    });
}
