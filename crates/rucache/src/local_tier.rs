//! Whether copies of what a server has are kept in this process.

use std::fmt::Display;
use std::str::FromStr;

/// Whether a local tier stands before a backend that is a server. A memory backend is one itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalTier {
    /// 64 MiB before a backend that tells what changes, which is Redis; none before others.
    #[default]
    Auto,
    /// None: every read asks the server.
    Off,
    /// One of this capacity. Before a backend that does not tell what changes, copies are good for
    /// two seconds.
    Of(rucache_memory::Capacity),
}

impl LocalTier {
    /// Its capacity before a backend that tells what changes, or does not.
    pub(crate) const fn capacity(self, tells: bool) -> Option<rucache_memory::Capacity> {
        match self {
            Self::Auto if tells => Some(rucache_memory::Capacity::bytes(64 << 20)),
            Self::Auto | Self::Off => None,
            Self::Of(capacity) => Some(capacity),
        }
    }
}

impl FromStr for LocalTier {
    type Err = rucache_memory::InvalidCapacity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            size => size.parse().map(Self::Of),
        }
    }
}

impl Display for LocalTier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::Of(capacity) => capacity.fmt(f),
        }
    }
}
