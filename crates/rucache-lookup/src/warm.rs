//! Warming: filling the cache before anybody asks, at a bounded rate and without pushing out what
//! is asked for.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use rucache_core::{Key, Mono, Usage};
use rucache_engine::{Found, Written};
use rucache_ruc::{Outcome, Ruc, Taxpayer};
use serde::Serialize;

use crate::{CachedRecord, RucCache};

/// How full, in per cent, whatever holds the entries may become by warming.
const FULL_PERCENT: u64 = 90;

/// What an entry takes at least, in bytes.
const LEAST_LEN: u64 = 256;

/// Entries that are read in one call: warming is in no hurry, and a server that is asked for more at
/// once keeps others waiting.
const AT_ONCE: usize = 128;

/// Entries that are stored in one call, at first and each time after some were not.
const STORED_AT_ONCE: [usize; 3] = [AT_ONCE, 32, 8];

/// How long a server is left alone that did not store everything.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a server is asked how full it is.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// One thing to have in the cache.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WarmItem {
    /// A number that the provider is asked for.
    Number(Ruc),
    /// A record that is at hand, of a register file for example.
    Record(Arc<Taxpayer>),
}

impl WarmItem {
    fn ruc(&self) -> Ruc {
        match self {
            Self::Number(ruc) => *ruc,
            Self::Record(record) => record.ruc(),
        }
    }
}

impl From<Ruc> for WarmItem {
    fn from(ruc: Ruc) -> Self {
        Self::Number(ruc)
    }
}

impl From<Taxpayer> for WarmItem {
    fn from(record: Taxpayer) -> Self {
        Self::Record(Arc::new(record))
    }
}

/// How far warming may go.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WarmOptions {
    /// Most numbers a second that are asked for or stored; as fast as it goes without.
    pub rate: Option<NonZeroU32>,
    /// Most numbers in all that are asked for or stored.
    pub max: Option<u64>,
}

impl WarmOptions {
    /// The same, at `rate` numbers a second at most.
    #[must_use]
    pub const fn with_rate(mut self, rate: NonZeroU32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The same, with `max` numbers at most.
    #[must_use]
    pub const fn with_max(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }
}

/// How far warming is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warmed {
    /// Items that were taken from the source.
    pub seen: u64,
    /// Numbers of which the cache had a fresh record or a verdict.
    pub already_cached: u64,
    /// Numbers that the provider was asked for and has a record of.
    pub loaded: u64,
    /// Records that were at hand and are stored now.
    pub stored: u64,
    /// Numbers that do not exist.
    pub not_found: u64,
    /// Numbers of which nobody could tell, and records that could not be stored.
    pub unavailable: u64,
    /// Why it ended before its source did.
    pub stopped: Option<Stopped>,
}

/// Why warming ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stopped {
    /// What holds the entries is nine tenths full: more would push out what is asked for.
    Full,
    /// As many numbers as were allowed were asked for or stored.
    Limit,
}

impl RucCache {
    /// Puts into the cache what `source` names and the cache does not have fresh; after each step
    /// `progress` is told. A filter is one of the stream's.
    ///
    /// Records that are at hand live as long as the profile says of their own date.
    pub async fn warm(
        &self,
        source: impl Stream<Item = WarmItem> + Send,
        options: WarmOptions,
        mut progress: impl FnMut(&Warmed) + Send,
    ) -> Warmed {
        let runtime = self.cache().runtime().clone();
        let rate = options.rate.map(NonZeroU32::get);
        // Full calls, and no burst of more than a second's worth beyond one.
        let (call, load) = (self.provider().batch_limit().get(), self.at_once().get());
        let step = rate
            .map_or(usize::MAX, |rate| usize::try_from(rate).unwrap_or(usize::MAX))
            .clamp(call.min(load), load);
        let mut warmed = Warmed::default();
        let mut room = Room { asked: None };
        let mut next = runtime.now();
        let mut steps = pin!(source.chunks(step));
        while let Some(mut items) = steps.next().await {
            warmed.seen += count(items.len());
            let left = options.max.map(|max| max.saturating_sub(warmed.worked()));
            self.leave_out_cached(&mut items, &mut warmed).await;
            if let Some(left) = left
                && count(items.len()) > left
            {
                items.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                warmed.stopped = Some(Stopped::Limit);
            }
            while !items.is_empty() {
                let fit = room.entries(self).await.min(items.len());
                if fit == 0 {
                    warmed.stopped = Some(Stopped::Full);
                    break;
                }
                let later = items.split_off(fit);
                runtime.sleep(next.since(runtime.now())).await;
                if let Some(rate) = rate {
                    let taken = u32::try_from(fit).unwrap_or(u32::MAX);
                    next = runtime.now().after(Duration::from_secs(1) * taken / rate);
                }
                self.warm_step(items, &mut warmed).await;
                items = later;
            }
            progress(&warmed);
            if warmed.stopped.is_some() {
                break;
            }
        }
        warmed
    }

