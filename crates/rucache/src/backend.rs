//! From a URL to a backend: which scheme is whose.

use std::sync::Arc;

use rucache_core::Backend;

use crate::OpenError;
use crate::password::without_password;

/// A backend, opened or about to be.
pub(crate) enum Opened {
    /// Values live in this process, typed.
    #[cfg(feature = "memory")]
    Memory(rucache_memory::MemoryConfig),
    /// Values live at a server, or will once it is up.
    #[cfg_attr(
        not(any(feature = "redis", feature = "memcached")),
        expect(dead_code, reason = "this build has no such backend")
    )]
    Backend(Arc<dyn Backend>),
}

/// Whether `url` is one that [`opened`] would take; opens nothing.
pub(crate) fn check(url: &str) -> Result<(), String> {
    adapter(url).map(drop)
}

/// The backend at `url`.
#[cfg_attr(
    not(feature = "redis"),
    expect(clippy::unused_async, reason = "the backends of this build open at once")
)]
pub(crate) async fn opened(url: &str) -> Result<Opened, OpenError> {
    match adapter(url).map_err(|reason| wrong(url, reason))? {
        #[cfg(feature = "memory")]
        Adapter::Memory(config) => Ok(Opened::Memory(config)),
        #[cfg(feature = "redis")]
        Adapter::Redis(config) => {
            Ok(Opened::Backend(Arc::new(rucache_redis::RedisBackend::connect(*config).await?)))
        }
        #[cfg(feature = "memcached")]
        Adapter::Memcached(config) => {
            Ok(Opened::Backend(Arc::new(rucache_memcached::MemcachedBackend::new(*config))))
        }
    }
}

/// That `url` is wrong, told without its password.
pub(crate) fn wrong(url: &str, reason: String) -> OpenError {
    OpenError::Backend { url: without_password(url), reason }
}

/// The settings that a URL states, of the adapter whose scheme it has.
enum Adapter {
    #[cfg(feature = "memory")]
    Memory(rucache_memory::MemoryConfig),
    #[cfg(feature = "redis")]
    Redis(Box<rucache_redis::RedisConfig>),
    #[cfg(feature = "memcached")]
    Memcached(Box<rucache_memcached::MemcachedConfig>),
}

fn adapter(url: &str) -> Result<Adapter, String> {
    let Some((scheme, _)) = url.split_once("://") else {
        return Err("not a URL".to_owned());
    };
    match scheme {
        #[cfg(feature = "memory")]
        "memory" => url
            .parse()
            .map(Adapter::Memory)
            .map_err(|error: rucache_memory::InvalidConfig| error.to_string()),
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "redis+sentinel" | "rediss+sentinel" | "redis+cluster"
        | "rediss+cluster" => url
            .parse()
            .map(|config| Adapter::Redis(Box::new(config)))
            .map_err(|error: rucache_redis::InvalidConfig| error.to_string()),
        #[cfg(feature = "memcached")]
        "memcached" | "memcacheds" => url
            .parse()
            .map(|config| Adapter::Memcached(Box::new(config)))
            .map_err(|error: rucache_memcached::InvalidConfig| error.to_string()),
        _ => Err(format!("this program has no backend {scheme:?}; known are {}", known())),
    }
}

/// The URLs that this build takes.
fn known() -> String {
    let known: [&str; 3] = [
        if cfg!(feature = "memory") { "memory://" } else { "" },
        if cfg!(feature = "redis") { "redis://" } else { "" },
        if cfg!(feature = "memcached") { "memcached://" } else { "" },
    ];
    let known: Vec<&str> = known.into_iter().filter(|scheme| !scheme.is_empty()).collect();
    if known.is_empty() { "none in this build".to_owned() } else { known.join(", ") }
}
