//! Something is invalidated while it is being loaded.

use futures_util::FutureExt as _;

use super::{Race, Threads, Time, Verdict};
use crate::{NoSuchOperation, Stage};

pub(super) const OF_A_KEY: Race = Race {
    name: "a key is invalidated during its load: the old value is not stored",
    provoked: "A load of the old value begins and is held, the key is invalidated, the load is let go; then the key is read.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| {
        async move {
            let invalidate = async {
                stage.peer.invalidate(&stage.key).await;
                Ok(())
            };
            not_stored(&stage, invalidate).await
        }
        .boxed()
    },
};

pub(super) const OF_A_TAG: Race = Race {
    name: "a tag is invalidated during a load: the old value is not stored",
    provoked: "The same, and what is invalidated is a tag of the value that is being loaded.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| async move { not_stored(&stage, stage.peer.invalidate_tag()).await }.boxed(),
};

pub(super) const OF_EVERYTHING: Race = Race {
    name: "the cache is cleared during a load: the old value is not stored",
    provoked: "The same, and the whole cache is cleared.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| async move { not_stored(&stage, stage.peer.clear()).await }.boxed(),
};

async fn not_stored(
    stage: &Stage,
    invalidate: impl Future<Output = Result<(), NoSuchOperation>>,
) -> Result<Verdict, NoSuchOperation> {
    let before = stage.call(stage.source.gives(0, "old"));
    stage.source.begun(1).await;
    invalidate.await?;
    stage.source.open();
    let before = before.ended().await;
    stage.settle().await;
    let stored = stage.peer.get(&stage.key).await;
    Ok(Verdict::unless(stored.as_deref() != Some("old"), || {
        format!("the old value is stored; the caller got {before}")
    }))
}

pub(super) const ASKED_AFTERWARDS: Race = Race {
    name: "who asks after the invalidation does not get the older load's value",
    provoked: "A load of the old value begins and is held, the key is invalidated, a second caller asks, with a loader that brings the new value; then both are let go.",
    threads: Threads::One,
    time: Time::Usual,
    run: |stage| {
        async move {
            let before = stage.call(stage.source.gives(0, "old"));
            stage.source.begun(1).await;
            stage.peer.invalidate(&stage.key).await;
            let after = stage.call(stage.source.gives(1, "new"));
            stage.settle().await;
            stage.source.open();
            let after = after.ended().await;
            before.leave().await;
            Ok(Verdict::unless(after.is("new"), || format!("the second caller got {after}")))
        }
        .boxed()
    },
};
