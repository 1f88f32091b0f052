//! How long data may be served without asking again, by what the data says.

use std::time::Duration;

use rucache_core::Timestamp;

use crate::condicion::Condicion;
use crate::estado::Estado;
use crate::lima::{LimaDate, data_date};
use crate::reason::ReasonKind;
use crate::taxpayer::Taxpayer;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Hour in Lima at which the sources of a day's data have been refreshed.
const REFRESH_HOUR: u8 = 6;

/// How long data is fresh, and how long after that it may still stand in when no newer is to be
/// had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Time during which the data is served without asking; never zero.
    pub fresh: Duration,
    /// Time after that during which it is a fallback; zero for none.
    pub stale: Duration,
}

impl Freshness {
    /// Data of no particular kind: 15 minutes.
    pub const DEFAULT: Self = Self::new(MINUTE.saturating_mul(15), Duration::ZERO);
    /// Counters of rate limits: 60 seconds.
    pub const RATE_LIMIT: Self = Self::new(MINUTE, Duration::ZERO);
    /// Daily statistics: a day, kept for seven in all.
    pub const DAILY_STATISTICS: Self = Self::new(DAY, DAY.saturating_mul(6));
    /// How long it is remembered that today's exchange rate is not published yet: 5 minutes.
    pub const MISSING_EXCHANGE_RATE: Self = Self::new(MINUTE.saturating_mul(5), Duration::ZERO);

    /// Any record of the profile `reference`, and what `register` does not class: 1 hour.
    const RECORD: Self = Self::new(HOUR, DAY);

    /// The verdict that a caller gave about a number by marking it.
    ///
    /// A day, 5 minutes for a failure of the source; in all the record is kept for 7 days, so that
    /// a number marked again keeps its first date and its attempts. A lapsed verdict is no answer.
    #[must_use]
    pub fn marked(kind: ReasonKind) -> Self {
        match kind {
            ReasonKind::ErrorApi => Self::verdict(MINUTE.saturating_mul(5)),
            _ => Self::verdict(DAY),
        }
    }

    /// The verdict of an authoritative source that a number does not exist.
    ///
    /// An hour the first time, twice as long with each further confirmation, at most a day; kept
    /// for 7 days in all.
    #[must_use]
    pub fn learned(attempts: u64) -> Self {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        Self::verdict(HOUR.saturating_mul(2_u32.saturating_pow(doublings)).min(DAY))
    }

    fn verdict(fresh: Duration) -> Self {
        Self::new(fresh, DAY.saturating_mul(7).saturating_sub(fresh))
    }

    /// Fresh for `fresh`, then a fallback for `stale`.
    #[must_use]
    pub const fn new(fresh: Duration, stale: Duration) -> Self {
        Self { fresh, stale }
    }
}

/// The table by which freshness is decided.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Profile {
    /// One life for every record: fresh for an hour, a fallback for a day.
    #[default]
    Reference,
    /// By estado, condición and the date of the data: sources follow the daily register.
    Register,
}

impl Profile {
    /// The name in configuration: `reference`, `register`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Register => "register",
        }
    }

    /// Freshness of a record fetched at `now`.
    ///
    /// `as_of` is the date of the data where the source states one; otherwise the record's own
    /// `actualizado_en` counts, and without either the data is taken for new. Whoever stores the
    /// record adds jitter.
    #[must_use]
    pub fn record(self, record: &Taxpayer, as_of: Option<Timestamp>, now: Timestamp) -> Freshness {
        match self {
            Self::Reference => Freshness::RECORD,
            Self::Register => {
                let as_of = as_of.or_else(|| data_date(record.actualizado_en()?, REFRESH_HOUR));
                by_class(record, as_of, now)
            }
        }
    }

    /// Freshness of the usual record: new data of a taxpayer that is ACTIVO and HABIDO.
    #[must_use]
    pub const fn usual_record(self) -> Freshness {
        match self {
            Self::Reference => Freshness::RECORD,
            Self::Register => Freshness::new(DAY, DAY.saturating_mul(7)),
        }
    }

    /// Freshness of the exchange rate of `date`, fetched at `now`.
    #[must_use]
    pub fn exchange_rate(self, date: LimaDate, now: Timestamp) -> Freshness {
        match self {
            Self::Reference => Freshness::new(DAY, Duration::ZERO),
            Self::Register if date < LimaDate::at(now) => {
                Freshness::new(DAY.saturating_mul(30), DAY)
            }
            Self::Register => Freshness::new(until_refresh(now), DAY),
        }
    }
}

/// The classes of the profile `register`.
fn by_class(record: &Taxpayer, as_of: Option<Timestamp>, now: Timestamp) -> Freshness {
    use Condicion as C;
    use Estado as E;
    let hours =
        |fresh, stale| Freshness::new(HOUR.saturating_mul(fresh), HOUR.saturating_mul(stale));
    match (record.estado(), record.condicion()) {
        (Some(E::Activo), Some(C::Habido)) => {
            Freshness::new(until_next_data(as_of, now), DAY.saturating_mul(7))
        }
        (Some(E::Activo), Some(C::NoHabido)) => hours(4, 12),
        (Some(E::Activo), Some(C::Pendiente | C::PorVerificar)) => hours(6, 24),
        (Some(E::Activo), Some(condicion)) if condicion.is_no_hallado() => hours(6, 24),
        (
            Some(
                E::SuspensionTemporal
                | E::BajaProvisional
                | E::BajaProvPorOficio
                | E::BajaDeOficio
                | E::AnulProviActoIli,
            ),
            _,
        ) => hours(12, 24),
        (
            Some(
                E::BajaDefinitiva | E::BajaMultInscr | E::AnulacionErrorSunat | E::AnulacionActoIli,
            ),
            _,
        ) => Freshness::new(DAY.saturating_mul(7), DAY.saturating_mul(30)),
        _ => Freshness::RECORD,
    }
}

/// Time until a source that refreshes daily has newer data than that of `as_of`.
///
/// At most a day, whatever the data's date; at least an hour, so that a source that lags behind
/// is not asked on every read.
fn until_next_data(as_of: Option<Timestamp>, now: Timestamp) -> Duration {
    as_of.map_or(DAY, |as_of| DAY.saturating_sub(now.since(as_of)).max(HOUR))
}

/// Time until the clocks of Lima next show the hour of the daily refresh; never zero.
fn until_refresh(now: Timestamp) -> Duration {
    let today = LimaDate::at(now).at_hour(REFRESH_HOUR);
    if now < today { today.since(now) } else { DAY.saturating_sub(now.since(today)) }
}

#[cfg(test)]
mod tests;
