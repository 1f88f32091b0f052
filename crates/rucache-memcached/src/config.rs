//! Settings of the adapter.

mod server;
mod url;

use std::time::Duration;

use rucache_core::{Capabilities, KeyPrefix};
use thiserror::Error;

pub use server::Server;

/// What an item of memcached needs besides its value: its header, version and flags, the longest
/// name, line ends; measured as 303 bytes.
const ITEM_OVERHEAD: usize = 320;

/// Settings of a [`MemcachedBackend`](crate::MemcachedBackend).
///
/// As a URL: `memcached://host1:11211,host2:11211?timeout=50ms&prefix=shop`; what is left out is as
/// documented at the fields. There are no user, password or TLS: refused with what to do instead.
///
/// ```
/// use std::time::Duration;
/// use rucache_memcached::MemcachedConfig;
///
/// let config: MemcachedConfig = "memcached://10.0.0.1,10.0.0.2:11212?timeout=80ms".parse()?;
/// assert_eq!(config.servers[0].as_str(), "10.0.0.1:11211");
/// assert_eq!(config.timeout, Duration::from_millis(80));
/// # Ok::<(), rucache_memcached::InvalidConfig>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemcachedConfig {
    /// The nodes. A key lives on the one that its name and the nodes' names choose, wherever a node
    /// stands in the list: a node that is renamed loses its keys.
    pub servers: Vec<Server>,
    /// Longest duration of a call, 50 ms by default; of each round trip of a map's operations.
    pub timeout: Duration,
    /// Longest wait for a connection, 200 ms by default; within a call, its timeout ends it earlier.
    pub connect_timeout: Duration,
    /// Most connections to each node, 16 by default.
    pub max_connections: usize,
    /// A deployment's prefix before every key.
    pub prefix: Option<KeyPrefix>,
    /// Longest value, in bytes; 1,000,000 by default, and what fits the item size at most.
    pub max_value: usize,
    /// The servers' longest item, in bytes, as their option `-I` says; 1 MiB by default.
    pub item_size: usize,
}

impl MemcachedConfig {
    /// The defaults for these nodes.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::NoServer`] or [`InvalidConfig::RepeatedServer`].
    pub fn new(servers: Vec<Server>) -> Result<Self, InvalidConfig> {
        if servers.is_empty() {
            return Err(InvalidConfig::NoServer);
        }
        for (at, server) in servers.iter().enumerate() {
            if servers[..at].contains(server) {
                return Err(InvalidConfig::RepeatedServer { server: server.to_string() });
            }
        }
        Ok(Self {
            servers,
            timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_millis(200),
            max_connections: 16,
            prefix: None,
            max_value: Capabilities::DEFAULT_MAX_VALUE_LEN,
            item_size: 1024 * 1024,
        })
    }

    /// The longest value that both settings allow, in bytes.
    pub(crate) fn max_value_len(&self) -> usize {
        self.max_value.min(self.item_size.saturating_sub(ITEM_OVERHEAD))
    }
}

/// Why a text is no URL of memcached nodes.
///
/// The URL itself is not repeated: one meant for another backend may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// Another scheme, or none.
    #[error(
        "the URL of the memcached backend must begin with memcached://, as in \
         memcached://10.0.0.1:11211,10.0.0.2:11211"
    )]
    Scheme,
    /// `memcacheds://`.
    #[error(
        "memcacheds:// is not supported: this adapter speaks no TLS; lead the connection through \
         a tunnel such as stunnel or WireGuard and write memcached:// with the tunnel's address"
    )]
    Tls,
    /// A user or a password.
    #[error(
        "memcached:// takes no user or password: this adapter speaks no SASL; keep the servers in \
         a private network or behind a tunnel, and leave out what stands before the @"
    )]
    Credentials,
    /// No node.
    #[error("the URL names no server; write one or more, as in memcached://10.0.0.1:11211")]
    NoServer,
    /// A node that is no `host:port`.
    #[error("{found:?} is no server; write host:port, as in 10.0.0.1:11211 or [::1]:11211")]
    Server {
        /// The refused text, cut to 80 characters.
        found: String,
    },
    /// A node that stands twice.
    #[error("server {server} stands twice; write it once")]
    RepeatedServer {
        /// The node's name.
        server: String,
    },
    /// A path.
    #[error("memcached:// takes no path or database number; leave out what follows the servers")]
    Path,
    /// A parameter that does not exist.
    #[error(
        "memcached:// has no parameter {name:?}; known: timeout, connect_timeout, \
         max_connections, prefix, max_value, item_size"
    )]
    Unknown {
        /// The parameter's name, cut to 40 characters.
        name: String,
    },
    /// A parameter that stands twice.
    #[error("parameter {name} of memcached:// stands twice; write it once")]
    Repeated {
        /// The parameter's name.
        name: &'static str,
    },
    /// A parameter whose value does not fit.
    #[error("parameter {name} of memcached:// is {found:?}; {expected}")]
    Value {
        /// The parameter's name.
        name: &'static str,
        /// The refused value, cut to 40 characters.
        found: String,
        /// What fits.
        expected: &'static str,
    },
    /// A longest value that does not fit the longest item.
    #[error(
        "max_value is {max_value} bytes, but an item of {item_size} bytes has room for {room}; \
         lower max_value, or raise item_size and the servers' option -I"
    )]
    MaxValue {
        /// The value asked for, in bytes.
        max_value: usize,
        /// The longest item, in bytes.
        item_size: usize,
        /// The longest value that fits, in bytes.
        room: usize,
    },
}
