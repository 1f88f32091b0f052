//! Many numbers: what the cache has comes first, the others are asked for in full calls.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt};
use rucache_core::{BoxFuture, Key};
use rucache_engine::{Accept, Found};
use rucache_ruc::{InvalidRuc, Outcome, Ruc};

use crate::provide::{CALLS_OF_A_LOAD, CONCURRENCY};
use crate::ruc_cache::is_of_another;
use crate::{CachedRecord, Lookup, RucCache};

/// Numbers that the cache is asked for at once.
const READ: usize = 1_024;

/// Loads that are under way at once.
const LOADS: usize = CONCURRENCY / CALLS_OF_A_LOAD;

/// Look-ups that have ended, by their places among the numbers.
type Ended = Vec<(usize, Lookup)>;

/// The look-ups of different numbers, under way.
struct UnderWay {
    rucs: RucCache,
    numbers: Arc<[Ruc]>,
    /// The first number that the cache has not been asked for.
    next: usize,
    /// Numbers that it does not have.
    missing: Vec<usize>,
    loads: FuturesUnordered<BoxFuture<Ended>>,
    ready: VecDeque<(usize, Lookup)>,
}

impl RucCache {
    /// What is known of each of `rucs`, in their order; the provider is asked for the missing ones
    /// together, and once for a number that stands twice.
    pub async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Lookup> {
        let input = Input::of(rucs.iter().map(|ruc| Ok(*ruc)));
        self.lookup_input(input).await
    }

    /// What is known of each of `texts`, in their order; what is no RUC is told without asking.
    pub async fn lookup_texts<T: AsRef<str>>(&self, texts: &[T]) -> Vec<Lookup> {
        self.lookup_input(Input::of(texts.iter().map(|text| text.as_ref().parse()))).await
    }

    async fn lookup_input(&self, input: Input) -> Vec<Lookup> {
        let mut known: Vec<Option<Lookup>> = vec![None; input.numbers.len()];
        let mut ended = std::pin::pin!(self.lookup_each(input.numbers));
        while let Some((place, lookup)) = ended.next().await {
            known[place] = Some(lookup);
        }
        let told = |place: Result<usize, InvalidRuc>| match place {
            Ok(place) => known[place].clone().unwrap_or_else(|| unknown().into()),
            Err(invalid) => Outcome::Invalid(invalid).into(),
        };
        input.places.into_iter().map(told).collect()
    }

    /// The look-ups of `numbers`, which are different, as they end, each with its place.
    ///
    /// The cache is read in batches. What it does not have is gathered until it fills the calls of a
    /// load; loads go on while later numbers are read, and whether or not they are waited for.
    pub(crate) fn lookup_each(
        &self,
        numbers: Arc<[Ruc]>,
    ) -> impl Stream<Item = (usize, Lookup)> + Send + use<> {
        let under_way = UnderWay {
            rucs: self.clone(),
            numbers,
            next: 0,
            missing: Vec::new(),
            loads: FuturesUnordered::new(),
            ready: VecDeque::new(),
        };
        stream::unfold(under_way, |mut under_way| async move {
            let ended = under_way.proceed().await?;
            Some((ended, under_way))
        })
    }
}

impl UnderWay {
    /// The next look-up that has ended; none when all have.
    async fn proceed(&mut self) -> Option<(usize, Lookup)> {
        loop {
            let all_read = self.next == self.numbers.len();
            let at_once = self.rucs.at_once().get();
            let fills = self.missing.len() >= at_once || (all_read && !self.missing.is_empty());
            if fills && self.loads.len() < LOADS {
                self.begin_load(at_once).await;
            } else if let Some(ended) = self.ready.pop_front() {
                return Some(ended);
            } else if !all_read && self.missing.len() < at_once {
                self.read().await;
            } else {
                self.ready.extend(self.loads.next().await?);
            }
        }
    }

