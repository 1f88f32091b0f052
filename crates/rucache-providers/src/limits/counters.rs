//! Counters that a fleet shares: the one thing that limits need of the shared tier.

use std::sync::Arc;

use async_trait::async_trait;
use rucache_core::{Answers, Backend, InvalidKey, Key, KeyKind, ServiceName, Ttl};

/// Counters in the shared tier.
#[async_trait]
pub(crate) trait Counters: Send + Sync {
    /// As [`Backend::add_many`].
    async fn add(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64>;
}

#[async_trait]
impl Counters for Arc<dyn Backend> {
    async fn add(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        self.add_many(additions, ttl).await
    }
}

/// The service whose counters those of the source `name` are: `provider.migo`.
pub(crate) fn service(name: &str) -> Result<ServiceName, InvalidKey> {
    ServiceName::new(&format!("provider.{name}"))
}

/// The counter `kind_number` of a source.
pub(crate) fn key(service: &ServiceName, kind: KeyKind, number: u64) -> Key {
    Key::of_number(service, kind, number)
}
