//! What a rule wants done to the cache.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::key::{Key, ServiceName};

/// One thing to do to the cache; doing it twice is doing it once.
///
/// In JSON: `{"action":"remove","key":"electro:producto_7"}`. `Debug` names no key: it may be
/// personal data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Effect {
    /// What to do.
    pub kind: EffectKind,
    /// To what.
    pub target: Target,
}

/// What an effect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EffectKind {
    /// Take it out; nothing remains to fall back on.
    Remove,
    /// Take it for expired; the value remains as a stale fallback.
    Expire,
    /// Load it anew where it is cached.
    Refresh,
    /// Load it whether it is cached or not.
    Warm,
}

impl EffectKind {
    /// The stable name: `remove`, `expire`, `refresh`, `warm`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Expire => "expire",
            Self::Refresh => "refresh",
            Self::Warm => "warm",
        }
    }
}

/// What an effect applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// One entry.
    Key(Key),
    /// All entries of a service that carry a tag; service and tag together are the key.
    Tag(Key),
    /// All entries of a service.
    Service(ServiceName),
}

impl Target {
    /// What kind of target it is: `key`, `tag`, `service`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Tag(_) => "tag",
            Self::Service(_) => "service",
        }
    }
}

impl fmt::Display for Target {
    /// `service:name`, `service:tag` or `service`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) | Self::Tag(key) => key.fmt(f),
            Self::Service(service) => service.fmt(f),
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("action", &self.kind)?;
        map.serialize_entry(self.target.kind(), &format_args!("{}", self.target))?;
        map.end()
    }
}
