//! A process of a fleet at work: some who read, some who change, each writing down what it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rucache::engine::{Cache, Found, Written};
use rucache::{Accept, CacheError, Hit, Key, Loaded, ServiceName};
use rucache_testkit::Parent;
use tokio::task::JoinSet;

use crate::note::{
    Answer, Change, ChangeEnd, Fact, Failure, From, Moment, Note, Process, Read, now, pause,
};
use crate::plan::{KEYS, SERVICES, TAGS, key, policy, tag_of};
use crate::referee::Chance;
use crate::site;
use crate::source::{Notes, Source, Unavailable};

const READERS: u64 = 4;
const WRITERS: u64 = 1;

/// The longest rest between two calls of a reader, in microseconds, and of a writer, in milliseconds.
const READER_RESTS: u64 = 4_000;
const WRITER_RESTS: u64 = 600;

/// How long after the last trouble everything has to be well again.
const RECOVERY: Duration = Duration::from_secs(10);

/// The variable with the seed of all chance.
pub(crate) const SEED: &str = "RUCACHE_FLEET_SEED";

/// What a process says when it has begun, and after its last reads.
pub(crate) const RESTED: &str = "rested";

/// One process.
struct Member {
    cache: Cache,
    source: Source,
    notes: Arc<Notes>,
    process: Process,
    changes: AtomicU64,
    at_rest: AtomicBool,
}

/// Works until told to rest; then reads everything once more, and ends when told so.
pub(crate) async fn run(mut parent: Parent) {
    let process: Process = parent.role().parse().unwrap();
    let source = Source::of(process);
    let notes = Arc::new(source.notes());
    let cache = site::open(Some(notes.clone())).await;
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let (changes, at_rest) = (AtomicU64::new(0), AtomicBool::new(false));
    let member = Arc::new(Member { cache, source, notes, process, changes, at_rest });
    let mut work = JoinSet::new();
    for number in 0..READERS + WRITERS {
        let chance = Chance::new(seed ^ (u64::from(process) << 32) ^ (number << 16));
        let member = member.clone();
        work.spawn(async move {
            if number < READERS { member.read(chance).await } else { member.change(chance).await }
        });
    }
    parent.send(&std::process::id().to_string());
    let word = tokio::task::spawn_blocking(move || (parent.receive(), parent)).await;
    let (_, mut parent) = word.unwrap();
    member.at_rest.store(true, Ordering::Relaxed);
    while let Some(worker) = work.join_next().await {
        worker.unwrap();
    }
    let recovered = tokio::time::timeout(RECOVERY, async {
        while !site::is_well(&member.cache) {
            pause(Duration::from_millis(20)).await;
        }
    });
    assert!(recovered.await.is_ok(), "{:?} after {RECOVERY:?}", member.cache.health());
    parent.send(RESTED);
    // All have to be well before one of them reads.
    let word = tokio::task::spawn_blocking(move || (parent.receive(), parent)).await;
    let (_, mut parent) = word.unwrap();
    for place in 0..KEYS {
        member.read_or_load(place, true).await;
    }
    let stuck = member.cache.health().stuck_keys;
    assert_eq!(stuck, 0, "keys are held at rest");
    parent.send(RESTED);
    parent.receive();
}

impl Member {
    fn rests(&self) -> bool {
        self.at_rest.load(Ordering::Relaxed)
    }

    async fn read(&self, mut chance: Chance) {
        while !self.rests() {
            let place = chance.place(KEYS);
            match chance.below(20) {
                0..4 => self.look(place, Accept::Fresh).await,
                4 => self.look(place, Accept::Stale).await,
                5 => self.look_many(place).await,
                _ => self.read_or_load(place, false).await,
            }
            pause(Duration::from_micros(chance.below(READER_RESTS))).await;
        }
    }

    async fn read_or_load(&self, place: usize, at_rest: bool) {
        let called = now();
        let answer = match load(&self.cache, &self.source, place).await {
            Ok(hit) => value(&hit),
            Err(CacheError::Load(error)) => Answer::Failed(Failure::of(&error)),
            Err(error) => Answer::Failed(Failure::Cache(error.to_string())),
        };
        let read = Read { key: place, called, ended: now(), loads: true, at_rest, answer };
        self.notes.take(&Note::Read(read));
    }

    async fn look(&self, place: usize, accept: Accept) {
        let called = now();
        let found = self.cache.look(&key(place), accept).await;
        self.note(place, called, answer(found));
    }

