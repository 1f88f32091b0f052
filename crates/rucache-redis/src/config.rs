//! Settings of the backend: where the servers are, how to log in, how long to wait.

mod invalid;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rucache_core::{Capabilities, KeyCodec, KeyPrefix};

pub use invalid::InvalidConfig;

/// The port of a Redis server that names none.
pub(crate) const SERVER_PORT: u16 = 6379;

/// The port of a Sentinel that names none.
pub(crate) const SENTINEL_PORT: u16 = 26379;

/// Settings of a [`RedisBackend`](crate::RedisBackend).
///
/// As a URL, `s` after `redis` asking for TLS:
///
/// ```text
/// redis[s]://[user[:password]@]host[:port][/database][?parameters]
/// redis[s]+sentinel://[user[:password]@]sentinel[:port][,…]/service[/database][?parameters]
/// redis[s]+cluster://[user[:password]@]host[:port][,…][?parameters]
/// ```
///
/// | parameter | meaning | default |
/// |---|---|---|
/// | `timeout` | deadline of a whole operation | `50ms` |
/// | `bulk_timeout` | deadline of listings, maps and admin work | `1s` |
/// | `connect_timeout` | deadline of making a connection | `200ms` |
/// | `protocol` | 2 or 3; push always takes 3 | `3` |
/// | `prefix` | put before every key | none |
/// | `max_value` | longest value, in bytes | `1000000` |
/// | `ca` | file of the certificates to trust (PEM) | the system's |
/// | `sentinel_user`, `sentinel_password` | how to log in at the Sentinels | not at all |
///
/// ```
/// use std::time::Duration;
/// use rucache_redis::RedisConfig;
///
/// let config: RedisConfig = "redis://cache:s3cret@10.0.0.5/1?timeout=20ms&prefix=isla".parse()?;
/// assert_eq!(config.timeout, Duration::from_millis(20));
/// assert!(!format!("{config:?}").contains("s3cret"));
/// # Ok::<(), rucache_redis::InvalidConfig>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisConfig {
    /// Where the servers are.
    pub servers: Servers,
    /// How to log in at the servers.
    pub login: Login,
    /// The database number; a Cluster has 0 only.
    pub database: u32,
    /// Whether connections are encrypted, and whom they trust.
    pub tls: Option<Tls>,
    /// The protocol of data connections.
    pub protocol: Protocol,
    /// The deployment's prefix before every key. Without one, push tells of every change in the
    /// database.
    pub prefix: Option<KeyPrefix>,
    /// How long an operation may take as a whole; 50 ms by default.
    pub timeout: Duration,
    /// How long listings, changes of maps and admin work may take; 1 s by default.
    pub bulk_timeout: Duration,
    /// How long making a connection may take; 200 ms by default.
    pub connect_timeout: Duration,
    /// Longest value, in bytes; 1,000,000 by default.
    pub max_value_len: usize,
}

impl RedisConfig {
    /// The defaults, for `servers`.
    #[must_use]
    pub fn new(servers: Servers) -> Self {
        Self {
            servers,
            login: Login::default(),
            database: 0,
            tls: None,
            protocol: Protocol::default(),
            prefix: None,
            timeout: Duration::from_millis(50),
            bulk_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_millis(200),
            max_value_len: Capabilities::DEFAULT_MAX_VALUE_LEN,
        }
    }

    /// The codec of this deployment's keys.
    pub(crate) fn codec(&self) -> KeyCodec {
        self.prefix.clone().map_or_else(KeyCodec::default, KeyCodec::with_prefix)
    }
}

impl FromStr for RedisConfig {
    type Err = InvalidConfig;

    fn from_str(text: &str) -> Result<Self, InvalidConfig> {
        url::parse(text)
    }
}

/// Where the servers are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Servers {
    /// One server.
    One(Address),
    /// The primary that these Sentinels name.
    #[non_exhaustive]
    Sentinel {
        /// The Sentinels, port 26379 by default.
        sentinels: Vec<Address>,
        /// What they call the primary: `mymaster`.
        service: String,
        /// How to log in at the Sentinels themselves.
        login: Login,
    },
    /// A Cluster, found through any of these.
    Cluster(Vec<Address>),
}

/// A host with its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Name or IP address, an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// The address of `host` and `port`.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// User and password; `Debug` shows neither.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The ACL user; the server's default user where it is absent.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |part: &Option<String>| part.as_ref().map(|_| "…");
        f.debug_struct("Login")
            .field("user", &shown(&self.user))
            .field("password", &shown(&self.password))
            .finish()
    }
}

/// Encryption of connections. Certificates and host names are always verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// A PEM file with the certificates to trust instead of the system's.
    pub ca: Option<PathBuf>,
}

/// The protocol of data connections. Push has a connection of its own, always over RESP3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// RESP2, for servers and proxies without `HELLO`.
    Resp2,
    /// RESP3.
    #[default]
    Resp3,
}

#[cfg(test)]
mod tests;
