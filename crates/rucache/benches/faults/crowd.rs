//! Readers at work while a fault goes on: what they got, how long each call took, and whether the
//! server was known to be down by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rucache::{Cache, Ttl};
use tokio::task::JoinSet;

use crate::arena::pause;
use crate::chance::Chance;
use crate::report::Report;

/// Readers at once.
const READERS: u64 = 16;

/// Names that are read.
pub(crate) const NAMES: u64 = 400;

/// How long everything is left in peace before a fault.
const PEACE: Duration = Duration::from_secs(1);

/// The longest rest between two calls of a reader, in microseconds.
const RESTS: u64 = 4_000;

/// The one right value of a name.
pub(crate) fn value(number: u64) -> String {
    format!("the record of {number}; ").repeat(8)
}

pub(crate) fn name(number: u64) -> String {
    format!("record_{number}")
}

/// Reads a name, loading its value where it is missing; counts the loads.
pub(crate) async fn read(
    cache: &Cache,
    number: u64,
    loads: &Arc<AtomicU64>,
) -> Result<String, rucache::CacheError> {
    let loads = loads.clone();
    let load = move || async move {
        loads.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(value(number))
    };
    cache.get_or_load(&name(number)[..], Ttl::MEDIUM, load).await
}

/// Samples of one reader, or of all.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) reads: u64,
    pub(crate) failed: u64,
    pub(crate) wrong: u64,
    /// Calls during the fault, begun while the server was not known to be down.
    pub(crate) unaware: Vec<Duration>,
    /// Calls during the fault while it was known.
    pub(crate) aware: Vec<Duration>,
    pub(crate) why: Option<String>,
}

impl Samples {
    fn add(mut self, other: Self) -> Self {
        self.reads += other.reads;
        self.failed += other.failed;
        self.wrong += other.wrong;
        self.unaware.extend(other.unaware);
        self.aware.extend(other.aware);
        self.why = self.why.or(other.why);
        self
    }

    /// As a report begins.
    pub(crate) fn report(self) -> Report {
        let Self { reads, failed, wrong, mut unaware, aware, why } = self;
        unaware.extend(aware);
        let note = why.unwrap_or_default();
        Report { reads, failed, wrong, took: unaware, note, ..Report::default() }
    }
}

/// Readers of a cache, until they are called back.
pub(crate) struct Crowd {
    readers: JoinSet<Samples>,
    shared: Arc<Shared>,
}

struct Shared {
    cache: Cache,
    names: Names,
    loads: Arc<AtomicU64>,
    fault: AtomicBool,
    ends: AtomicBool,
}

/// Which names a crowd reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// A few, again and again.
    Known,
    /// Never one twice: every call is a load.
    New,
}

impl Crowd {
    pub(crate) fn start(cache: &Cache, seed: u64) -> Self {
        Self::start_on(cache, seed, Names::Known)
    }

    /// Readers who miss and load with every call: on a cache in this process alone they show what a
    /// call takes on this machine, in this moment, where no server is asked.
    pub(crate) fn start_missing(cache: &Cache, seed: u64) -> Self {
        Self::start_on(cache, seed, Names::New)
    }

    fn start_on(cache: &Cache, seed: u64, names: Names) -> Self {
        let (fault, ends) = (AtomicBool::new(false), AtomicBool::new(false));
        let (cache, loads) = (cache.clone(), Arc::default());
        let shared = Arc::new(Shared { cache, names, loads, fault, ends });
        let mut readers = JoinSet::new();
        for reader in 0..READERS {
            let shared = shared.clone();
            readers.spawn(async move { shared.read(Chance::new(seed ^ reader << 32)).await });
        }
        Self { readers, shared }
    }

    /// Waits until every name is stored and the server well, then for a while.
    pub(crate) async fn warm(&self) {
        let cache = &self.shared.cache;
        let mut missing: Vec<u64> = (0..NAMES).collect();
        while !missing.is_empty() || !cache.health().nodes_down.is_empty() {
            let mut left = Vec::new();
            for number in missing {
                let found = cache.get::<String>(&name(number)[..]).await;
                if !matches!(found, Ok(Some(_))) {
                    left.push(number);
                }
            }
            missing = left;
            pause(Duration::from_millis(50)).await;
        }
        pause(PEACE).await;
    }

    /// From now on, or no longer, calls count as made during the fault.
    pub(crate) fn fault(&self, is_on: bool) {
        self.shared.fault.store(is_on, Ordering::Relaxed);
    }

    /// Loads so far.
    pub(crate) fn loads(&self) -> u64 {
        self.shared.loads.load(Ordering::Relaxed)
    }

    pub(crate) async fn end(self) -> Samples {
        self.shared.ends.store(true, Ordering::Relaxed);
        let all = self.readers.join_all().await;
        all.into_iter().fold(Samples::default(), Samples::add)
    }
}

impl Shared {
    async fn read(&self, mut chance: Chance) -> Samples {
        let mut samples = Samples::default();
        let clock = self.cache.runtime().clone();
        let is_down = || !self.cache.health().nodes_down.is_empty();
        while !self.ends.load(Ordering::Relaxed) {
            let number = match self.names {
                Names::Known => chance.below(NAMES),
                Names::New => chance.next(),
            };
            let (during, down) = (self.fault.load(Ordering::Relaxed), is_down());
            let began = clock.now();
            let read = read(&self.cache, number, &self.loads).await;
            let took = clock.now().since(began);
            samples.reads += 1;
            match read {
                Ok(read) => samples.wrong += u64::from(read != value(number)),
                Err(error) => {
                    samples.failed += 1;
                    samples.why.get_or_insert_with(|| error.to_string());
                }
            }
            if during && self.fault.load(Ordering::Relaxed) {
                match (down, is_down()) {
                    (false, _) => samples.unaware.push(took),
                    (true, true) => samples.aware.push(took),
                    // It was let in to see whether the server is well.
                    (true, false) => {}
                }
            }
            pause(Duration::from_micros(chance.below(RESTS))).await;
        }
        samples
    }
}