    /// Several at once: from `place` on.
    async fn look_many(&self, place: usize) {
        let places: Vec<usize> = (place..KEYS).take(4).collect();
        let keys: Vec<Key> = places.iter().map(|place| key(*place)).collect();
        let called = now();
        let found = self.cache.look_many(&keys, Accept::Fresh).await;
        for (place, found) in places.into_iter().zip(found) {
            self.note(place, called, answer(found));
        }
    }

    fn note(&self, key: usize, called: u64, answer: Answer) {
        let read = Read { key, called, ended: now(), loads: false, at_rest: false, answer };
        self.notes.take(&Note::Read(read));
    }

    async fn change(&self, mut chance: Chance) {
        while !self.rests() {
            self.change_by(&mut chance).await;
            pause(Duration::from_millis(chance.below(WRITER_RESTS))).await;
        }
    }

    async fn change_by(&self, chance: &mut Chance) {
        let (place, service) = (chance.place(KEYS), chance.place(SERVICES.len()));
        let planned = match chance.below(20) {
            0..7 => Change::Delete(place),
            7..10 => Change::Expire(place),
            10..14 => Change::Set(place, 0),
            14..18 => Change::Tag { service, tag: chance.place(TAGS.len()) },
            18 => Change::Clear { service },
            _ if chance.below(4) == 0 => Change::ClearAll,
            _ => Change::Clear { service },
        };
        let count = self.changes.fetch_add(1, Ordering::Relaxed);
        let id = u64::from(self.process) << 32 | count;
        let begins = |at, change| self.notes.take(&Note::Changes { id, at, change });
        let (at, end) = change(&self.cache, &self.source, planned, begins).await;
        self.notes.take(&Note::Changed { id, at, end });
    }
}

/// Reads a key, or loads it from the source.
pub(crate) async fn load(
    cache: &Cache,
    source: &Source,
    place: usize,
) -> Result<Hit<Fact>, CacheError> {
    let (called, source, tags) = (now(), source.clone(), tag_of(place));
    let load = move || async move {
        let fact = source.load(place, called).await?;
        Ok::<_, Unavailable>(Loaded::new(fact).with_tags(tags.map(|tag| TAGS[tag])))
    };
    cache.read_or_load(&key(place), policy(), load).await
}

/// Commits a change at the source, then tells the cache; `begins` hears of it in between. When it
/// ended, and how.
pub(crate) async fn change(
    cache: &Cache,
    source: &Source,
    mut change: Change,
    begins: impl FnOnce(Moment, Change),
) -> (Moment, ChangeEnd) {
    let facts = source.commit((0..KEYS).filter(|at| change.covers(*at)).collect()).await;
    if let (Change::Set(_, id), Some(fact)) = (&mut change, facts.first()) {
        *id = fact.id;
    }
    begins(now(), change);
    let end = match carry_out(cache, change, facts.first().copied()).await {
        Ok(Written::Done) => ChangeEnd::Done,
        Ok(Written::Deferred) => ChangeEnd::Deferred,
        Err(_) => ChangeEnd::Failed,
    };
    (now(), end)
}

async fn carry_out(
    cache: &Cache,
    change: Change,
    fact: Option<Fact>,
) -> Result<Written, CacheError> {
    let within = |service: usize| cache.service(&ServiceName::from_static(SERVICES[service]));
    match change {
        Change::Delete(place) => Ok(cache.delete(&key(place)).await?.written),
        Change::Expire(place) => Ok(cache.expire(&key(place)).await?.written),
        Change::Set(place, _) => {
            let tags = tag_of(place).map(|tag| TAGS[tag]);
            let loaded = Loaded::<Fact>::new(fact.unwrap()).with_tags(tags);
            cache.put(&key(place), loaded, policy()).await
        }
        Change::Tag { service, tag } => within(service).invalidate_tag(TAGS[tag]).await,
        Change::Clear { service } => within(service).clear().await,
        Change::ClearAll => cache.clear_all().await,
    }
}

fn value(hit: &Hit<Fact>) -> Answer {
    let (from, collapsed) = (From::of(hit.outcome.from), hit.outcome.collapsed);
    Answer::Value { fact: *hit.value, from, collapsed }
}

fn answer(found: Result<Found<Fact>, CacheError>) -> Answer {
    match found {
        Ok(Found::Value(hit)) => value(&hit),
        Ok(_) => Answer::Nothing,
        Err(error) => Answer::Failed(Failure::Cache(error.to_string())),
    }
}
