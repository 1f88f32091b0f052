//! The budget of a calendar month in Lima.

use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Key, KeyKind, ServiceName, Timestamp, Ttl};
use rucache_ruc::LimaDate;

use super::counters::{Counters, key};

/// How long a month's counter is kept: to the end of the month, and some to look at it.
const KEPT: Ttl = Ttl::secs(45 * 86_400);

/// Calls of a month: of the fleet, or of this process where there is no shared tier.
pub(crate) struct Month {
    counters: Option<Arc<dyn Counters>>,
    service: ServiceName,
    /// The month that is counted, as `202601`.
    number: u64,
    /// Calls so far, as the counter said last.
    known: u64,
    /// Calls that are counted and were not made.
    prepaid: u64,
    /// Calls that were made and could not be counted.
    owed: u64,
}

/// The budget is used up, or what of it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Until the next month.
    pub(crate) wait: Duration,
}

impl Month {
    pub(crate) const fn new(counters: Option<Arc<dyn Counters>>, service: ServiceName) -> Self {
        Self { counters, service, number: 0, known: 0, prepaid: 0, owed: 0 }
    }

    /// Calls so far, as far as is known.
    pub(crate) const fn used(&self) -> u64 {
        self.known.saturating_add(self.owed).saturating_sub(self.prepaid)
    }

    /// Whether one more call keeps to `limit`, as far as is known without asking.
    pub(crate) fn check(&mut self, wall: Timestamp, limit: u64) -> Result<(), Spent> {
        self.turn(wall);
        if self.used() < limit { Ok(()) } else { Err(Spent { wait: until_next(wall) }) }
    }

    /// Takes one call of the month: `limit` for this purpose, `whole` for all of them.
    pub(crate) async fn take(
        &mut self,
        wall: Timestamp,
        limit: u64,
        whole: u64,
    ) -> Result<(), Spent> {
        self.check(wall, limit)?;
        if self.prepaid > 0 {
            self.prepaid -= 1;
            return Ok(());
        }
        let Some(counters) = &self.counters else {
            self.known += 1;
            return Ok(());
        };
        let addition = [(self.key(), 1 + self.owed)];
        match counters.add(&addition, KEPT).await.pop() {
            Some(Ok(sum)) => {
                (self.known, self.owed) = (sum, 0);
                if sum <= limit {
                    return Ok(());
                }
                // Counted and not made: kept for a call that may use the reserve.
                self.prepaid += u64::from(sum <= whole);
                Err(Spent { wait: until_next(wall) })
            }
            // No read fails because of the cache: the call is made, and counted later. One that may
            // have been counted is not counted twice.
            Some(Err(error)) if error.kind().leaves_write_unknown() => {
                (self.known, self.owed) = (self.known + self.owed + 1, 0);
                Ok(())
            }
            _ => {
                self.owed += 1;
                Ok(())
            }
        }
    }

    /// Reads the fleet's counter.
    pub(crate) async fn look(&mut self, wall: Timestamp) {
        self.turn(wall);
        let Some(counters) = &self.counters else { return };
        let reading = [(self.key(), 0)];
        if let Some(Ok(sum)) = counters.add(&reading, KEPT).await.pop() {
            self.known = sum;
        }
    }

    /// Takes back a call that was not made.
    pub(crate) const fn give_back(&mut self) {
        self.prepaid += 1;
    }

    fn turn(&mut self, wall: Timestamp) {
        let today = LimaDate::at(wall);
        let number = u64::from(today.year()) * 100 + u64::from(today.month());
        if number != self.number {
            (self.number, self.known, self.prepaid, self.owed) = (number, 0, 0, 0);
        }
    }

    fn key(&self) -> Key {
        const MONTH: KeyKind = KeyKind::new("month");
        key(&self.service, MONTH, self.number)
    }
}

/// Time until the first midnight of the next month in Lima.
fn until_next(wall: Timestamp) -> Duration {
    let today = LimaDate::at(wall);
    let (year, month) = match today.month() {
        12 => (today.year().saturating_add(1), 1),
        month => (today.year(), month + 1),
    };
    // Not reached: the first of a month is a day of the calendar up to the year 9999.
    LimaDate::new(year, month, 1)
        .map_or(Duration::from_secs(86_400), |first| first.at_hour(0).since(wall))
}
