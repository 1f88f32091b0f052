//! More loads than the cache allows, and loads that ask for themselves.

use std::num::NonZeroUsize;
use std::time::Duration;

use rucache_core::observer::LoadResult;
use rucache_core::{Count, Key, ServiceName};
use rucache_engine::{Cache, CacheError, LoadError, Loaded, ServedFrom, StaleReason};

use crate::site::{Site, Told};
use crate::{HOUR, Lab, ReadResult, with_stale};

fn is_overloaded(read: &ReadResult) -> bool {
    matches!(read, Err(CacheError::Load(LoadError::Overloaded)))
}

fn is_recursive(error: &CacheError) -> bool {
    matches!(error, CacheError::Load(LoadError::Recursive))
}

/// Caches that run two loads at most, in every arrangement.
fn narrow() -> Vec<Lab> {
    let site = || Site::new();
    vec![
        Lab::with(|builder| builder.max_loads(2)),
        site().process_with(Told::Never, |builder| builder.max_loads(2)).into_lab(),
        site().process_with(Told::Always, |builder| builder.max_loads(2)).into_lab(),
    ]
}

/// Starts a load of `name` that does not end.
fn occupy(lab: &Lab, name: &'static str) {
    let cache = lab.cache.clone();
    lab.apart(async move {
        cache.get_or_load(name, HOUR, std::future::pending::<Result<u8, String>>).await
    });
}

#[test]
fn load_over_the_limit_is_refused_at_once_and_leaves_no_back_off() {
    for lab in narrow() {
        occupy(&lab, "one");
        occupy(&lab, "two");
        assert_eq!(lab.cache.health().loads, 2);
        assert!(is_overloaded(&lab.now(HOUR)));
        assert!(is_overloaded(&lab.now(HOUR)));
        assert_eq!(lab.source.loads(), 0);
        // The two are dropped at their deadline.
        lab.runtime.advance(Duration::from_secs(8));
        assert_eq!(lab.cache.health().loads, 0);
        lab.source.gives("value");
        assert_eq!(*lab.now(HOUR).unwrap(), "value");
        let counts = &lab.cache.stats()[0].1;
        assert_eq!(counts[Count::Load(LoadResult::Overloaded)], 2);
        assert_eq!(counts[Count::LoadStarted], 3);
        assert_eq!(counts.loads_in_flight(), 0);
    }
}

#[test]
fn stale_value_is_served_instead_of_a_refusal() {
    for lab in narrow() {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(Duration::from_secs(3_600));
        occupy(&lab, "one");
        occupy(&lab, "two");
        let hit = lab.now(with_stale()).unwrap();
        assert_eq!(hit.outcome.from, ServedFrom::Stale(StaleReason::LoadError));
        assert_eq!(*hit, "old");
    }
}

#[test]
fn refused_load_lets_its_lease_go_for_other_processes() {
    let site = Site::new();
    let full = site.process_with(Told::Never, |builder| builder.max_loads(0));
    assert!(is_overloaded(&full.now(HOUR)));
    let other = site.process(Told::Never);
    other.source.gives("value");
    assert_eq!(*other.now(HOUR).unwrap(), "value");
}

#[test]
fn those_who_wait_for_a_load_need_no_room() {
    let lab = Lab::with(|builder| builder.max_loads(1));
    let go = lab.source.gives_later("value");
    let callers: Vec<_> = (0..100).map(|_| lab.start(HOUR)).collect();
    go.send(()).unwrap();
    lab.runtime.run_until_stalled();
    assert!(callers.iter().all(|caller| caller.value() == "value"));
}

/// A read of `name` whose load reads `then`, and so on; the last one is loaded.
fn chain(
    cache: &Cache,
    names: &'static [&'static str],
) -> rucache_core::BoxFuture<Result<u8, CacheError>> {
    let cache = cache.clone();
    Box::pin(async move {
        let inner = cache.clone();
        let (first, rest) = names.split_first().unwrap();
        cache
            .get_or_load(*first, HOUR, move || async move {
                if rest.is_empty() { Ok::<_, CacheError>(7) } else { chain(&inner, rest).await }
            })
            .await
    })
}

