//! Real servers, a fault proxy and scripted fakes for the tests of rucache's adapters.
//!
//! Nothing here is skipped silently: a server that is not installed makes the test fail with the
//! command that installs it. Everything that is started ends with its handle, when a test panics, and
//! when the test's process is killed.

mod background;
mod chaos;
mod chromium;
mod deadline;
mod directory;
mod fake;
mod fleet;
mod memcached;
mod port;
mod process;
mod prometheus;
mod provider_fake;
mod proxy;
mod random;
mod reads;
mod redis;
mod rounds;
mod watchdog;

pub use chaos::{Chaos, ChaosBackend};
pub use chromium::{Chromium, Scheme, Tab, Viewport};
pub use deadline::wait_until;
pub use fake::{FakeServer, Step};
pub use fleet::{Fleet, Member, Parent};
pub use memcached::{Memcached, MemcachedOptions};
pub use prometheus::{Prometheus, Sample};
pub use provider_fake::{ProviderCall, ProviderFake, ProviderFault, ProviderShape};
pub use proxy::{Connections, Counts, Ending, Fault, FaultProxy};
pub use reads::{KEYS, Reads, VALUE_LEN, compare_reads};
pub use redis::{RedisCluster, RedisOptions, RedisSentinel, RedisServer, RedisUser, Tls};
pub use rounds::{Contender, compare, nanos_each};

/// Holds the README's example to the truth.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
