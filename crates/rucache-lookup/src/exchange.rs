//! Exchange rates: by currency and day in Lima, from the cache, else from the provider.

use std::time::Duration;

use rucache_core::{Key, ServiceName, Timestamp, Ttl};
use rucache_engine::{
    Accept, Cache, CacheError, Found, Hit, LoadError, Loaded, Outcome, Policy, Removed, Written,
};
use rucache_ruc::{
    Cause, Currency, ExchangeRate, Freshness, LimaDate, RateQuery, Reply, Unavailable,
    exchange_rate_key,
};
use thiserror::Error;

use crate::Lookups;
use crate::provide::{learned_policy, policy};

/// How many days back the latest rate is looked for in the cache: the longest run of days without
/// one is shorter.
const DAYS_BACK: usize = 10;

/// Why there is no rate for a day that has none.
const NONE_PUBLISHED: &str = "NO_PUBLICADO";

/// The exchange rates of one service: cached under `exchange_rate_{currency}_{day}`.
///
/// Clones share everything.
#[derive(Debug, Clone)]
pub struct ExchangeRates {
    lookups: Lookups,
    cache: Cache,
}

/// What is known of a rate, and how the cache answered.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct RateLookup {
    /// What is known.
    pub reply: Reply<ExchangeRate>,
    /// How the cache came by it; none where it has nothing.
    pub served: Option<Outcome>,
    /// When asking again makes sense, where that is known.
    pub retry_after: Option<Duration>,
}

/// Why the provider gave no rate, on its way through the engine.
#[derive(Debug, Error)]
#[error("the provider could not answer")]
enum NoRate {
    NotCovered,
    Unavailable(Unavailable),
}

impl ExchangeRates {
    pub(crate) fn of(lookups: &Lookups, service: &ServiceName) -> Self {
        Self { lookups: lookups.clone(), cache: lookups.cache().service(service) }
    }

    /// The service that the rates are cached in.
    #[must_use]
    pub fn service_name(&self) -> &ServiceName {
        self.cache.service_name()
    }

    /// The fresh rate of `day` in the cache, without asking the provider.
    pub async fn get(&self, currency: Currency, day: LimaDate) -> Option<Hit<ExchangeRate>> {
        let hit: Hit<ExchangeRate> =
            self.cache.read(&self.key(currency, day).ok()?, Accept::Fresh).await.ok()??;
        is_of(&hit.value, currency, day).then_some(hit)
    }

