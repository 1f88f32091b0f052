//! How a test wants its Redis server.

use std::fmt::Write;

/// How a Redis server is set up. By default it has no password and no TLS, and keeps nothing on disk.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// The password of the user `default`; none is needed by default.
    pub password: Option<String>,
    /// Users besides `default`.
    pub users: Vec<RedisUser>,
    /// Whether connections are encrypted.
    pub tls: Tls,
    /// `maxmemory` in bytes, without eviction unless [`config`](Self::config) has a policy.
    pub max_memory_bytes: Option<u64>,
    /// `maxclients`: how many connections there may be besides the kit's own.
    pub max_clients: Option<u32>,
    /// Further lines of `redis.conf`, such as `maxmemory-policy allkeys-lru`.
    pub config: Vec<String>,
}

/// A user of Redis's access control lists.
#[derive(Debug, Clone)]
pub struct RedisUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// What the user may do, such as `~* &* +@all -@dangerous`.
    pub rules: String,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Plain TCP.
    #[default]
    Off,
    /// TLS alone, with a certificate for `localhost` and `127.0.0.1` under an authority of its own.
    On,
}

impl RedisOptions {
    /// The lines of `redis.conf` that these options ask for.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        let mut line = |words: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{words}");
        };
        if let Some(password) = &self.password {
            line(format_args!("requirepass \"{password}\""));
        }
        for RedisUser { name, password, rules } in &self.users {
            line(format_args!("user {name} on \">{password}\" {rules}"));
        }
        if let Some(bytes) = self.max_memory_bytes {
            line(format_args!("maxmemory {bytes}"));
        }
        if let Some(clients) = self.max_clients {
            line(format_args!("maxclients {}", clients.saturating_add(1)));
        }
        for words in &self.config {
            line(format_args!("{words}"));
        }
        lines
    }
}
