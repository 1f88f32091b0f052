//! The taxpayer records of a service, cached.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rucache_core::{Key, ServiceName};
use rucache_engine::{
    Accept, Cache, CacheError, Hit, LoadError, Policy, Removed, ServedFrom, Written,
};
use rucache_ruc::{
    Cause, Found, InvalidRuc, NotFound, Outcome, Profile, Provider, Reason, Ruc, Taxpayer,
    Unanswered, ruc_key,
};

use crate::CachedRecord;
use crate::provide::{Asking, CONCURRENCY, NoAnswer, policy};

/// Taxpayer records of one service: cached under `ruc_{number}`, asked of a provider when missing.
///
/// Clones share everything.
#[derive(Clone)]
pub struct RucCache {
    cache: Cache,
    provider: Arc<dyn Provider>,
    profile: Profile,
}

/// The outcome of a look-up, and how the cache answered.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// What is known of the number.
    pub outcome: Outcome,
    /// How the cache came by the record; none where there is no record.
    pub served: Option<rucache_engine::Outcome>,
}

impl From<Outcome> for Lookup {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, served: None }
    }
}

impl RucCache {
    /// Records in the service of `cache`, asked of `provider`, as fresh as `profile` says.
    #[must_use]
    pub fn new(cache: Cache, provider: Arc<dyn Provider>, profile: Profile) -> Self {
        Self { cache, provider, profile }
    }

    /// The service that the records are cached in.
    #[must_use]
    pub fn service_name(&self) -> &ServiceName {
        self.cache.service_name()
    }

    /// The provider that is asked.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// The fresh record of `ruc` in the cache, without asking the provider.
    pub async fn get(&self, ruc: &Ruc) -> Option<Hit<CachedRecord>> {
        // The name of a RUC is always a key.
        let hit: Option<Hit<CachedRecord>> =
            self.cache.read(&self.key(*ruc), Accept::Fresh).await.ok().flatten();
        hit.filter(|hit| hit.record.ruc() == *ruc)
    }

    /// Stores `record` under its own number, for as long as `life` or else the profile says.
    ///
    /// # Errors
    ///
    /// [`CacheError::TooLarge`] when the record passes the cache's limit.
    pub async fn set(
        &self,
        record: impl Into<Arc<Taxpayer>>,
        life: Option<Policy>,
    ) -> Result<Written, CacheError> {
        let record = record.into();
        let key = self.key(record.ruc());
        let now = self.cache.runtime().wall();
        let life = life.unwrap_or_else(|| policy(self.profile.record(&record, None, now)));
        let cached = CachedRecord { record, as_of: None, source: None };
        self.cache.set_shared(&key, Arc::new(cached), life).await
    }

