//! Comparing readers of a shared store: alone, many at once, and in batches.

use std::fmt;
use std::sync::Arc;

use rucache_core::BoxFuture;
use tokio::runtime::Runtime;

use crate::rounds::{Contender, compare};

const ROUNDS: usize = 30;
/// Callers at once, and reads of each in a round.
const CALLERS: usize = 256;
const EACH: usize = 20;
/// Reads of a caller alone in a round, and batches in a round.
const ALONE: usize = 500;
const BATCHES: usize = 100;

/// Keys that a store holds for this.
pub const KEYS: usize = 100;

/// Length of their values: a taxpayer's record as JSON.
pub const VALUE_LEN: usize = 500;

/// Somebody who reads a store that holds [`KEYS`] values of [`VALUE_LEN`] bytes.
#[derive(Clone)]
pub struct Reads {
    name: String,
    one: Arc<dyn Fn(usize) -> BoxFuture<()> + Send + Sync>,
    all: Arc<dyn Fn() -> BoxFuture<()> + Send + Sync>,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Reads {
    /// A reader called `name`: `one` reads the key at a place, `all` reads all keys in one call;
    /// both make sure that they have read something.
    pub fn new<O, A>(
        name: impl Into<String>,
        one: impl Fn(usize) -> O + Send + Sync + 'static,
        all: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self
    where
        O: Future<Output = ()> + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        Self {
            name: name.into(),
            one: Arc::new(move |at| Box::pin(one(at))),
            all: Arc::new(move || Box::pin(all())),
        }
    }

    async fn alone(&self) {
        for at in 0..ALONE {
            (self.one)(at % KEYS).await;
        }
    }

    async fn at_once(&self) {
        let caller = |caller: usize| {
            let one = self.one.clone();
            tokio::spawn(async move {
                for at in 0..EACH {
                    one((caller + at) % KEYS).await;
                }
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(caller).collect();
        for caller in callers {
            assert!(caller.await.is_ok(), "{}: a caller panicked", self.name);
        }
    }

    async fn batches(&self) {
        for _ in 0..BATCHES {
            (self.all)().await;
        }
    }
}

/// Lets `readers` read in turn on `runtime`; the tables, in Markdown, compare with the first one.
#[must_use]
pub fn compare_reads(runtime: &Runtime, readers: &[Reads]) -> String {
    let alone = table(readers, ALONE, 1e3, |reader| runtime.block_on(reader.alone()));
    let at_once = table(readers, CALLERS * EACH, 1.0, |reader| runtime.block_on(reader.at_once()));
    let batches = table(readers, BATCHES, 1e3, |reader| runtime.block_on(reader.batches()));
    format!(
        "Values of {VALUE_LEN} bytes; ratios to the first row, round by round ({ROUNDS} rounds).\n\n\
         One caller, one key: microseconds a read.\n\n{alone}\n\
         {CALLERS} callers at once: nanoseconds of the whole for each read.\n\n{at_once}\n\
         {KEYS} keys in one call: microseconds a call.\n\n{batches}"
    )
}

fn table(readers: &[Reads], operations: usize, unit: f64, round: impl Fn(&Reads) + Copy) -> String {
    let mut contenders = Vec::with_capacity(readers.len());
    for reader in readers {
        contenders.push(Contender::timed(reader.name.as_str(), operations, move || round(reader)));
    }
    compare(ROUNDS, unit, &mut contenders)
}
