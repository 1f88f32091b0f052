//! Why a text is no URL of a Redis backend.

use rucache_core::{InvalidKey, InvalidTtl};
use thiserror::Error;

/// Why a text is no URL of a Redis backend.
///
/// Neither the URL nor any part of it before the `?` is repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// Another scheme, or none.
    #[error(
        "the URL of a Redis backend must begin with redis://, rediss://, redis+sentinel:// or \
         redis+cluster://, as in redis://localhost:6379"
    )]
    Scheme,
    /// No host, or one that is none.
    #[error(
        "host number {number} of the URL is none; write host, host:port or [IPv6]:port, and \
         percent-encode '@', '/', '?' and '#' in user and password"
    )]
    Host {
        /// Which of the hosts, from 1.
        number: usize,
    },
    /// More than one host where one is meant.
    #[error("redis:// takes one host; for several write redis+sentinel:// or redis+cluster://")]
    Hosts,
    /// User or password are not percent-encoded UTF-8.
    #[error(
        "user or password of the URL are not percent-encoded; write '@', '/', '?' and '#' as %40, \
         %2F, %3F and %23"
    )]
    Login,
    /// The path is no database number.
    #[error("the path of redis:// is a database number, as in redis://localhost/0")]
    Database,
    /// A Cluster with a path.
    #[error("redis+cluster:// takes no path: a Cluster has database 0 only")]
    ClusterPath,
    /// Sentinels without the name of the service.
    #[error(
        "the path of redis+sentinel:// names the service, as in redis+sentinel://host:26379/mymaster"
    )]
    Service,
    /// A parameter that does not exist.
    #[error("a URL of Redis has no parameter {name}; {hint}")]
    Unknown {
        /// The parameter's name, where it can be shown.
        name: String,
        /// The nearest one, or all.
        hint: String,
    },
    /// A parameter that stands twice.
    #[error("parameter {name} stands twice; write it once")]
    Repeated {
        /// The parameter's name.
        name: &'static str,
    },
    /// A parameter that this kind of URL does not take.
    #[error("parameter {name} is for {takes} only")]
    Misplaced {
        /// The parameter's name.
        name: &'static str,
        /// The URLs that take it.
        takes: &'static str,
    },
    /// A span of time that is none.
    #[error("parameter {name}: {reason}")]
    Span {
        /// The parameter's name.
        name: &'static str,
        /// What is wrong with it.
        reason: InvalidTtl,
    },
    /// A protocol that is neither 2 nor 3.
    #[error("parameter protocol is 2 or 3")]
    Protocol,
    /// A prefix that cannot stand before a key.
    #[error("parameter prefix: {reason}")]
    Prefix {
        /// What is wrong with it.
        reason: InvalidKey,
    },
    /// A limit of values that is none.
    #[error("parameter max_value is a number of bytes from 1024 to 512000000")]
    MaxValue,
    /// A value that is not percent-encoded UTF-8.
    #[error("parameter {name} is not percent-encoded UTF-8, or empty")]
    Encoding {
        /// The parameter's name.
        name: &'static str,
    },
}