    /// Drops the record of `ruc`.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn delete(&self, ruc: &Ruc) -> Result<Removed, CacheError> {
        self.cache.delete(&self.key(*ruc)).await
    }

    /// What is known of `ruc`: from the cache, else from the provider.
    pub async fn lookup(&self, ruc: &Ruc) -> Outcome {
        self.lookup_served(ruc).await.outcome
    }

    /// As [`lookup`](Self::lookup), and tells how the cache answered.
    pub async fn lookup_served(&self, ruc: &Ruc) -> Lookup {
        let key = self.key(*ruc);
        let mut read = self.read(&key, *ruc).await;
        if is_of_another(&read, *ruc) {
            // Somebody wrote another number's record under this one's name: no record at all.
            let _ = self.cache.delete(&key).await;
            read = self.read(&key, *ruc).await;
        }
        if is_of_another(&read, *ruc) {
            return Outcome::Unavailable(failed()).into();
        }
        self.judge(read)
    }

    async fn read(&self, key: &Key, ruc: Ruc) -> Result<Hit<CachedRecord>, LoadError> {
        let asking = self.asking();
        let load = move || async move {
            let unanswered = || Err(NoAnswer(rucache_ruc::Unavailable::new(Cause::Failed)));
            asking.ask(vec![ruc]).await.pop().unwrap_or_else(unanswered)
        };
        let read = self.cache.read_or_load(key, self.default_life(), load).await;
        read.map_err(|error| match error {
            CacheError::Load(error) => error,
            // The name of a RUC is always a key, and nothing else is asked of the cache here.
            _ => LoadError::Cancelled,
        })
    }

    /// What is known of each of `rucs`, in their order; the provider is asked for the missing ones
    /// together, and once for a number that stands twice.
    pub async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Lookup> {
        let keys: Vec<Key> = rucs.iter().map(|ruc| self.key(*ruc)).collect();
        let numbers: Arc<HashMap<Key, Ruc>> =
            Arc::new(keys.iter().cloned().zip(rucs.iter().copied()).collect());
        let asking = self.asking();
        let load = move |missing: Vec<Key>| {
            let rucs = missing.iter().filter_map(|key| numbers.get(key).copied()).collect();
            asking.clone().ask(rucs)
        };
        // What one load asks for goes out in full calls, all under way at once.
        let at_once = self.provider.batch_limit().saturating_mul(CONCURRENCY);
        let reads = self.cache.read_or_load_many(&keys, self.default_life(), at_once, load).await;
        let mut lookups = Vec::with_capacity(rucs.len());
        for (read, ruc) in reads.into_iter().zip(rucs) {
            lookups.push(match is_of_another(&read, *ruc) {
                true => self.lookup_served(ruc).await,
                false => self.judge(read),
            });
        }
        lookups
    }

    /// What is known of each of `texts`, in their order; what is no RUC is told without asking.
    pub async fn lookup_texts<T: AsRef<str>>(&self, texts: &[T]) -> Vec<Lookup> {
        let parsed: Vec<Result<Ruc, InvalidRuc>> =
            texts.iter().map(|text| text.as_ref().parse()).collect();
        let rucs: Vec<Ruc> = parsed.iter().filter_map(|ruc| ruc.as_ref().ok().copied()).collect();
        let mut lookups = self.lookup_many(&rucs).await.into_iter();
        parsed
            .into_iter()
            .map(|ruc| match ruc {
                Ok(_) => lookups.next().unwrap_or_else(|| Outcome::Unavailable(failed()).into()),
                Err(invalid) => Outcome::Invalid(invalid).into(),
            })
            .collect()
    }

    fn key(&self, ruc: Ruc) -> Key {
        ruc_key(self.cache.service_name(), ruc)
    }

    fn asking(&self) -> Asking {
        Asking {
            provider: self.provider.clone(),
            runtime: self.cache.runtime().clone(),
            profile: self.profile,
            deadline: self.cache.timing().load_deadline,
            shared: self.cache.backend().is_some(),
        }
    }

    /// The life of a record before anything is known of it; the record then brings its own.
    fn default_life(&self) -> Policy {
        policy(rucache_ruc::Freshness::DEFAULT)
    }

    fn judge(&self, read: Result<Hit<CachedRecord>, LoadError>) -> Lookup {
        match read {
            Ok(hit) => {
                let found = Found::from(&*hit.value);
                Lookup { outcome: Outcome::Found(found), served: Some(hit.outcome) }
            }
            Err(LoadError::Absent) => Lookup::from(Outcome::NotFound(NotFound {
                reason: Reason::NO_EXISTE_SUNAT,
                since: self.cache.runtime().wall(),
                attempts: 1,
            })),
            Err(error) => Outcome::Unavailable(unanswered(&error)).into(),
        }
    }
}

impl Lookup {
    /// Whether the record was served past its fresh life.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.served.is_some_and(|served| matches!(served.from, ServedFrom::Stale(_)))
    }
}

impl fmt::Debug for RucCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RucCache")
            .field("service", self.cache.service_name())
            .field("provider", &self.provider.name())
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// Whether what was read under the name of `ruc` is the record of another number.
fn is_of_another(read: &Result<Hit<CachedRecord>, LoadError>, ruc: Ruc) -> bool {
    read.as_ref().is_ok_and(|hit| hit.record.ruc() != ruc)
}

fn failed() -> Unanswered {
    Unanswered { cause: Cause::Failed, retry_after: None, stale: None }
}

fn unanswered(error: &LoadError) -> Unanswered {
    match error {
        LoadError::TimedOut { .. }
        | LoadError::DeadlinePassed { .. }
        | LoadError::LoadedElsewhere => Unanswered { cause: Cause::Timeout, ..failed() },
        _ => error.cause().map_or_else(failed, |NoAnswer(unavailable)| (*unavailable).into()),
    }
}
