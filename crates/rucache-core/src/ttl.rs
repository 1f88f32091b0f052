//! How long an entry lives.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time to live: 1 ms to 100 years, in whole milliseconds, never zero.
///
/// What is not a whole number of the target's unit is rounded **up**, never down: an entry may live
/// a little longer than asked, a sub-second TTL never becomes zero, which stores read as "for ever"
/// or "already gone". The one exception is the upper limit, where longer means 100 years: the
/// stores overflow or panic at spans that no cache needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU64);

impl Ttl {
    /// The shortest life, 1 ms.
    pub const MIN: Self = Self::millis(1);
    /// 60 s: rate-limit counters and other things that should be read again soon.
    pub const SHORT: Self = Self::secs(60);
    /// 900 s: what nobody said anything about.
    pub const DEFAULT: Self = Self::secs(900);
    /// 3,600 s: taxpayer records.
    pub const MEDIUM: Self = Self::secs(3_600);
    /// 86,400 s: exchange rates, verdicts of a caller, daily statistics.
    pub const LONG: Self = Self::secs(86_400);
    /// 604,800 s: the records behind verdicts.
    pub const EXTRA_LONG: Self = Self::secs(604_800);
    /// The longest life, 100 years of 365 days.
    pub const MAX: Self = Self::millis(100 * 365 * DAY);

    /// A life of `millis` milliseconds; zero is [`Ttl::MIN`], past the limit is [`Ttl::MAX`].
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        let millis = if millis > 100 * 365 * DAY { 100 * 365 * DAY } else { millis };
        match NonZeroU64::new(millis) {
            Some(millis) => Self(millis),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// A life of `secs` seconds; zero is [`Ttl::MIN`], past the limit is [`Ttl::MAX`].
    #[must_use]
    pub const fn secs(secs: u64) -> Self {
        Self::millis(secs.saturating_mul(SECOND))
    }

    /// The life as a duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0.get())
    }

    /// The life in milliseconds: at least 1, at most 3,153,600,000,000.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0.get()
    }

    /// The life in seconds, rounded up: at least 1.
    #[must_use]
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.get().div_ceil(SECOND)
    }

    /// The life changed by a share drawn from `random`, evenly within the jitter.
    #[must_use]
    pub fn jittered(self, jitter: Jitter, random: u64) -> Self {
        let reach = self.as_millis() / 100 * u64::from(jitter.percent)
            + self.as_millis() % 100 * u64::from(jitter.percent) / 100;
        // `random` scaled into 0..=2 × reach without the bias of a remainder.
        let span = u128::from(reach) * 2 + 1;
        let drawn = (u128::from(random) * span) >> 64;
        Self::millis(self.as_millis() - reach + u64::try_from(drawn).unwrap_or(reach))
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = InvalidTtl;

    /// Rounds up to whole milliseconds.
    fn try_from(life: Duration) -> Result<Self, InvalidTtl> {
        if life.is_zero() {
            return Err(InvalidTtl::Zero);
        }
        Ok(u64::try_from(life.as_nanos().div_ceil(1_000_000)).map_or(Self::MAX, Self::millis))
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Self {
        ttl.as_duration()
    }
}

impl fmt::Display for Ttl {
    /// The largest unit that divides the life: `15min`, `1h`, `24h`, `7d`, `1500ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_millis() {
            ms if ms % DAY == 0 && ms > DAY => write!(f, "{}d", ms / DAY),
            ms if ms % HOUR == 0 => write!(f, "{}h", ms / HOUR),
            ms if ms % MINUTE == 0 => write!(f, "{}min", ms / MINUTE),
            ms if ms % SECOND == 0 => write!(f, "{}s", ms / SECOND),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Debug for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ttl({self})")
    }
}

impl FromStr for Ttl {
    type Err = InvalidTtl;

    /// A number and a unit (`ms`, `s`, `min` or `m`, `h`, `d`); a bare number is seconds.
    fn from_str(text: &str) -> Result<Self, InvalidTtl> {
        let form = || InvalidTtl::Form { found: text.chars().take(40).collect() };
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let unit = match unit {
            "ms" => 1,
            "" | "s" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => return Err(form()),
        };
        match number.parse::<u64>() {
            Ok(0) => Err(InvalidTtl::Zero),
            Ok(number) => Ok(Self::millis(number.saturating_mul(unit))),
            Err(_) if number.is_empty() => Err(form()),
            Err(_) => Ok(Self::MAX),
        }
    }
}

/// Why a duration or a text is no TTL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidTtl {
    /// Zero: neither "for ever" nor "not at all" can be meant safely.
    #[error("a TTL of zero is not allowed; give at least 1ms, or delete the entry")]
    Zero,
    /// Not a number with a unit.
    #[error(
        "{found:?} is not a TTL; write seconds, or a number with ms, s, min, h or d, as in 15min"
    )]
    Form {
        /// The refused text, cut to 40 characters.
        found: String,
    },
}

/// How far a TTL may be moved, in per cent of itself, so that entries loaded together do not expire
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Jitter {
    percent: u8,
}

impl Jitter {
    /// No change.
    pub const NONE: Self = Self { percent: 0 };

    /// Up to `percent` per cent in either direction; more than 50 is 50.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        Self { percent: if percent > 50 { 50 } else { percent } }
    }
}

#[cfg(test)]
mod tests;
