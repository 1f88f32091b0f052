//! Lives in memcached's terms: whole seconds, dates past 30 days, zero for ever.

use rucache_core::{Timestamp, Ttl};

/// Longest span in seconds; a greater number is read as a date.
const MAX_SPAN: u64 = 30 * 24 * 3_600;

/// Last date that memcached knows, 2038-01-19; a later one is "gone already".
const LAST_DATE: u64 = 2_147_483_647;

/// The number that memcached takes for a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exptime(u32);

impl Exptime {
    /// No end.
    pub(crate) const NEVER: Self = Self(0);

    /// A life of `ttl` that begins at `now`, never shortened.
    ///
    /// One second is added to a span: memcached counts ticks of its own clock, and drops an item
    /// within the tick it is due in. A date needs none: it is never met too early.
    pub(crate) fn of(ttl: Ttl, now: Timestamp) -> Self {
        match ttl.as_secs_ceil() {
            secs @ ..MAX_SPAN => Self::span(secs + 1),
            _ => Self::until(now.after(ttl)),
        }
    }

    /// A life of `secs` seconds by memcached's own clock, at `now`.
    pub(crate) fn secs(secs: u64, now: Timestamp) -> Self {
        match secs {
            ..=MAX_SPAN => Self::span(secs),
            _ => Self::until(now.after(Ttl::secs(secs))),
        }
    }

    fn span(secs: u64) -> Self {
        u32::try_from(secs).map_or(Self::NEVER, Self)
    }

    fn until(end: Timestamp) -> Self {
        match end.as_millis().div_ceil(1_000) {
            date @ ..=LAST_DATE => u32::try_from(date).map_or(Self::NEVER, Self),
            _ => Self::NEVER,
        }
    }

    /// The number on the wire.
    pub(crate) const fn as_wire(self) -> u32 {
        self.0
    }

    /// The number where a command takes none for ever: the last date instead.
    pub(crate) const fn as_wire_with_end(self) -> u32 {
        if self.0 == 0 { 2_147_483_647 } else { self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-28T15:00:00.001Z.
    const NOW: Timestamp = Timestamp::from_millis(1_769_612_400_001);

    #[track_caller]
    fn check(ttl: Ttl, expected: u32) {
        assert_eq!(Exptime::of(ttl, NOW).as_wire(), expected, "{ttl}");
    }

    #[test]
    fn life_is_rounded_up_and_a_second_added() {
        check(Ttl::MIN, 2);
        check(Ttl::millis(1_000), 2);
        check(Ttl::millis(1_001), 3);
        check(Ttl::secs(5), 6);
    }

    #[test]
    fn past_thirty_days_it_is_a_date() {
        check(Ttl::secs(30 * 24 * 3_600 - 1), 2_592_000);
        check(Ttl::secs(30 * 24 * 3_600), 1_769_612_401 + 2_592_000);
        check(Ttl::secs(30 * 24 * 3_600 + 1), 1_769_612_401 + 2_592_001);
    }

    #[test]
    fn past_2038_it_is_for_ever() {
        let left = 2_147_483_647 - 1_769_612_401;
        check(Ttl::secs(left), 2_147_483_647);
        check(Ttl::secs(left + 1), 0);
        check(Ttl::MAX, 0);
        assert_eq!(Exptime::of(Ttl::MAX, NOW).as_wire_with_end(), 2_147_483_647);
        assert_eq!(Exptime::of(Ttl::MIN, NOW).as_wire_with_end(), 2);
    }
}
