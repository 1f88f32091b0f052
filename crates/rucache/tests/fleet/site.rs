//! The cache of one process of a fleet, as its environment says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rucache::Timing;
use rucache::core::observer::PushChange;
use rucache::core::{CacheEvent, Observer, Operation};
use rucache::engine::{Cache, PushState};
use rucache::memory::{Capacity, LocalStore, MemoryConfig};

use crate::note::{Note, now};
use crate::plan::timing;
use crate::source::Notes;

/// The variables that tell a process of its cache.
pub(crate) const URL: &str = "RUCACHE_FLEET_URL";
pub(crate) const TIERS: &str = "RUCACHE_FLEET_TIERS";

/// Set where callers are as patient as usual.
pub(crate) const PATIENT: &str = "RUCACHE_FLEET_PATIENT";

/// Which tiers the caches of a fleet have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiers {
    /// A local tier before the shared one.
    Both,
    Shared,
}

impl Tiers {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Shared => "shared",
        }
    }
}

/// Room for entries in the local tier.
const CAPACITY: Capacity = Capacity::bytes(8 << 20);

/// At most one note of trouble in so many nanoseconds.
const TROUBLE_EVERY: u64 = 20_000_000;

/// Opens the cache that the environment of this process asks for.
pub(crate) async fn open(notes: Option<Arc<Notes>>) -> Cache {
    let backend = rucache::open_backend(&std::env::var(URL).unwrap()).await.unwrap();
    let patient = std::env::var_os(PATIENT).is_some();
    let timing = if patient { Timing::default() } else { timing() };
    let mut builder = Cache::on_backend(backend).timing(timing);
    if std::env::var(TIERS).unwrap() == Tiers::Both.name() {
        let memory = MemoryConfig::with_capacity(CAPACITY);
        builder = builder.local(Arc::new(LocalStore::new(&memory)));
    }
    if let Some(notes) = notes {
        builder = builder.observer(Arc::new(Watch { notes, last: AtomicU64::new(0) }));
    }
    builder.build().unwrap()
}

/// Whether all that this cache needs for its work is well: its nodes, and push where there is any.
pub(crate) fn is_well(cache: &Cache) -> bool {
    let health = cache.health();
    let deaf = matches!(health.push, PushState::Lost | PushState::Unproven);
    health.nodes_down.is_empty() && health.undelivered == 0 && !deaf
}

/// Writes down what goes wrong between a cache and its server.
struct Watch {
    notes: Arc<Notes>,
    last: AtomicU64,
}

impl Observer for Watch {
    fn record(&self, event: &CacheEvent<'_>) {
        let what = match event {
            CacheEvent::BackendCall { error: Some(kind), operation, .. }
                if kind.leaves_write_unknown()
                    && matches!(operation, Operation::Lease | Operation::Write) =>
            {
                return self.notes.take(&Note::AnswerLost { at: now() });
            }
            CacheEvent::BackendCall { error: Some(kind), operation, .. } => {
                format!("{operation:?}: {kind}")
            }
            CacheEvent::BackendFailed { kind, .. } => kind.to_string(),
            CacheEvent::Circuit { state, .. } => format!("circuit {state:?}"),
            CacheEvent::Pushed { change, .. }
                if !matches!(change, PushChange::Entries | PushChange::Markers) =>
            {
                format!("push: {change:?}")
            }
            _ => return,
        };
        let at = now();
        let last = self.last.load(Ordering::Relaxed);
        // One of many is enough; that it is noted late is no harm, trouble lasts.
        if at - last >= TROUBLE_EVERY
            && self.last.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.notes.take(&Note::Trouble { at, what });
        }
    }
}