    /// Stores `rate` under its own currency and day, for as long as `life` or else the profile
    /// says.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn set(
        &self,
        rate: ExchangeRate,
        life: Option<Policy>,
    ) -> Result<Written, CacheError> {
        let key = self.key(rate.currency, rate.day)?;
        let life = life.unwrap_or_else(|| self.life(&key, rate.day));
        self.cache.put(&key, Loaded::new(rate), life).await
    }

    /// Drops what is known of the rate of `day`.
    ///
    /// # Errors
    ///
    /// [`CacheError::Backend`] when the backend cannot do that at all.
    pub async fn delete(&self, currency: Currency, day: LimaDate) -> Result<Removed, CacheError> {
        self.cache.delete(&self.key(currency, day)?).await
    }

    /// The rate of `day`: from the cache, else from the provider.
    ///
    /// That there is none of today yet is remembered for minutes, of an earlier day for longer each
    /// time it is confirmed.
    pub async fn lookup(&self, currency: Currency, day: LimaDate) -> RateLookup {
        let Ok(key) = self.key(currency, day) else { return RateLookup::nobody_knows() };
        let rates = self.clone();
        let load = move || async move { rates.load(currency, day).await };
        self.judged(&key, currency, day, load).await
    }

    /// The latest rate that is published: today's where there is one, else that of the last day that
    /// has one. It is cached under its own day.
    pub async fn latest(&self, currency: Currency) -> RateLookup {
        let today = LimaDate::at(self.now());
        let Ok(key) = self.key(currency, today) else { return RateLookup::nobody_knows() };
        let rates = self.clone();
        let load = move || async move { rates.load_latest(currency, today).await };
        let of_today = self.judged(&key, currency, today, load).await;
        match of_today.reply {
            Reply::Found(_) => of_today,
            // Known a moment ago not to be published, or nobody could tell, or somebody else stores
            // them: an earlier one will do.
            _ => self.latest_cached(currency).await.unwrap_or(of_today),
        }
    }

    /// Loads the rate of `day` where the cache has no fresh one.
    pub(crate) async fn reload(&self, currency: Currency, day: LimaDate) -> Result<(), CacheError> {
        let (key, rates) = (self.key(currency, day)?, self.clone());
        let load = move || async move { rates.load(currency, day).await };
        match self.cache.read_or_load(&key, self.life(&key, day), load).await {
            Ok(_) | Err(CacheError::Load(LoadError::Negative(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn judged<F, Fut>(
        &self,
        key: &Key,
        currency: Currency,
        day: LimaDate,
        load: F,
    ) -> RateLookup
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded<ExchangeRate>, NoRate>> + Send + 'static,
    {
        let read = self.cache.read_or_load(key, self.life(key, day), load).await;
        match read {
            Ok(hit) if is_of(&hit.value, currency, day) => RateLookup::found(&hit),
            // Somebody wrote another day's rate under this one's name: no rate at all.
            Ok(_) => RateLookup::nobody_knows(),
            Err(CacheError::Load(LoadError::Negative(verdict))) => RateLookup {
                reply: Reply::NotFound,
                served: Some(verdict.outcome),
                retry_after: Some(verdict.outcome.ttl),
            },
            Err(CacheError::Load(error)) => RateLookup::unanswered(&error),
            Err(_) => RateLookup::nobody_knows(),
        }
    }

    async fn load(
        &self,
        currency: Currency,
        day: LimaDate,
    ) -> Result<Loaded<ExchangeRate>, NoRate> {
        let query = RateQuery { currency, day: Some(day) };
        match self.lookups.provider().exchange_rate(query).await {
            Reply::Found(rate) if is_of(&rate, currency, day) => Ok(rate.into()),
            Reply::Found(_) => Err(NoRate::Unavailable(Unavailable::new(Cause::Failed))),
            Reply::NotFound => Ok(self.none_of(day)),
            Reply::NotCovered => Err(NoRate::NotCovered),
            Reply::Unavailable(unavailable) => Err(NoRate::Unavailable(unavailable)),
        }
    }

    /// Loads the latest rate on behalf of today's; one of another day is stored under its own.
    async fn load_latest(
        &self,
        currency: Currency,
        today: LimaDate,
    ) -> Result<Loaded<ExchangeRate>, NoRate> {
        let query = RateQuery { currency, day: None };
        match self.lookups.provider().exchange_rate(query).await {
            Reply::Found(rate) if is_of(&rate, currency, today) => Ok(rate.into()),
            Reply::Found(rate) if rate.currency == currency => {
                // Should that fail, the next one who asks loads it.
                let _ = self.set(rate, None).await;
                Ok(self.none_of(today))
            }
            Reply::Found(_) => Err(NoRate::Unavailable(Unavailable::new(Cause::Failed))),
            Reply::NotFound => Ok(self.none_of(today)),
            Reply::NotCovered => Err(NoRate::NotCovered),
            Reply::Unavailable(unavailable) => Err(NoRate::Unavailable(unavailable)),
        }
    }

    /// The rate of the latest day of which the cache has a fresh one.
    async fn latest_cached(&self, currency: Currency) -> Option<RateLookup> {
        let mut days = vec![];
        let mut moment = self.now();
        // One ahead: a source may publish tomorrow's in the evening.
        moment = moment.after(Ttl::LONG);
        for _ in 0..DAYS_BACK {
            days.push(LimaDate::at(moment));
            let before = moment.as_millis().saturating_sub(Ttl::LONG.as_millis());
            moment = Timestamp::from_millis(before);
        }
        let keys: Vec<Key> = days.iter().filter_map(|day| self.key(currency, *day).ok()).collect();
        let found = self.cache.find_many::<ExchangeRate>(&keys, Accept::Fresh).await;
        days.into_iter().zip(found).find_map(|(day, found)| match found {
            Ok(Found::Value(hit)) if is_of(&hit.value, currency, day) => {
                Some(RateLookup::found(&hit))
            }
            _ => None,
        })
    }

    /// The word that `day` has no rate: for minutes where one may still be published.
    fn none_of(&self, day: LimaDate) -> Loaded<ExchangeRate> {
        let life = match day < LimaDate::at(self.now()) {
            true => learned_policy(),
            false => policy(Freshness::MISSING_EXCHANGE_RATE),
        };
        Loaded::negative(NONE_PUBLISHED).with_policy(life)
    }

    /// The life of the rate of `day` as its name says, or else the profile.
    fn life(&self, key: &Key, day: LimaDate) -> Policy {
        let mut life = policy(self.lookups.options().profile.exchange_rate(day, self.now()));
        if let Some(ttl) = self.lookups.ttl_of(key) {
            life.fresh = ttl;
        }
        life
    }

    fn now(&self) -> Timestamp {
        self.cache.runtime().wall()
    }

    fn key(&self, currency: Currency, day: LimaDate) -> Result<Key, CacheError> {
        Ok(exchange_rate_key(self.cache.service_name(), currency.as_str(), day)?)
    }
}

impl RateLookup {
    fn found(hit: &Hit<ExchangeRate>) -> Self {
        let served = Some(hit.outcome);
        Self { reply: Reply::Found(*hit.value), served, retry_after: None }
    }

    const fn nobody_knows() -> Self {
        let unavailable = Unavailable::new(Cause::Failed);
        Self { reply: Reply::Unavailable(unavailable), served: None, retry_after: None }
    }

    fn unanswered(error: &LoadError) -> Self {
        let unavailable = match error.cause() {
            Some(NoRate::NotCovered) => {
                return Self { reply: Reply::NotCovered, served: None, retry_after: None };
            }
            Some(NoRate::Unavailable(unavailable)) => *unavailable,
            None => Unavailable::new(crate::ruc_cache::unanswered(error).cause),
        };
        let retry_after = unavailable.retry_after;
        Self { reply: Reply::Unavailable(unavailable), served: None, retry_after }
    }
}

fn is_of(rate: &ExchangeRate, currency: Currency, day: LimaDate) -> bool {
    rate.currency == currency && rate.day == day
}
