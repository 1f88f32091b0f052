//! Delivering what the shared tier has missed, and sending again what it may have forgotten.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rucache_core::{Error, ErrorKind, Key, Marker, MarkerRef, MarkerVersion};

use crate::engine::Engine;
use crate::outbox::Invalidation;
use crate::services::SeenMarker;
use crate::shared::Shared;

/// How long until what could not be delivered is tried again, unless a node comes back before.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Most entries of one batch.
const BATCH: usize = 500;

impl Engine {
    /// Keeps an invalidation that the shared tier has not confirmed, and sees to its delivery.
    pub(crate) fn defer(&self, invalidation: Invalidation) {
        self.outbox.put(invalidation);
        if self.delivering.swap(true, Ordering::AcqRel) {
            return;
        }
        let (weak, runtime) = (self.myself.clone(), self.runtime.clone());
        let nap = runtime.clone();
        runtime.spawn(Box::pin(async move {
            loop {
                nap.sleep(TRY_AGAIN).await;
                let Some(engine) = weak.upgrade() else { return };
                if let Some(shared) = &engine.shared {
                    // What fails stays where it is.
                    let _ = engine.deliver(shared).await;
                }
                if engine.outbox.len() > 0 {
                    continue;
                }
                engine.delivering.store(false, Ordering::Release);
                // Something may have come since it was found empty.
                if engine.outbox.len() == 0 || engine.delivering.swap(true, Ordering::AcqRel) {
                    return;
                }
            }
        }));
    }

    /// A node answers again: what it has missed is delivered before anybody reads from it.
    pub(crate) async fn recover(&self) -> Result<(), Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let rewound = self.rewound.swap(false, Ordering::AcqRel);
        if rewound {
            self.outbox.again(self.runtime.now());
        }
        let restored = async {
            if rewound && !cfg!(mutant = "rewind") {
                self.reseed(shared).await?;
            }
            self.deliver(shared).await
        };
        let restored = restored.await;
        if restored.is_err() && rewound {
            self.rewound.store(true, Ordering::Release);
        }
        restored
    }

    /// Sends everything in the outbox; an error when something could not be sent for another reason
    /// than that its node is known to be down.
    async fn deliver(&self, shared: &Shared) -> Result<(), Error> {
        let (mut deletes, mut expires) = (Vec::new(), Vec::new());
        let (mut epochs, mut markers) = (Vec::new(), Vec::new());
        for (invalidation, id) in self.outbox.waiting() {
            match &invalidation {
                Invalidation::Delete(_) => deletes.push((invalidation, id)),
                Invalidation::Expire(_) => expires.push((invalidation, id)),
                Invalidation::Raise(Marker::TagEpoch(_)) => epochs.push((invalidation, id)),
                Invalidation::Raise(_) => markers.push((invalidation, id)),
            }
        }
        let mut result = Ok(());
        // Epochs before tags: a load that sees the old epoch must see the old tag.
        self.deliver_raises(shared, &epochs, &mut result).await;
        markers.retain(|(invalidation, _)| !self.outbox.waits_for_epoch(invalidation));
        self.deliver_raises(shared, &markers, &mut result).await;
        for batch in deletes.chunks(BATCH) {
            let answers = shared.delete(&keys(batch)).await;
            self.settle(batch, answers, &mut result);
        }
        for batch in expires.chunks(BATCH) {
            let answers = shared.expire(&keys(batch)).await;
            self.settle(batch, answers, &mut result);
        }
        result
    }

    async fn deliver_raises(
        &self,
        shared: &Shared,
        raises: &[(Invalidation, u64)],
        result: &mut Result<(), Error>,
    ) {
        let markers: Vec<Marker> = raises.iter().filter_map(|(one, _)| one.marker()).collect();
        let least = shared.seed();
        let answers = shared.raise(&markers, least).await;
        for (marker, _) in markers.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()) {
            self.note_raised(marker, least);
        }
        self.settle(raises, answers, result);
    }

    fn settle<T>(
        &self,
        sent: &[(Invalidation, u64)],
        answers: Vec<Result<T, Error>>,
        result: &mut Result<(), Error>,
    ) {
        for ((invalidation, id), answer) in sent.iter().zip(answers) {
            match answer {
                Ok(_) => self.outbox.delivered(invalidation, *id, self.runtime.now()),
                Err(error) if error.kind() == ErrorKind::CircuitOpen => {}
                Err(error) => *result = Err(error),
            }
        }
    }

    /// Raises every marker that stands lower than it was seen: entries written before it was raised
    /// would be good again.
    async fn reseed(&self, shared: &Shared) -> Result<(), Error> {
        let mut seen: Vec<(Marker, MarkerVersion)> = Vec::new();
        let mut note = |marker, highest: &SeenMarker| {
            seen.extend(highest.highest().map(|highest| (marker, highest)));
        };
        note(Marker::Root, &self.services.seen_root);
        for service in self.services.all() {
            note(Marker::Service(service.name.clone()), &service.seen);
        }
        for tag in self.tags.all() {
            note(Marker::Tag(tag.guard.tag.clone()), &tag.seen);
        }
        for batch in seen.chunks(BATCH) {
            let at: Vec<MarkerRef> = batch.iter().filter_map(|(marker, _)| near(marker)).collect();
            let mut raised = Vec::new();
            let mut least = shared.seed();
            for ((marker, highest), now) in batch.iter().zip(shared.marker_versions(&at).await) {
                if now? < *highest {
                    raised.push(marker.clone());
                    least = least.max(MarkerVersion::from_raw(highest.as_raw() + 1));
                }
            }
            for answer in shared.raise(&raised, least).await {
                answer?;
            }
        }
        Ok(())
    }
}

impl Invalidation {
    fn marker(&self) -> Option<Marker> {
        match self {
            Self::Raise(marker) => Some(marker.clone()),
            Self::Delete(_) | Self::Expire(_) => None,
        }
    }
}

fn keys(batch: &[(Invalidation, u64)]) -> Vec<Key> {
    let key = |(invalidation, _): &(Invalidation, u64)| match invalidation {
        Invalidation::Delete(key) | Invalidation::Expire(key) => Some(key.clone()),
        Invalidation::Raise(_) => None,
    };
    batch.iter().filter_map(key).collect()
}

/// A marker as it stands at any node that has it.
fn near(marker: &Marker) -> Option<MarkerRef> {
    let service = match marker {
        Marker::Root => rucache_core::ServiceName::default(),
        Marker::Service(name) | Marker::TagEpoch(name) => name.clone(),
        Marker::Tag(tag) => tag.service_name(),
    };
    let near = Key::new(&service, "marker").ok()?;
    Some(MarkerRef { marker: marker.clone(), near })
}
