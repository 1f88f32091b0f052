//! What a backend tells those who listen to it.

use async_trait::async_trait;

use super::Marker;
use crate::{Error, Key, ServiceName};

/// Something changed at the store, possibly by another process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// These entries may have changed.
    Entries(Vec<Key>),
    /// These markers may have changed.
    Markers(Vec<Marker>),
    /// Any entry or tag of this service may have changed, under a name that cannot be told.
    Service(ServiceName),
    /// Anything may have changed.
    Everything,
    /// A node has begun another life, or another server stands in its place: it may have forgotten
    /// what it had confirmed, and anything may have changed.
    Rewound,
    /// Changes are no longer told: what is known locally ages from now on.
    PushLost,
    /// Changes are told again, after an [`Change::Everything`].
    PushRestored,
}

/// Somebody who keeps copies of what a backend holds.
///
/// Calls come from the adapter's own tasks; the plain ones must return at once.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Something changed.
    fn changed(&self, change: Change);

    /// A node no longer answers.
    fn node_down(&self, node: &str);

    /// A node answers again and takes writes, and stays closed for reads until this returns `Ok`:
    /// the moment to deliver the invalidations that it missed.
    ///
    /// # Errors
    ///
    /// The node stays closed and is tried again later.
    async fn node_recovering(&self, node: &str) -> Result<(), Error>;

    /// A node serves reads again, or is needed no more.
    fn node_up(&self, node: &str);
}
