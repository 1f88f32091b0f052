//! The contract between a cache and the stores it can use.

mod entry;
mod forward;
mod lease;
mod listener;
mod map;
mod marker;

use std::sync::Weak;

use async_trait::async_trait;

pub use entry::{Companions, Fetched, Precondition, Stored, Version, Write, WriteOutcome};
pub use lease::{BackOff, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken};
pub use listener::{Change, Listener};
pub use map::{MAX_NOTE_LEN, MapEntry, MapPage};
pub use marker::{Marker, MarkerRef, MarkerVersion};

use crate::{Error, Key, ServiceName, Timestamp, Ttl};

/// One answer for each request, in the order of the requests.
///
/// A node that fails spoils the answers of its own keys only.
pub type Answers<T> = Vec<Result<T, Error>>;

/// A store of bytes under the cache's contract.
///
/// The clauses that every implementation keeps stand in the crate `rucache-conformance`; their
/// essentials:
///
/// - A miss is `Ok` without an entry, never an error.
/// - **Entries.** A write is visible to every later read through any handle. An entry is gone once
///   its TTL has passed; a TTL is never shortened, and lengthened by less than two seconds where the
///   store's clock is coarse. An end past 2038-01-19 may be no end at all: who needs one has it in
///   the value.
/// - **Versions.** Every change of an entry (write, expire) gives it a version that it has never had
///   within the life of the server.
/// - **Fences.** Every successful write, delete or expire of a key voids the lease, or the back-off
///   note, that is out for it, also where a delete or expire finds no entry. A write under a void or
///   expired lease, or under an outdated version, is [`WriteOutcome::Refused`] and changes nothing.
/// - **Leases.** At most one caller holds the lease of a key. It ends by release, by its TTL, or by
///   a change of the entry; a store may lose it earlier, and refuses the fill then.
/// - **Markers** live longer than every entry written under them. A lost marker is seeded anew and
///   never takes a value it has had before.
/// - **Maps** lose no update under concurrency. A member whose expiry has passed is not listed and
///   not counted.
/// - **Limits.** A value longer than [`Capabilities::max_value_len`] is refused as
///   [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge): nothing of it is sent, and the entry is
///   deleted with its lease, whatever the precondition. The empty value is a value.
/// - **Foreign values.** What the store holds in an entry's slot without having been written under
///   this contract reads as [`ErrorKind::ForeignValue`](crate::ErrorKind::ForeignValue), or as a
///   miss where the store cannot tell; for everything else it counts as no entry, and a write
///   replaces it.
/// - **Batches.** The empty batch is an empty answer. A key that appears twice in a batch is
///   answered twice; the order of its two changes is the order of the batch.
/// - **Time.** Every remote call ends within the adapter's own deadline.
///
/// Every method is required: a decorator that forgets one does not compile.
#[async_trait]
pub trait Backend: Send + Sync {
    /// What this backend is and can do.
    fn capabilities(&self) -> Capabilities;

    /// Reads entries, with the root and service markers of each where `companions` asks for them.
    async fn get_many(&self, keys: &[Key], companions: Companions) -> Answers<Fetched>;

    /// Writes entries, each under its own precondition.
    async fn write_many(&self, writes: &[Write]) -> Answers<WriteOutcome>;

    /// Deletes entries; `true` where there was one, stale or not.
    async fn delete_many(&self, keys: &[Key]) -> Answers<bool>;

    /// Marks entries stale and keeps them for the rest of their TTL; `true` where there was one.
    async fn expire_many(&self, keys: &[Key]) -> Answers<bool>;

    /// Asks for the right to load or refresh entries.
    async fn lease_many(&self, requests: &[LeaseRequest]) -> Answers<Lease>;

    /// Lets leases last at least `ttl` from now, never shorter than before; `false` where the lease is no longer the holder's.
    async fn renew_many(&self, holds: &[LeaseHold], ttl: Ttl) -> Answers<bool>;

    /// Ends leases without a write, leaving a back-off note where there is one; `false` where the
    /// lease was no longer the holder's.
    async fn release_many(&self, ends: &[LeaseEnd]) -> Answers<bool>;

    /// Adds to counters and returns their new values. A counter begins at zero and lives `ttl` from
    /// its first addition. None passes 2^63 − 1: it stays there, or the addition is
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid).
    async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64>;

    /// Reads markers as they stand where each reference points; a missing one is created as `seed`.
    async fn markers(&self, at: &[MarkerRef], seed: MarkerVersion) -> Answers<MarkerVersion>;

    /// Raises markers above their value on every node that holds a copy, and to `seed` at least where
    /// the store can go back in time; a missing one is created as `seed`.
    ///
    /// An error means that some copy may not have been raised; raising again is safe.
    async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()>;

    /// Puts members into the map `map`, replacing equal ones; the number of members that were new,
    /// those that have expired by then included. An expiry past 2^53 ms is cut to it.
    async fn map_put(&self, map: &Key, entries: &[MapEntry], now: Timestamp) -> Result<u64, Error>;

    /// Removes members from the map `map`; the number of unexpired ones that were there.
    async fn map_remove(&self, map: &Key, members: &[String], now: Timestamp)
    -> Result<u64, Error>;

    /// Lists about `limit` unexpired members of `map`, from the beginning or from a page's cursor.
    ///
    /// A member that is there from the first page to the last is listed at least once.
    async fn map_page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error>;

    /// Counts the unexpired members of `map`.
    async fn map_len(&self, map: &Key, now: Timestamp) -> Result<u64, Error>;

    /// Drops the expired members of `map`; how many were dropped.
    async fn map_purge(&self, map: &Key, now: Timestamp) -> Result<u64, Error>;

    /// Lists about `limit` keys of `service`, where [`Capabilities::scan`] says that it can; keys whose
    /// names are stored as hashes are left out.
    async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Error>;

    /// Tells `listener` which nodes are up and down, and of changes, nodes and trust from now on, for
    /// as long as it lives.
    fn subscribe(&self, listener: Weak<dyn Listener>);

    /// A sign of life of every node.
    async fn ping(&self) -> Result<(), Error>;

    /// What the store says of itself.
    async fn info(&self) -> Result<Info, Error>;
}

/// What a backend is and can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The name in errors, metrics and statistics: `memory`, `redis`, `memcached`.
    pub name: &'static str,
    /// Whether other processes see the same entries.
    pub shared: bool,
    /// Whether changes by other processes are told to listeners.
    pub push: bool,
    /// Whether keys can be listed.
    pub scan: bool,
    /// Longest value accepted, in bytes.
    pub max_value_len: usize,
}

impl Capabilities {
    /// The default limit of a value, in bytes: what memcached takes with room for its own header.
    pub const DEFAULT_MAX_VALUE_LEN: usize = 1_000_000;

    /// A backend of one process that neither pushes nor lists.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            shared: false,
            push: false,
            scan: false,
            max_value_len: Self::DEFAULT_MAX_VALUE_LEN,
        }
    }
}

/// Part of a listing of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys of this page, in no order.
    pub keys: Vec<Key>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// What a store says of itself; absent where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The server's version.
    pub version: Option<String>,
    /// Number of items it holds, the cache's own slots included.
    pub items: Option<u64>,
    /// Bytes in use.
    pub used_bytes: Option<u64>,
    /// Bytes it may use.
    pub capacity_bytes: Option<u64>,
    /// Items it evicted for lack of room since its start.
    pub evictions: Option<u64>,
}
