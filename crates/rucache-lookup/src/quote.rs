//! What a look-up of many would cost, without asking a metered source.

use std::sync::Arc;

use rucache_core::Key;
use rucache_engine::Found;
use rucache_ruc::{Quote, Ruc};

use crate::many::Input;
use crate::{CachedRecord, RucCache};

/// Numbers that the cache is asked for at once.
const READ: usize = 1_024;

/// What a look-up of many would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookupQuote {
    /// Texts, those that stand several times included.
    pub total: usize,
    /// Texts that are no RUC.
    pub invalid: usize,
    /// Different numbers that the cache answers.
    pub cached: usize,
    /// What asking for the others costs, by source: about, because the sources are not asked.
    pub sources: Vec<Quote>,
}

impl LookupQuote {
    /// Calls that count against a plan, at all sources.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.sources.iter().map(|quote| quote.calls).fold(0, u64::saturating_add)
    }
}

impl RucCache {
    /// What [`lookup_texts`](Self::lookup_texts) of `texts` would cost now. Nothing is asked of a
    /// source whose calls cost anything, and nothing is stored.
    pub async fn quote<T: AsRef<str>>(&self, texts: &[T]) -> LookupQuote {
        let input = Input::of(texts.iter().map(|text| text.as_ref().parse()));
        let missing = self.missing(&input.numbers).await;
        let sources = match missing.is_empty() {
            true => Vec::new(),
            false => self.provider().quote(&missing).await,
        };
        LookupQuote {
            total: texts.len(),
            invalid: input.places.iter().filter(|place| place.is_err()).count(),
            cached: input.numbers.len() - missing.len(),
            sources,
        }
    }

    /// Those of `numbers` that the cache neither has fresh nor knows not to exist.
    async fn missing(&self, numbers: &Arc<[Ruc]>) -> Vec<Ruc> {
        let mut missing = Vec::new();
        for part in numbers.chunks(READ) {
            let keys: Vec<Key> = part.iter().map(|ruc| self.key(*ruc)).collect();
            // Not counted as reads: what is only asked about is not looked up.
            let found = self.cache().inspect_many::<CachedRecord>(&keys).await;
            missing.extend(
                part.iter()
                    .zip(&found)
                    .filter(|(ruc, found)| !matches!(found, Ok(found) if answers(found, **ruc)))
                    .map(|(ruc, _)| *ruc),
            );
        }
        missing
    }
}

/// Whether what the cache has of `ruc` answers a look-up: neither stale nor lapsed.
fn answers(found: &Found<CachedRecord>, ruc: Ruc) -> bool {
    match found {
        Found::Value(hit) => hit.record.ruc() == ruc && !hit.outcome.ttl.is_zero(),
        Found::Negative(verdict) => !verdict.outcome.ttl.is_zero(),
        Found::Nothing => false,
    }
}