    /// Asks the cache for the next numbers.
    async fn read(&mut self) {
        let end = (self.next + READ).min(self.numbers.len());
        let places = self.next..end;
        self.next = end;
        let numbers = &self.numbers[places.clone()];
        let keys: Vec<Key> = numbers.iter().map(|ruc| self.rucs.key(*ruc)).collect();
        numbers.iter().for_each(|ruc| self.rucs.state().sketch.note(*ruc));
        let found = self.rucs.cache().find_many::<CachedRecord>(&keys, Accept::Fresh).await;
        for ((place, ruc), found) in places.zip(numbers).zip(found) {
            match found {
                Ok(Found::Value(hit)) if hit.record.ruc() == *ruc => {
                    self.ready.push_back((place, hit.into()));
                }
                Ok(Found::Negative(verdict)) => {
                    self.ready.push_back((place, self.rucs.refused(verdict)));
                }
                _ => self.missing.push(place),
            }
        }
    }

    /// Begins to load the first `at_once` of the missing numbers.
    async fn begin_load(&mut self, at_once: usize) {
        let later = self.missing.split_off(self.missing.len().min(at_once));
        let places = std::mem::replace(&mut self.missing, later);
        let numbers: Vec<Ruc> = places.iter().map(|place| self.numbers[*place]).collect();
        let rucs = self.rucs.clone();
        self.loads.push(Box::pin(async move {
            let lookups = rucs.load_many(&numbers).await;
            places.into_iter().zip(lookups).collect()
        }));
        // It begins now, not when it is waited for.
        poll_fn(|context| {
            if let Poll::Ready(Some(ended)) = self.loads.poll_next_unpin(context) {
                self.ready.extend(ended);
            }
            Poll::Ready(())
        })
        .await;
    }
}

impl RucCache {
    /// What a load of `rucs`, which are different, tells of each.
    pub(crate) async fn load_many(&self, rucs: &[Ruc]) -> Vec<Lookup> {
        let keys: Vec<Key> = rucs.iter().map(|ruc| self.key(*ruc)).collect();
        let numbers: Arc<HashMap<Key, Ruc>> =
            Arc::new(keys.iter().cloned().zip(rucs.iter().copied()).collect());
        let asking = self.clone();
        let load = move |missing: Vec<Key>| {
            let rucs = missing.iter().filter_map(|key| numbers.get(key).copied()).collect();
            asking.clone().ask(rucs)
        };
        let cache = self.cache();
        let reads = cache.read_or_load_many(&keys, self.default_life(), self.at_once(), load).await;
        let (mut lookups, mut learned) = (Vec::with_capacity(rucs.len()), Vec::new());
        for (read, ruc) in reads.into_iter().zip(rucs) {
            lookups.push(match is_of_another(&read, *ruc) {
                true => self.lookup_served(ruc).await,
                false => self.judge(*ruc, read, &mut learned),
            });
        }
        self.list_learned(learned);
        lookups
    }
}

/// What many are asked about: the different numbers, and for each text which of them it is.
pub(crate) struct Input {
    pub(crate) numbers: Arc<[Ruc]>,
    pub(crate) places: Vec<Result<usize, InvalidRuc>>,
}

impl Input {
    pub(crate) fn of(rucs: impl Iterator<Item = Result<Ruc, InvalidRuc>>) -> Self {
        let mut places_of = HashMap::new();
        let mut numbers = Vec::new();
        let mut place = |ruc: Ruc| {
            *places_of.entry(ruc).or_insert_with(|| {
                numbers.push(ruc);
                numbers.len() - 1
            })
        };
        let places = rucs.map(|ruc| ruc.map(&mut place)).collect();
        Self { numbers: numbers.into(), places }
    }
}

/// What is told of a number of which nothing was heard.
pub(crate) fn unknown() -> Outcome {
    Outcome::Unavailable(rucache_ruc::Unavailable::new(rucache_ruc::Cause::Failed).into())
}
