//! Counters and markers: numbers that only grow.

use std::collections::HashMap;

use super::super::number::Number;
use super::super::{Store, lives};
use super::Emulated;
use super::swap::Next;
use crate::{
    Answers, Change, Error, Fetched, Key, Marker, MarkerVersion, Operation, Timestamp, Ttl,
};

/// The highest value of a counter: what every store can count.
const MAX_COUNT: u64 = i64::MAX.unsigned_abs();

impl<S: Store> Emulated<S> {
    pub(super) async fn add_one(&self, counter: &Key, delta: u64, ttl: Ttl) -> Result<u64, Error> {
        self.swap(self.codec.counter(counter).as_str(), Operation::Add, |bytes, now| {
            let mut number = bytes
                .and_then(|bytes| Number::decode(bytes))
                .filter(|number| lives(number.until, now))
                .unwrap_or(Number { value: 0, until: now.after(ttl) });
            number.value = number.value.saturating_add(delta).min(MAX_COUNT);
            let left = number.until.as_millis().saturating_sub(now.as_millis());
            Ok((number.value, Next::Put(number.encode(), Ttl::millis(left.saturating_add(1)))))
        })
        .await
    }

    pub(super) async fn marker_one(
        &self,
        marker: &Marker,
        seed: MarkerVersion,
    ) -> Result<MarkerVersion, Error> {
        self.swap(self.codec.marker(marker).as_str(), Operation::Markers, |bytes, _| {
            Ok(match bytes.and_then(|bytes| Number::decode(bytes)) {
                Some(number) => (MarkerVersion::from_raw(number.value), Next::Keep),
                None => (seed, kept_for_ever(seed.as_raw())),
            })
        })
        .await
    }

    pub(super) async fn bump_one(&self, marker: &Marker, seed: MarkerVersion) -> Result<(), Error> {
        self.swap(self.codec.marker(marker).as_str(), Operation::Bump, |bytes, _| {
            let bumped = bytes
                .and_then(|bytes| Number::decode(bytes))
                // A store that was put back to an older state has lost values that were used.
                .map_or(seed.as_raw(), |number| number.value.saturating_add(1).max(seed.as_raw()));
            Ok(((), kept_for_ever(bumped)))
        })
        .await?;
        self.tell(&Change::Markers(vec![marker.clone()]));
        Ok(())
    }

    /// Adds the root and service markers to what was read, each read once. They are read after the
    /// entries: one bumped meanwhile makes its entries outdated, never the other way round.
    pub(super) async fn add_companions(&self, keys: &[Key], answers: &mut Answers<Fetched>) {
        let mut known = HashMap::new();
        for (key, answer) in keys.iter().zip(answers) {
            let Ok(fetched) = answer else { continue };
            match self.companions(key, &mut known).await {
                Ok((root, service)) => {
                    fetched.root = root;
                    fetched.service = service;
                }
                Err(error) => *answer = Err(error),
            }
        }
    }

    async fn companions(
        &self,
        key: &Key,
        known: &mut HashMap<Marker, Option<MarkerVersion>>,
    ) -> Result<(Option<MarkerVersion>, Option<MarkerVersion>), Error> {
        let mut found = [None; 2];
        for (found, marker) in
            found.iter_mut().zip([Marker::Root, Marker::Service(key.service_name())])
        {
            *found = match known.get(&marker) {
                Some(version) => *version,
                None => {
                    let item = self.store.get(self.codec.marker(&marker).as_str()).await?;
                    let number = item.and_then(|item| Number::decode(&item.bytes));
                    let version = number.map(|number| MarkerVersion::from_raw(number.value));
                    known.insert(marker, version);
                    version
                }
            };
        }
        Ok((found[0], found[1]))
    }
}

/// A marker outlives every entry: it is kept as long as anything can be.
fn kept_for_ever(value: u64) -> Next {
    Next::Put(Number { value, until: Timestamp::from_millis(u64::MAX) }.encode(), Ttl::MAX)
}
