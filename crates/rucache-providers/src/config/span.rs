//! Durations as texts, and the defaults.

use std::time::Duration;

use rucache_core::Ttl;
use serde::de::{Deserialize, Deserializer, Error as _};

pub(super) const fn connect() -> Duration {
    Duration::from_secs(2)
}

pub(super) const fn timeout() -> Duration {
    Duration::from_secs(3)
}

pub(super) const fn deadline() -> Duration {
    Duration::from_secs(6)
}

pub(super) const fn gather() -> Duration {
    Duration::from_millis(200)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    if matches!(&*text, "0" | "0s" | "0ms") {
        return Ok(Duration::ZERO);
    }
    let ttl: Ttl = text.parse().map_err(D::Error::custom)?;
    Ok(ttl.as_duration())
}
