//! The taxpayer records of a service, cached.

use std::fmt;
use std::sync::Arc;

use rucache_core::{Key, ServiceName, Timestamp};
use rucache_engine::{
    Accept, Cache, CacheError, Found, Hit, LoadError, Loaded, Only, Policy, Removed, ServedFrom,
    Verdict, Written,
};
use rucache_ruc::{
    Cause, NotFound, Outcome, Profile, Provider, Reason, ReasonKind, Ruc, Taxpayer, Unanswered,
    ruc_key,
};

use crate::lookups::{ServiceState, Shared};
use crate::provide::{NoAnswer, no_answer, policy};
use crate::{CachedRecord, LookupOptions, Lookups};

/// Taxpayer records of one service: cached under `ruc_{number}`, asked of a provider when missing.
///
/// Clones share everything.
#[derive(Clone)]
pub struct RucCache {
    cache: Cache,
    shared: Arc<Shared>,
    state: Arc<ServiceState>,
}

/// The outcome of a look-up, and how the cache answered.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// What is known of the number.
    pub outcome: Outcome,
    /// How the cache came by the record, or by the verdict that there is none; none where it has
    /// neither.
    pub served: Option<rucache_engine::Outcome>,
}

impl From<Outcome> for Lookup {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, served: None }
    }
}

impl RucCache {
    /// Records in the service of `cache`, asked of `provider`, as fresh as `profile` says, with
    /// look-ups of their own. Where a process has several services, it has one [`Lookups`].
    #[must_use]
    pub fn new(cache: Cache, provider: Arc<dyn Provider>, profile: Profile) -> Self {
        let options = LookupOptions::default().with_profile(profile);
        let service = cache.service_name().clone();
        Lookups::without_rules(cache, provider, options).ruc(&service)
    }

    pub(crate) fn of(lookups: &Lookups, cache: Cache, state: Arc<ServiceState>) -> Self {
        Self { cache, shared: lookups.0.clone(), state }
    }

    /// What this service shares with the others.
    #[must_use]
    pub fn lookups(&self) -> Lookups {
        Lookups(self.shared.clone())
    }

    /// The service that the records are cached in.
    #[must_use]
    pub fn service_name(&self) -> &ServiceName {
        self.cache.service_name()
    }

