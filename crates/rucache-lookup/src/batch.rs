//! A batch: many look-ups under one name, as they come or in order, with a record of the progress.

mod journal;
mod record;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use rucache_engine::CacheError;
use rucache_ruc::{Outcome, Ruc};

use crate::many::{Input, unknown};
use crate::{Lookup, RucCache};

use journal::Journal;

pub use record::{BatchId, BatchRecord, BatchStatus, CacheCounts, InvalidBatchId, OutcomeCounts};

/// What a batch can be told.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BatchOptions {
    /// The name of the batch; a random one without. The name of one that was interrupted resumes
    /// it: what it has brought into the cache is not asked for again.
    pub id: Option<BatchId>,
    /// The first position that is wanted: what stands before it is not looked up.
    pub from: usize,
}

impl BatchOptions {
    /// The same, for the batch called `id`.
    #[must_use]
    pub fn with_id(mut self, id: BatchId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same, from the position `from` on.
    #[must_use]
    pub const fn with_from(mut self, from: usize) -> Self {
        self.from = from;
        self
    }
}

/// One look-up of a batch that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchItem {
    /// Where its text stands in the input, from 0.
    pub position: usize,
    /// What is known.
    pub lookup: Lookup,
}

/// Many look-ups: a stream of what ends, as it ends. Nothing is asked for before it is polled; what
/// is dropped half-way is noted as interrupted.
///
/// Texts that are no RUC come first, then what the cache has, then what the provider brings. A
/// number that stands several times is looked up once and told each time.
pub struct Batch {
    id: BatchId,
    len: usize,
    from: usize,
    items: BoxStream<'static, BatchItem>,
    journal: Journal,
}

/// A batch under way.
struct Running {
    /// The positions of each different number.
    positions: HashMap<usize, Vec<usize>>,
    ended: BoxStream<'static, (usize, Lookup)>,
    ready: VecDeque<BatchItem>,
    journal: Journal,
    has_begun: bool,
}

impl RucCache {
    /// Looks `texts` up.
    #[must_use]
    pub fn batch<T: AsRef<str>>(&self, texts: &[T], options: BatchOptions) -> Batch {
        let from = options.from.min(texts.len());
        let id = options.id.clone().unwrap_or_else(|| BatchId::random(self.cache().runtime()));
        let wanted = texts.iter().skip(from).map(|text| text.as_ref().parse::<Ruc>());
        let Input { numbers, places } = Input::of(wanted);
        let mut positions: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut ready = VecDeque::new();
        for (position, place) in (from..).zip(places) {
            match place {
                Ok(place) => positions.entry(place).or_default().push(position),
                Err(invalid) => {
                    let lookup = Outcome::Invalid(invalid).into();
                    ready.push_back(BatchItem { position, lookup });
                }
            }
        }
        let journal = Journal::new(self.clone(), id.clone(), texts, from, options.id.is_some());
        let ended = self.lookup_each(Arc::clone(&numbers)).boxed();
        let running =
            Running { positions, ended, ready, journal: journal.clone(), has_begun: false };
        let items = stream::unfold(running, |mut running| async move {
            let item = running.proceed().await?;
            Some((item, running))
        });
        Batch { id, len: texts.len(), from, items: items.boxed(), journal }
    }

    /// The record of the batch called `id`, for a day after its last word.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend does not answer.
    pub async fn batch_record(&self, id: &BatchId) -> Result<Option<BatchRecord>, CacheError> {
        journal::read(self, id).await
    }
}

impl Running {
    async fn proceed(&mut self) -> Option<BatchItem> {
        if !self.has_begun {
            self.has_begun = true;
            self.journal.begin().await;
        }
        loop {
            if let Some(item) = self.ready.pop_front() {
                self.journal.note(&item.lookup);
                self.journal.write_now_and_then().await;
                return Some(item);
            }
            let Some((place, lookup)) = self.ended.next().await else {
                self.journal.end().await;
                return None;
            };
            let positions = self.positions.remove(&place).unwrap_or_default();
            self.ready.extend(
                positions
                    .into_iter()
                    .map(|position| BatchItem { position, lookup: lookup.clone() }),
            );
        }
    }
}

impl Batch {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &BatchId {
        &self.id
    }

    /// The record of it as it stands now.
    #[must_use]
    pub fn record(&self) -> BatchRecord {
        self.journal.record()
    }

    /// The same look-ups in the order of the input; one that ends before those ahead of it waits for
    /// them.
    pub fn in_order(self) -> impl Stream<Item = BatchItem> + Send {
        let (batch, early, next) = (self, HashMap::new(), 0);
        let next = next.max(batch.from);
        stream::unfold((batch, early, next), |(mut batch, mut early, next)| async move {
            loop {
                if let Some(lookup) = early.remove(&next) {
                    let item = BatchItem { position: next, lookup };
                    return Some((item, (batch, early, next + 1)));
                }
                let item = batch.next().await?;
                early.insert(item.position, item.lookup);
            }
        })
    }

    /// All of it: the record at the end, and what is known of each text from the first wanted on, in
    /// their order.
    pub async fn finish(mut self) -> (BatchRecord, Vec<Lookup>) {
        let mut lookups: Vec<Option<Lookup>> = vec![None; self.len - self.from];
        while let Some(item) = self.items.next().await {
            lookups[item.position - self.from] = Some(item.lookup);
        }
        let told = |lookup: Option<Lookup>| lookup.unwrap_or_else(|| unknown().into());
        (self.record(), lookups.into_iter().map(told).collect())
    }
}

impl Stream for Batch {
    type Item = BatchItem;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<BatchItem>> {
        self.items.poll_next_unpin(context)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.journal.interrupt();
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("id", &self.id)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
