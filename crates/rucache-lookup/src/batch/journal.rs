//! Keeping the record of a batch, in the cache, for a day after its last word.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rucache_core::{Mono, Ttl};
use rucache_engine::{CacheError, Found, ServedFrom};
use rucache_ruc::Outcome;
use sha2::{Digest, Sha256};

use super::record::{BatchId, BatchRecord, BatchStatus, CacheCounts, OutcomeCounts};
use crate::{Lookup, RucCache};

/// How often the record of a batch that runs is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Keeps the record of a batch. Clones share it.
#[derive(Clone)]
pub(super) struct Journal(Arc<Shared>);

struct Shared {
    rucs: RucCache,
    /// Whether there may be an earlier run.
    is_named: bool,
    page: Mutex<Page>,
}

struct Page {
    record: BatchRecord,
    has_begun: bool,
    written: Mono,
}

impl Journal {
    pub(super) fn new<T: AsRef<str>>(
        rucs: RucCache,
        id: BatchId,
        texts: &[T],
        skipped: usize,
        is_named: bool,
    ) -> Self {
        let now = rucs.cache().runtime().wall();
        let record = BatchRecord {
            batch_id: id,
            service: rucs.service_name().clone(),
            status: BatchStatus::Running,
            total: texts.len(),
            done: 0,
            skipped,
            counts: OutcomeCounts::default(),
            cache: CacheCounts::default(),
            runs: 1,
            input: digest(texts),
            started_at: now,
            updated_at: now,
        };
        let written = rucs.cache().runtime().now();
        let page = Mutex::new(Page { record, has_begun: false, written });
        Self(Arc::new(Shared { rucs, is_named, page }))
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self) -> BatchRecord {
        self.page().record.clone()
    }

    /// Takes over from an earlier run of the same input.
    pub(super) async fn begin(&self) {
        let (id, input) = {
            let mut page = self.page();
            page.has_begun = true;
            (page.record.batch_id.clone(), page.record.input.clone())
        };
        if !self.0.is_named {
            return;
        }
        if let Ok(Some(earlier)) = read(&self.0.rucs, &id).await
            && earlier.input == input
        {
            let mut page = self.page();
            page.record.runs = earlier.runs.saturating_add(1);
            page.record.started_at = earlier.started_at;
        }
    }

    /// Counts a look-up.
    pub(super) fn note(&self, lookup: &Lookup) {
        let record = &mut self.page().record;
        record.done += 1;
        let counts = &mut record.counts;
        let (count, is_asked) = match &lookup.outcome {
            Outcome::Found(_) => (&mut counts.found, true),
            Outcome::NotFound(_) => (&mut counts.not_found, true),
            Outcome::Invalid(_) => (&mut counts.invalid, false),
            Outcome::Unavailable(_) => (&mut counts.unavailable, true),
        };
        *count += 1;
        if is_asked {
            *match lookup.served.map(|served| served.from) {
                Some(ServedFrom::Local | ServedFrom::Shared) => &mut record.cache.hit,
                Some(ServedFrom::Stale(_)) => &mut record.cache.stale,
                _ => &mut record.cache.miss,
            } += 1;
        }
    }

    /// Writes the record if that was long ago.
    pub(super) async fn write_now_and_then(&self) {
        let now = self.0.rucs.cache().runtime().now();
        if now.since(self.page().written) >= WRITE_EVERY {
            self.write(BatchStatus::Running).await;
        }
    }

    pub(super) async fn end(&self) {
        self.write(BatchStatus::Done).await;
    }

    /// Writes, apart from the caller, that nobody wants the rest; nothing for a batch that has not
    /// begun, or has ended.
    pub(super) fn interrupt(&self) {
        let status = {
            let Page { record, has_begun, .. } = &*self.page();
            if !has_begun || record.status != BatchStatus::Running {
                return;
            }
            match record.done + record.skipped == record.total {
                true => BatchStatus::Done,
                false => BatchStatus::Interrupted,
            }
        };
        let journal = self.clone();
        let last_word = async move { journal.write(status).await };
        self.0.rucs.cache().runtime().spawn(Box::pin(last_word));
    }

    async fn write(&self, status: BatchStatus) {
        let cache = self.0.rucs.cache();
        let record = {
            let mut page = self.page();
            page.written = cache.runtime().now();
            page.record.status = status;
            page.record.updated_at = cache.runtime().wall();
            page.record.clone()
        };
        if let Ok(key) = record.batch_id.key(&record.service) {
            // A batch does not fail because nobody can ask how far it is.
            let _ = cache.set(&key, &record, Ttl::LONG).await;
        }
    }
}

/// The record of the batch called `id`.
pub(super) async fn read(rucs: &RucCache, id: &BatchId) -> Result<Option<BatchRecord>, CacheError> {
    let key = id.key(rucs.service_name())?;
    let found = rucs.cache().inspect_many(&[key]).await.pop().transpose()?;
    Ok(match found {
        Some(Found::Value(hit)) => Some(Arc::unwrap_or_clone(hit.value)),
        _ => None,
    })
}

/// What tells one input from another.
fn digest<T: AsRef<str>>(texts: &[T]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        let text = text.as_ref();
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
