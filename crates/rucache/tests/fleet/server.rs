//! The server of a fleet: Redis or Memcached, killed, stopped and restarted alike.

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};

/// What kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Memcached,
}

/// A running server.
#[derive(Debug)]
pub(crate) enum Server {
    Redis(RedisServer),
    Memcached(Memcached),
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Redis => Self::Redis(RedisServer::start(RedisOptions::default())),
            Kind::Memcached => Self::Memcached(Memcached::start(MemcachedOptions::default())),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Redis(_) => Kind::Redis,
            Self::Memcached(_) => Kind::Memcached,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Redis(redis) => redis.port(),
            Self::Memcached(memcached) => memcached.port(),
        }
    }

    /// Its URL, if its port were `port`, with an operation's time limit for busy machines.
    pub(crate) fn url_at(&self, port: u16) -> String {
        let scheme = match self {
            Self::Redis(_) => "redis",
            Self::Memcached(_) => "memcached",
        };
        format!("{scheme}://127.0.0.1:{port}?timeout=150ms")
    }

    pub(crate) fn kill_9(&self) {
        match self {
            Self::Redis(redis) => redis.kill_9(),
            Self::Memcached(memcached) => memcached.kill_9(),
        }
    }

    pub(crate) fn restart(&self) {
        match self {
            Self::Redis(redis) => redis.restart(),
            Self::Memcached(memcached) => memcached.restart(),
        }
    }

    pub(crate) fn pause(&self) {
        match self {
            Self::Redis(redis) => redis.pause(),
            Self::Memcached(memcached) => memcached.pause(),
        }
    }

    pub(crate) fn resume(&self) {
        match self {
            Self::Redis(redis) => redis.resume(),
            Self::Memcached(memcached) => memcached.resume(),
        }
    }

    /// Keeps what it holds now, to be what it begins with after its next death; Memcached cannot.
    pub(crate) fn snapshot(&self) {
        if let Self::Redis(redis) = self {
            redis.command(&["SAVE"]);
        }
    }
}
