//! Moments as people and JSON write them.

use rucache_core::{Timestamp, Ttl};
use rucache_ruc::LimaDate;

const MILLIS_PER_DAY: u64 = 86_400_000;

/// How far the clocks of Lima are behind UTC.
const LIMA_BEHIND_UTC: Ttl = Ttl::secs(5 * 3_600);

/// `moment` as RFC 3339 in UTC: `2026-01-28T15:30:45.123Z`. Moments after the year 9999 count as
/// its last day.
#[must_use]
pub fn rfc3339(moment: Timestamp) -> String {
    // The day in Lima five hours later is the day in UTC now.
    let day = LimaDate::at(moment.after(LIMA_BEHIND_UTC));
    let of_day = moment.as_millis() % MILLIS_PER_DAY;
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The moment that [`rfc3339`] writes as `text`.
fn parsed(text: &str) -> Option<Timestamp> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let day: LimaDate = day.parse().ok()?;
    let (whole, millis) = time.split_once('.').unwrap_or((time, "0"));
    let mut seconds = 0;
    for part in whole.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    let of_day = seconds * 1_000 + millis.parse::<u64>().ok()?;
    let midnight = day.at_hour(0).as_millis().checked_sub(LIMA_BEHIND_UTC.as_millis())?;
    Some(Timestamp::from_millis(midnight + of_day))
}

/// A moment in serde as [`rfc3339`] writes it.
pub(crate) mod text {
    use rucache_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parsed(&text).ok_or_else(|| D::Error::custom("not a moment as RFC 3339 in UTC"))
    }

    pub(crate) fn serialize<S: Serializer>(
        moment: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_769_612_400_000, "2026-01-28T15:00:00.000Z"),
            (1_769_558_399_999, "2026-01-27T23:59:59.999Z"),
            (1_769_558_400_000, "2026-01-28T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis)), text);
            assert_eq!(parsed(text), Some(Timestamp::from_millis(millis)));
        }
    }
}
