//! Exchange rates as SUNAT publishes them: exact decimals for a civil day in Lima.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use crate::lima::LimaDate;

/// Digits that a decimal may have in all.
const MAX_DIGITS: u32 = 18;

/// A decimal number, exactly as it was published: `3.540` keeps its last zero.
///
/// Up to 18 digits, neither sign nor exponent; never a binary floating-point number, which has no
/// 3.74. In serde it is a string.
///
/// ```
/// use rucache_ruc::Decimal;
///
/// let buy: Decimal = "3.540".parse()?;
/// assert_eq!((buy.units(), buy.scale()), (3_540, 3));
/// assert_eq!(buy.to_string(), "3.540");
/// # Ok::<(), rucache_ruc::InvalidDecimal>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    units: u64,
    scale: u32,
}

/// A text is no decimal number of up to 18 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a decimal number of at most 18 digits; write it as 3.745")]
pub struct InvalidDecimal;

impl Decimal {
    /// The number without its decimal point: 3,540 for `3.540`.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.units
    }

    /// How many digits stand after the decimal point.
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.scale
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let digits = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if !is_number(whole) || !is_number(fraction) || digits > MAX_DIGITS + 1 {
            return Err(InvalidDecimal);
        }
        let fraction = if text.contains('.') { fraction } else { "" };
        let units = format!("{whole}{fraction}").parse().map_err(|_| InvalidDecimal)?;
        Ok(Self { units, scale: u32::try_from(fraction.len()).map_err(|_| InvalidDecimal)? })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At most 18 digits by construction, so the power never overflows.
        let one = 10_u64.saturating_pow(self.scale);
        write!(f, "{}", self.units / one)?;
        if self.scale > 0 {
            let places = usize::try_from(self.scale).unwrap_or(0);
            write!(f, ".{:0places$}", self.units % one)?;
        }
        Ok(())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A currency whose rate against the sol is published.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[non_exhaustive]
pub enum Currency {
    /// The dollar of the United States.
    #[default]
    #[serde(rename = "USD")]
    Usd,
    /// The euro.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// The ISO 4217 code: `USD`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
        }
    }

    /// The currency of that ISO 4217 code, in capitals.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Usd, Self::Eur].into_iter().find(|currency| currency.as_str() == code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The price of a currency in soles on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// The day in Lima.
    #[serde(rename = "fecha", with = "day")]
    pub day: LimaDate,
    /// The currency.
    #[serde(rename = "moneda")]
    pub currency: Currency,
    /// What is paid for it.
    #[serde(rename = "compra")]
    pub buy: Decimal,
    /// What it is sold for.
    #[serde(rename = "venta")]
    pub sell: Decimal,
}

/// Which exchange rate is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateQuery {
    /// The currency.
    pub currency: Currency,
    /// The day in Lima; none for the latest published.
    pub day: Option<LimaDate>,
}

mod day {
    //! A day as text.

    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::Serializer;

    use crate::lima::LimaDate;

    pub(super) fn serialize<S: Serializer>(
        day: &LimaDate,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<LimaDate, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_as_they_were_written() {
        for text in ["3.745", "3.540", "0.001", "4", "12345678901234567.8", "0"] {
            assert_eq!(text.parse::<Decimal>().map(|d| d.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", ".", "3.", ".5", "-1", "+1", "1e3", "3,74", "NaN", " 3", "1.2.3"] {
            assert_eq!(text.parse::<Decimal>(), Err(InvalidDecimal), "{text:?}");
        }
        assert!("1234567890123456789.0".parse::<Decimal>().is_err());
    }

    #[test]
    fn rate_is_json_with_exact_text() {
        let json = r#"{"fecha":"2026-01-28","moneda":"USD","compra":"3.740","venta":"3.752"}"#;
        let rate: ExchangeRate = serde_json::from_str(json).unwrap();
        assert_eq!(rate.buy.units(), 3_740);
        assert_eq!(serde_json::to_string(&rate).unwrap(), json);
    }
}
