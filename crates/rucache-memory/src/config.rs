//! Settings of the in-process stores, and their URL form.

use std::str::FromStr;

use thiserror::Error;

use crate::{Capacity, InvalidCapacity};

/// The URL scheme with its separator.
const SCHEME: &str = "memory://";

/// Settings of a [`LocalStore`](crate::LocalStore) or a [`MemoryBackend`](crate::MemoryBackend).
///
/// As a URL: `memory://?capacity=256MiB`; what is left out is [`Default`].
///
/// ```
/// use rucache_memory::{Capacity, MemoryConfig};
///
/// let config: MemoryConfig = "memory://?capacity=64MiB".parse()?;
/// assert_eq!(config.capacity, Capacity::bytes(64 << 20));
/// # Ok::<(), rucache_memory::InvalidConfig>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// How many bytes it may hold; 256 MiB by default.
    pub capacity: Capacity,
}

impl MemoryConfig {
    /// The defaults with another capacity.
    #[must_use]
    pub const fn with_capacity(capacity: Capacity) -> Self {
        Self { capacity }
    }
}

impl FromStr for MemoryConfig {
    type Err = InvalidConfig;

    fn from_str(url: &str) -> Result<Self, InvalidConfig> {
        let rest = url.strip_prefix(SCHEME).ok_or(InvalidConfig::Scheme)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !matches!(place, "" | "/") {
            return Err(InvalidConfig::Place);
        }
        let mut capacity = None;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name != "capacity" {
                return Err(InvalidConfig::Unknown { name: name.chars().take(40).collect() });
            }
            let value = value.parse().map_err(|reason| InvalidConfig::Capacity { reason })?;
            if capacity.replace(value).is_some() {
                return Err(InvalidConfig::Repeated { name: "capacity" });
            }
        }
        Ok(Self { capacity: capacity.unwrap_or_default() })
    }
}

/// Why a text is no URL of an in-process store.
///
/// The URL itself is not repeated: one meant for another backend may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// Another scheme, or none.
    #[error(
        "the URL of the memory backend must begin with memory://, as in memory://?capacity=256MiB"
    )]
    Scheme,
    /// A host, a user or a path.
    #[error("memory:// takes no host, user or path; write memory://?capacity=256MiB")]
    Place,
    /// A parameter that does not exist.
    #[error(
        "memory:// has no parameter {name:?}; known: capacity, as in memory://?capacity=256MiB"
    )]
    Unknown {
        /// The parameter's name, cut to 40 characters.
        name: String,
    },
    /// A parameter that stands twice.
    #[error("parameter {name} of memory:// stands twice; write it once")]
    Repeated {
        /// The parameter's name.
        name: &'static str,
    },
    /// The value of `capacity` is no size.
    #[error("parameter capacity of memory://: {reason}")]
    Capacity {
        /// What is wrong with the value.
        reason: InvalidCapacity,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<u64, &str>) {
        let found: Result<MemoryConfig, _> = url.parse();
        match expected {
            Ok(bytes) => {
                let expected = MemoryConfig::with_capacity(Capacity::bytes(bytes));
                assert_eq!(found, Ok(expected), "{url}");
            }
            Err(message) => assert_eq!(found.unwrap_err().to_string(), message, "{url}"),
        }
    }

    #[test]
    fn capacity_is_read_and_has_a_default() {
        check("memory://", Ok(256 << 20));
        check("memory:///", Ok(256 << 20));
        check("memory://?", Ok(256 << 20));
        check("memory://?capacity=64MiB", Ok(64 << 20));
        check("memory:///?capacity=1GB", Ok(1_000_000_000));
    }

    #[test]
    fn a_bad_capacity_names_parameter_value_and_form() {
        check(
            "memory://?capacity=lots",
            Err(
                "parameter capacity of memory://: \"lots\" is not a size; write a whole number with \
                 KiB, MiB, GiB, KB, MB, GB or bytes, as in 256MiB",
            ),
        );
        check(
            "memory://?capacity",
            Err("parameter capacity of memory://: \"\" is not a size; write a whole number with \
                 KiB, MiB, GiB, KB, MB, GB or bytes, as in 256MiB"),
        );
        check(
            "memory://?capacity=0",
            Err(
                "parameter capacity of memory://: a capacity of zero holds nothing; give at least \
                 a few MiB, as in 256MiB",
            ),
        );
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        check(
            "memory://?capacty=1MiB",
            Err("memory:// has no parameter \"capacty\"; known: capacity, as in \
                 memory://?capacity=256MiB"),
        );
        check(
            "memory://?capacity=1MiB&capacity=2MiB",
            Err("parameter capacity of memory:// stands twice; write it once"),
        );
    }

    #[test]
    fn another_backends_url_is_refused_without_showing_its_password() {
        check(
            "redis://user:secret@host",
            Err("the URL of the memory backend must begin with memory://, as in \
                 memory://?capacity=256MiB"),
        );
        check(
            "memory://user:secret@host",
            Err("memory:// takes no host, user or path; write memory://?capacity=256MiB"),
        );
    }
}
