//! Rolling up: what this process has counted is added to counters that all processes share.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures_util::lock::Mutex;
use rucache_core::{Key, MapEntry, ServiceName, Timestamp, Ttl};
use rucache_engine::CacheError;
use rucache_ruc::LimaDate;

use super::daily::{DailyStats, DayCounts};
use crate::Lookups;

/// How long the counters of a day are kept: seven days after it is over.
const KEPT: Ttl = Ttl::secs(8 * 86_400);

/// Services of a page.
const PAGE: usize = 1_000;

/// What this process has added so far.
#[derive(Debug)]
pub(crate) struct Rolled(Mutex<Added>);

#[derive(Debug)]
struct Added {
    /// The day that what was counted since the last time belongs to.
    day: LimaDate,
    counts: HashMap<ServiceName, DayCounts>,
    /// The services that are listed for the day.
    listed: Vec<ServiceName>,
}

impl Rolled {
    pub(crate) fn new(now: Timestamp) -> Self {
        let added = Added { day: LimaDate::at(now), counts: HashMap::new(), listed: Vec::new() };
        Self(Mutex::new(added))
    }
}

impl Lookups {
    /// Adds what this process has counted since the last time to the counters of the day in Lima.
    /// What was not added is added the next time.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when something could not be added.
    pub async fn flush_stats(&self) -> Result<(), CacheError> {
        let mut added = self.0.rolled.0.lock().await;
        let Added { day, counts, listed } = &mut *added;
        let mut result = Ok(());
        for (service, counted) in self.cache().stats() {
            let counted = DayCounts::from(&counted);
            let known = counts.entry(service.clone()).or_default();
            if let Err(error) = self.add(*day, &service, counted, known, listed).await {
                result = Err(error);
            }
        }
        let today = LimaDate::at(self.cache().runtime().wall());
        if today != *day {
            *day = today;
            listed.clear();
        }
        result
    }

    async fn add(
        &self,
        day: LimaDate,
        service: &ServiceName,
        counted: DayCounts,
        known: &mut DayCounts,
        listed: &mut Vec<ServiceName>,
    ) -> Result<(), CacheError> {
        let mut values = known.values();
        let mut additions = Vec::new();
        for (at, (value, before)) in counted.values().into_iter().zip(values).enumerate() {
            let more = value.saturating_sub(before);
            if more > 0 {
                additions.push((at, (counter(service, day, DayCounts::NAMES[at])?, more)));
            }
        }
        if additions.is_empty() {
            return Ok(());
        }
        let backend = self.cache().aside()?;
        if !listed.contains(service) {
            let now = self.cache().runtime().wall();
            let entry = MapEntry {
                member: service.as_str().to_owned(),
                note: Bytes::new(),
                expires: now.after(KEPT),
            };
            backend.map_put(&services(day)?, &[entry], now).await?;
            listed.push(service.clone());
        }
        let (places, additions): (Vec<usize>, Vec<(Key, u64)>) = additions.into_iter().unzip();
        let mut result = Ok(());
        let answers = backend.add_many(&additions, KEPT).await;
        for ((place, (_, more)), answer) in places.into_iter().zip(&additions).zip(answers) {
            match answer {
                Ok(_) => values[place] += more,
                Err(error) => {
                    // What may have been added is not added again: a little too few, never too many.
                    if error.kind().leaves_write_unknown() {
                        values[place] += more;
                    }
                    result = Err(error.into());
                }
            }
        }
        *known = DayCounts::of(values);
        result
    }

    /// What all processes have added up for `date`; kept for seven days.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when the counters cannot be read.
    pub async fn daily(&self, date: LimaDate) -> Result<DailyStats, CacheError> {
        let backend = self.cache().aside()?;
        let now = self.cache().runtime().wall();
        let mut found = BTreeMap::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = backend.map_page(&services(date)?, cursor.as_deref(), PAGE, now).await?;
            for entry in page.entries {
                let Ok(service) = ServiceName::new(&entry.member) else { continue };
                let counts = self.day_of(&service, date).await?;
                found.insert(service, counts);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut all = DayCounts::default();
        found.values().for_each(|counts| all += *counts);
        Ok(DailyStats { date, all, services: found })
    }

    async fn day_of(&self, service: &ServiceName, date: LimaDate) -> Result<DayCounts, CacheError> {
        let key = |name: &&str| counter(service, date, name).map(|key| (key, 0));
        // To add nothing is to read.
        let reads: Vec<(Key, u64)> =
            DayCounts::NAMES.iter().map(key).collect::<Result<_, CacheError>>()?;
        let mut values = [0; DayCounts::NAMES.len()];
        let answers = self.cache().aside()?.add_many(&reads, KEPT).await;
        for (value, answer) in values.iter_mut().zip(answers) {
            *value = answer?;
        }
        Ok(DayCounts::of(values))
    }
}

/// The counter of one kind: `migo:stats_2026-01-28_hits`.
fn counter(service: &ServiceName, day: LimaDate, name: &str) -> Result<Key, CacheError> {
    Ok(Key::of_kind(service, "stats", format_args!("{day}_{name}"))?)
}

/// The map of the services that have counters of the day.
fn services(day: LimaDate) -> Result<Key, CacheError> {
    Ok(Key::of_kind(&ServiceName::default(), "stats_services", day)?)
}
