//! Many callers of one load, and callers that leave.

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::{Race, Threads, Time, Verdict};
use crate::Caller;

const CALLERS: usize = 1_000;

pub(super) const ONE_LOAD: Race = Race {
    name: "1,000 callers of one key: one load",
    provoked: "1,000 tasks on two threads ask for one key; the load is held until all of them have asked.",
    threads: Threads::Two,
    time: Time::Usual,
    run: |stage| {
        async move {
            let source = &stage.source;
            let callers: Vec<Caller> =
                (0..CALLERS).map(|caller| stage.call(source.gives(caller, "value"))).collect();
            stage.settle().await;
            source.open();
            let ended = join_all(callers.into_iter().map(Caller::ended)).await;
            let served = ended.iter().filter(|ended| ended.is("value")).count();
            let loads = source.callers().len();
            Ok(Verdict::unless((served, loads) == (CALLERS, 1), || {
                format!("{served} callers got the value, of {loads} loads")
            }))
        }
        .boxed()
    },
};

pub(super) const LEADER_LEAVES: Race = Race {
    name: "the caller who began a load is dropped: the load goes on for the other",
    provoked: "A load begins and is held, a second caller asks, the first caller's future is dropped, the load is let go.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| {
        async move {
            let source = &stage.source;
            let first = stage.call(source.gives(0, "first load"));
            source.begun(1).await;
            let second = stage.call(source.gives(1, "second load"));
            stage.settle().await;
            first.leave().await;
            stage.settle().await;
            source.open();
            let second = second.ended().await;
            let loads = source.callers().len();
            Ok(Verdict::unless(second.is("first load") && loads == 1, || {
                format!("loads: {loads}; the other caller got {second}")
            }))
        }
        .boxed()
    },
};

/// More than the attempts of a cache that counts them.
const LEAVING: usize = 300;
const STAYING: usize = 10;

pub(super) const LEADERS_LEAVE: Race = Race {
    name: "300 callers are dropped during the load: the others and a later one get a value",
    provoked: "310 callers ask for one key; 300 times the caller whose load runs, or else one who waits, is dropped; then the source is opened and one more caller asks.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| {
        async move {
            let source = &stage.source;
            let mut callers: Vec<Option<Caller>> = (0..LEAVING + STAYING)
                .map(|caller| Some(stage.call(source.gives(caller, "value"))))
                .collect();
            for _ in 0..LEAVING {
                stage.settle().await;
                let begun = source.callers();
                let leads = begun.into_iter().rev().find(|caller| callers[*caller].is_some());
                let leaves = leads.or_else(|| callers.iter().position(Option::is_some));
                if let Some(caller) = leaves.and_then(|caller| callers[caller].take()) {
                    caller.leave().await;
                }
            }
            stage.settle().await;
            let loads = source.callers().len();
            source.open();
            callers.push(Some(stage.call(source.gives(LEAVING + STAYING, "value"))));
            let ended = join_all(callers.into_iter().flatten().map(Caller::ended)).await;
            let unserved: Vec<_> = ended.iter().filter(|ended| !ended.is("value")).collect();
            Ok(Verdict::unless(unserved.is_empty(), || {
                let (count, of) = (unserved.len(), ended.len());
                let last = unserved.last().map(ToString::to_string).unwrap_or_default();
                format!("{count} of {of} callers got no value ({last}), after {loads} loads began")
            }))
        }
        .boxed()
    },
};