    /// The provider that is asked.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.shared.provider
    }

    pub(crate) const fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) const fn state(&self) -> &Arc<ServiceState> {
        &self.state
    }

    /// The fresh record of `ruc` in the cache, without asking the provider.
    pub async fn get(&self, ruc: &Ruc) -> Option<Hit<CachedRecord>> {
        self.state.sketch.note(*ruc);
        // The name of a RUC is always a key.
        let hit: Option<Hit<CachedRecord>> =
            self.cache.read(&self.key(*ruc), Accept::Fresh).await.ok().flatten();
        hit.filter(|hit| hit.record.ruc() == *ruc)
    }

    /// Stores `record` under its own number, for as long as `life` or else the profile says. A mark
    /// of the number is gone.
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
        let ruc = record.ruc();
        let (key, given) = self.given(record, life);
        let written = self.cache.put(&key, given, self.default_life()).await?;
        // A value is no longer listed as invalid; should that fail, a listing passes over it.
        let _ = self.unlist(vec![ruc.to_string()]).await;
        Ok(written)
    }

    /// A record as it is stored: with its tags, for as long as `life` or else the profile says.
    pub(crate) fn given(
        &self,
        record: Arc<Taxpayer>,
        life: Option<Policy>,
    ) -> (Key, Loaded<CachedRecord>) {
        let key = self.key(record.ruc());
        let life = life.unwrap_or_else(|| self.life(&record, None));
        let tags: Vec<String> = rucache_ruc::tags(&record).collect();
        let cached = CachedRecord { record, as_of: None, source: None };
        (key, Loaded::new(cached).with_tags(tags).with_policy(life))
    }

    /// Drops the record of `ruc`; a mark of it stays.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn delete(&self, ruc: &Ruc) -> Result<Removed, CacheError> {
        self.cache.delete_only(&self.key(*ruc), Only::Value).await
    }

    /// What is known of `ruc`: from the cache, else from the provider.
    pub async fn lookup(&self, ruc: &Ruc) -> Outcome {
        self.lookup_served(ruc).await.outcome
    }

    /// As [`lookup`](Self::lookup), and tells how the cache answered.
    pub async fn lookup_served(&self, ruc: &Ruc) -> Lookup {
        self.state.sketch.note(*ruc);
        let key = self.key(*ruc);
        match self.cache.find::<CachedRecord>(&key, Accept::Fresh) {
            Ok(Found::Value(hit)) if hit.record.ruc() == *ruc => return hit.into(),
            Ok(Found::Negative(verdict)) => return self.refused(verdict),
            _ => {}
        }
        // Apart: a hit does not carry the room along that a load takes.
        Box::pin(self.load_served(*ruc, key)).await
    }

    async fn load_served(&self, ruc: Ruc, key: Key) -> Lookup {
        let mut read = self.read(&key, ruc).await;
        if is_of_another(&read, ruc) {
            // Somebody wrote another number's record under this one's name: no record at all.
            let _ = self.cache.delete(&key).await;
            read = self.read(&key, ruc).await;
        }
        let mut learned = Vec::new();
        let lookup = self.judge(ruc, read, &mut learned);
        self.list_learned(learned);
        lookup
    }

    async fn read(&self, key: &Key, ruc: Ruc) -> Result<Hit<CachedRecord>, LoadError> {
        let rucs = self.clone();
        let load = move || async move { rucs.ask(vec![ruc]).await.pop().unwrap_or_else(no_answer) };
        let read = self.cache.read_or_load(key, self.default_life(), load).await;
        read.map_err(|error| match error {
            CacheError::Load(error) => error,
            // The name of a RUC is always a key, and nothing else is asked of the cache here.
            _ => LoadError::Cancelled,
        })
    }

    /// Loads the record of `ruc` where the cache has no fresh one.
    pub(crate) async fn reload(&self, ruc: Ruc) -> Result<(), LoadError> {
        self.read(&self.key(ruc), ruc).await.map(drop)
    }

    pub(crate) fn key(&self, ruc: Ruc) -> Key {
        ruc_key(self.cache.service_name(), ruc)
    }

    /// The life of a record as its name says, or else its content.
    pub(crate) fn life(&self, record: &Taxpayer, as_of: Option<Timestamp>) -> Policy {
        let now = self.cache.runtime().wall();
        let mut life = policy(self.shared.options.profile.record(record, as_of, now));
        if let Some(ttl) = self.shared.ttl_of(&self.key(record.ruc())) {
            life.fresh = ttl;
        }
        life
    }

    /// The life of a record before anything is known of it; the record then brings its own.
    pub(crate) fn default_life(&self) -> Policy {
        policy(rucache_ruc::Freshness::DEFAULT)
    }

    /// What a read that may have loaded tells of `ruc`; a verdict that it has brought is `learned`.
    pub(crate) fn judge(
        &self,
        ruc: Ruc,
        read: Result<Hit<CachedRecord>, LoadError>,
        learned: &mut Vec<(Ruc, Verdict)>,
    ) -> Lookup {
        match read {
            Ok(hit) if hit.record.ruc() == ruc => hit.into(),
            Ok(_) => Outcome::Unavailable(failed()).into(),
            Err(LoadError::Negative(verdict)) => {
                if verdict.outcome.from == ServedFrom::Load {
                    learned.push((ruc, verdict.clone()));
                }
                self.refused(verdict)
            }
            Err(error) => Outcome::Unavailable(unanswered(&error)).into(),
        }
    }

    /// What a verdict says of a number: nothing where it is a failure of the source.
    pub(crate) fn refused(&self, verdict: Verdict) -> Lookup {
        let reason = Reason::new(verdict.negative.reason.clone());
        let outcome = match reason.kind() {
            ReasonKind::ErrorApi => Outcome::Unavailable(Unanswered {
                retry_after: Some(verdict.outcome.ttl),
                ..failed()
            }),
            _ => Outcome::NotFound(NotFound {
                reason,
                since: verdict.negative.first_seen,
                attempts: verdict.negative.attempts.into(),
            }),
        };
        Lookup { outcome, served: Some(verdict.outcome) }
    }
}

impl From<Hit<CachedRecord>> for Lookup {
    fn from(hit: Hit<CachedRecord>) -> Self {
        let found = rucache_ruc::Found::from(&*hit.value);
        Self { outcome: Outcome::Found(found), served: Some(hit.outcome) }
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
            .field("provider", &self.provider().name())
            .field("profile", &self.shared.options.profile)
            .finish_non_exhaustive()
    }
}

/// Whether what was read under the name of `ruc` is the record of another number.
pub(crate) fn is_of_another(read: &Result<Hit<CachedRecord>, LoadError>, ruc: Ruc) -> bool {
    read.as_ref().is_ok_and(|hit| hit.record.ruc() != ruc)
}

fn failed() -> Unanswered {
    Unanswered { cause: Cause::Failed, retry_after: None, stale: None }
}

pub(crate) fn unanswered(error: &LoadError) -> Unanswered {
    match error {
        LoadError::TimedOut { .. }
        | LoadError::DeadlinePassed { .. }
        | LoadError::LoadedElsewhere => Unanswered { cause: Cause::Timeout, ..failed() },
        LoadError::Overloaded => Unanswered { cause: Cause::Overloaded, ..failed() },
        _ => error.cause().map_or_else(failed, |NoAnswer(unavailable)| (*unavailable).into()),
    }
}