    /// Keeps of `items` what the cache has neither a fresh record nor a verdict of, each once.
    async fn leave_out_cached(&self, items: &mut Vec<WarmItem>, warmed: &mut Warmed) {
        let keys: Vec<Key> = items.iter().map(|item| self.key(item.ruc())).collect();
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            found.extend(self.cache().inspect_many::<CachedRecord>(keys).await);
        }
        let mut taken = std::collections::HashSet::new();
        let mut found = found.into_iter();
        items.retain(|item| {
            let is_cached = match found.next() {
                Some(Ok(Found::Value(hit))) => !hit.outcome.ttl.is_zero(),
                Some(Ok(Found::Negative(verdict))) => !verdict.outcome.ttl.is_zero(),
                _ => false,
            };
            let is_wanted = !is_cached && taken.insert(item.ruc());
            warmed.already_cached += u64::from(!is_wanted);
            is_wanted
        });
    }

    async fn warm_step(&self, items: Vec<WarmItem>, warmed: &mut Warmed) {
        let (mut numbers, mut records) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                WarmItem::Number(ruc) => numbers.push(ruc),
                WarmItem::Record(record) => records.push(record),
            }
        }
        if !numbers.is_empty() {
            for lookup in self.load_many(&numbers).await {
                *match lookup.outcome {
                    Outcome::Found(_) => &mut warmed.loaded,
                    Outcome::NotFound(_) => &mut warmed.not_found,
                    Outcome::Invalid(_) | Outcome::Unavailable(_) => &mut warmed.unavailable,
                } += 1;
            }
        }
        if !records.is_empty() {
            self.warm_with(records, warmed).await;
        }
    }

    /// Stores records that are at hand, few enough at a time that a server answers in between, and
    /// fewer where it did not.
    async fn warm_with(&self, mut records: Vec<Arc<Taxpayer>>, warmed: &mut Warmed) {
        for at_once in STORED_AT_ONCE {
            let mut failed = Vec::new();
            for records in records.chunks(at_once) {
                let given = records.iter().map(|record| self.given(record.clone(), None)).collect();
                let stored = self.cache().put_many(given, self.default_life()).await;
                let mut members = Vec::with_capacity(records.len());
                for (record, stored) in records.iter().zip(stored) {
                    match stored {
                        Ok(Written::Done) => members.push(record.ruc().to_string()),
                        Ok(Written::Deferred) | Err(_) => failed.push(record.clone()),
                    }
                }
                warmed.stored += count(members.len());
                // A value is no longer listed as invalid; should that fail, a listing passes over it.
                let _ = self.unlist(members).await;
            }
            // One that took nothing at all is away rather than busy.
            let is_away = failed.len() == records.len();
            records = failed;
            if records.is_empty() || is_away {
                break;
            }
            self.cache().runtime().sleep(PAUSE).await;
        }
        warmed.unavailable += count(records.len());
    }
}

impl Warmed {
    /// Numbers that were asked for or stored.
    const fn worked(&self) -> u64 {
        self.loaded + self.stored + self.not_found + self.unavailable
    }
}

/// How much room there is.
struct Room {
    /// When the server was asked last, and whether it was full.
    asked: Option<(Mono, bool)>,
}

impl Room {
    /// Entries that there is room for without pushing others out, as far as that is known.
    async fn entries(&mut self, rucs: &RucCache) -> usize {
        let cache = rucs.cache();
        let Some(backend) = cache.backend() else {
            return cache.usage().map_or(usize::MAX, entries_within);
        };
        let now = cache.runtime().now();
        if let Some((at, is_full)) = self.asked
            && now.since(at) < ASK_EVERY
        {
            return if is_full { 0 } else { usize::MAX };
        }
        // A server that does not say how full it is evicts by its own policy.
        let is_full = backend.info().await.is_ok_and(|info| {
            let room = info.used_bytes.zip(info.capacity_bytes);
            room.is_some_and(|(used, all)| all > 0 && used >= warm_capacity(all))
        });
        self.asked = Some((now, is_full));
        if is_full { 0 } else { usize::MAX }
    }
}

/// Entries that are sure to fit: half as many as do if they are as long as the others.
fn entries_within(usage: Usage) -> usize {
    let room = warm_capacity(usage.capacity_bytes).saturating_sub(usage.bytes);
    let mean = usage.bytes.checked_div(usage.entries).unwrap_or(0).max(LEAST_LEN);
    usize::try_from(room / mean / 2).unwrap_or(usize::MAX)
}

/// As many bytes of a capacity as warming may fill.
fn warm_capacity(capacity: u64) -> u64 {
    capacity / 100 * FULL_PERCENT
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
