//! Civil time in Lima: UTC−5 all year, as data dates and exchange rates need it.

use std::fmt;
use std::str::FromStr;

use rucache_core::Timestamp;
use thiserror::Error;

const MILLIS_PER_DAY: u64 = 86_400_000;
const LIMA_BEHIND_UTC: u64 = 5 * 3_600_000;

/// A day of the calendar in Lima, 1970-01-01 to 9999-12-31.
///
/// Peru has kept UTC−5 without daylight saving time since 1994; earlier summers are not
/// distinguished. Text form is ISO 8601: `2026-01-28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimaDate {
    year: u16,
    month: u8,
    day: u8,
}

/// A text or a triple is no day between 1970-01-01 and 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a date between 1970-01-01 and 9999-12-31; write it as YYYY-MM-DD")]
pub struct InvalidDate;

impl LimaDate {
    /// The day `day` (1 to 31) of `month` (1 to 12) in `year`.
    ///
    /// # Errors
    ///
    /// [`InvalidDate`] for a day that the calendar does not have.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, InvalidDate> {
        let date = Self { year, month, day };
        let fits = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in(year, month);
        if fits { Ok(date) } else { Err(InvalidDate) }
    }

    /// The day in Lima at a moment. Moments after the year 9999 count as its last day.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        let mut days = moment.as_millis().saturating_sub(LIMA_BEHIND_UTC) / MILLIS_PER_DAY;
        for year in 1970..=9999 {
            if days >= days_in_year(year) {
                days -= days_in_year(year);
                continue;
            }
            for month in 1..=12 {
                let length = u64::from(days_in(year, month));
                if days >= length {
                    days -= length;
                    continue;
                }
                let day = u8::try_from(days + 1).unwrap_or(u8::MAX);
                return Self { year, month, day };
            }
        }
        Self { year: 9999, month: 12, day: 31 }
    }

    /// The moment when the clocks of Lima show `hour` (0 to 23) o'clock on this day.
    #[must_use]
    pub fn at_hour(self, hour: u8) -> Timestamp {
        self.at_second(u32::from(hour) * 3_600)
    }

    /// Year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    fn at_second(self, second: u32) -> Timestamp {
        let years: u64 = (1970..self.year).map(days_in_year).sum();
        let months: u64 = (1..self.month).map(|month| u64::from(days_in(self.year, month))).sum();
        let days = years + months + u64::from(self.day) - 1;
        let millis = days * MILLIS_PER_DAY + u64::from(second) * 1_000 + LIMA_BEHIND_UTC;
        Timestamp::from_millis(millis)
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for LimaDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for LimaDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let [year, month, day] = numbers(text, '-', [4, 2, 2]).ok_or(InvalidDate)?;
        Self::of_numbers(year, month, day)
    }
}

impl LimaDate {
    fn of_numbers(year: u16, month: u16, day: u16) -> Result<Self, InvalidDate> {
        let small = |number: u16| u8::try_from(number).map_err(|_| InvalidDate);
        Self::new(year, small(month)?, small(day)?)
    }
}

/// Three numbers of fixed widths with a separator between them, and nothing else.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u16; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The moment that a source writes as `2026-01-28`, `28/01/2026`, `2026-01-28 07:15:00` or
/// `2026-01-28T07:15:00`, in Lima. Fractions of a second are dropped; with an offset or `Z` the
/// text is not understood. A bare day counts from `hour`.
pub(crate) fn data_date(text: &str, hour: u8) -> Option<Timestamp> {
    let (day, time) = match text.trim().split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text.trim(), None),
    };
    let date = day.parse().ok().or_else(|| {
        let [day, month, year] = numbers(day, '/', [2, 2, 4])?;
        LimaDate::of_numbers(year, month, day).ok()
    })?;
    let Some(time) = time else {
        return Some(date.at_hour(hour));
    };
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let fits = hour < 24 && minute < 60 && second < 60;
    let of_day = u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second);
    fits.then(|| date.at_second(of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> LimaDate {
        text.parse().expect("a date")
    }

    #[test]
    fn day_changes_at_five_in_the_morning_of_utc() {
        // 2026-01-28T05:00:00Z
        let midnight = 1_769_576_400_000;
        assert_eq!(LimaDate::at(Timestamp::from_millis(midnight)).to_string(), "2026-01-28");
        assert_eq!(LimaDate::at(Timestamp::from_millis(midnight - 1)).to_string(), "2026-01-27");
        assert_eq!(date("2026-01-28").at_hour(0).as_millis(), midnight);
    }

    #[test]
    fn every_day_of_a_century_comes_back_from_its_noon() {
        let mut previous = None;
        for year in 2000..=2100 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    let date = LimaDate::new(year, month, day).expect("a date");
                    let noon = date.at_hour(12);
                    assert_eq!(LimaDate::at(noon), date);
                    assert!(previous.is_none_or(|p| noon.as_millis() == p + MILLIS_PER_DAY));
                    previous = Some(noon.as_millis());
                }
            }
        }
    }

    #[test]
    fn days_that_the_calendar_does_not_have_are_refused() {
        for text in ["2026-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "1969-12-31", "x"] {
            assert_eq!(text.parse::<LimaDate>(), Err(InvalidDate), "{text}");
        }
        assert_eq!(date("2024-02-29").day(), 29);
        assert!("2026-1-28".parse::<LimaDate>().is_err());
        assert!("2026-01-28-".parse::<LimaDate>().is_err());
    }

    #[test]
    fn data_dates_are_read_as_sources_write_them() {
        let at = |text| data_date(text, 6).map(Timestamp::as_millis);
        let six = date("2026-01-28").at_hour(6).as_millis();
        assert_eq!(at("2026-01-28"), Some(six));
        assert_eq!(at("28/01/2026"), Some(six));
        assert_eq!(at(" 2026-01-28 06:00:00"), Some(six));
        assert_eq!(at("2026-01-28T06:00:01.500"), Some(six + 1_000));
        assert_eq!(at("2026-01-28 24:00:00"), None);
        assert_eq!(at("2026-01-28T06:00:00Z"), None);
        assert_eq!(at("ayer"), None);
    }
}