#[test]
fn load_that_asks_for_its_own_key_is_told_so_and_does_not_wait_for_itself() {
    crate::site::everywhere(|lab| {
        let error = lab.runtime.block_on(chain(&lab.cache, &["a", "a"])).unwrap_err();
        let inner = match &error {
            CacheError::Load(load) => load.cause::<CacheError>().expect("the inner call's error"),
            other => panic!("{other:?}"),
        };
        assert!(is_recursive(inner), "{inner:?}");
        let counts = &lab.cache.stats()[0].1;
        assert_eq!(counts[Count::Load(LoadResult::Recursive)], 1);
    });
}

#[test]
fn load_that_asks_for_its_own_key_by_way_of_others_is_told_so() {
    crate::site::everywhere(|lab| {
        let names = &["a", "b", "c", "a"];
        let error = lab.runtime.block_on(chain(&lab.cache, names)).unwrap_err();
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        let mut texts = Vec::new();
        while let Some(error) = cause {
            texts.push(error.to_string());
            cause = error.source();
        }
        let expected = "the load asks for what it is loading";
        assert!(texts.iter().any(|text| text == expected), "{texts:?}");
    });
}

#[test]
fn load_that_asks_for_other_keys_is_served() {
    crate::site::everywhere(|lab| {
        let names = &["a", "b", "c"];
        assert_eq!(lab.runtime.block_on(chain(&lab.cache, names)).unwrap(), 7);
        let other = lab.cache.service(&ServiceName::new("other").unwrap());
        let inner = other.clone();
        let load =
            lab.cache.get_or_load("d", HOUR, move || async move { chain(&inner, &["d"]).await });
        assert_eq!(lab.runtime.block_on(load).unwrap(), 7, "the same name in another service");
    });
}

#[test]
fn load_may_ask_for_the_same_key_of_another_cache() {
    let (outer, inner) = (Lab::new(), Lab::new());
    let cache = inner.cache.clone();
    let clock = inner.runtime.clone();
    let load = outer.cache.get_or_load("name", HOUR, move || async move {
        // The other cache runs on a clock of its own.
        clock.block_on(chain(&cache, &["name"]))
    });
    assert_eq!(outer.runtime.block_on(load).unwrap(), 7);
}

#[test]
fn load_of_a_batch_that_asks_for_a_key_that_waits_behind_it_is_told_so() {
    crate::site::everywhere(|lab| {
        let keys = ["a", "b"].map(|name| Key::parse(&format!("default:{name}")).unwrap());
        let cache = lab.cache.clone();
        let read = lab.cache.read_or_load_many::<u8, _, _, _>(
            &keys,
            HOUR,
            NonZeroUsize::MIN,
            move |asked: Vec<Key>| {
                let cache = cache.clone();
                async move {
                    if asked[0].name() == "a" {
                        let b = cache.get_or_load("b", HOUR, || async { Ok::<_, String>(1) });
                        vec![b.await.map(Loaded::from)]
                    } else {
                        vec![Ok(Loaded::from(2))]
                    }
                }
            },
        );
        let answers = lab.runtime.block_on(read);
        let error = answers[0].as_ref().unwrap_err();
        assert!(is_recursive(error.cause::<CacheError>().unwrap()), "{error:?}");
        assert_eq!(**answers[1].as_ref().unwrap(), 2);
    });
}

#[test]
fn reading_what_one_loads_without_loading_does_not_wait() {
    crate::site::everywhere(|lab| {
        let cache = lab.cache.clone();
        let load = lab.cache.get_or_load("a", HOUR, move || async move {
            let before = cache.get::<u8>("a").await?;
            Ok::<_, CacheError>(before.unwrap_or(7))
        });
        assert_eq!(lab.runtime.block_on(load).unwrap(), 7);
    });
}
