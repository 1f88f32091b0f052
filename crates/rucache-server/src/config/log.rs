//! What is logged, and where.

use std::path::PathBuf;
use std::str::FromStr;

/// How the service logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LogConfig {
    /// At which level hits, misses, stores and invalidations are logged, if at all.
    pub(crate) cache_events: CacheEvents,
    /// Where they go in the place of standard error.
    pub(crate) file: Option<PathBuf>,
    /// How lines look.
    pub(crate) format: Format,
}

/// At which level hits, misses, stores and invalidations are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CacheEvents {
    #[default]
    Off,
    Debug,
    Info,
}

impl CacheEvents {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Debug => "debug",
            Self::Info => "info",
        }
    }
}

impl FromStr for CacheEvents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Off, Self::Debug, Self::Info];
        let found = known.into_iter().find(|level| level.as_str() == text);
        found.ok_or_else(|| "there is no such level of cache events".to_owned())
    }
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

impl Format {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Text, Self::Json].into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| "there is no such format".to_owned())
    }
}
