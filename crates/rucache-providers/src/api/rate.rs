//! Exchange rates in the fields of each API, read as exact text.

use std::collections::HashMap;

use rucache_ruc::{Currency, Decimal, ExchangeRate, LimaDate, RateQuery};
use serde_json::value::RawValue;

use crate::fault::{Fault, Verdict};
use crate::http::Response;

/// The fields of a rate.
pub(crate) struct RateLayout {
    pub(crate) day: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) buy: &'static str,
    pub(crate) sell: &'static str,
}

impl RateLayout {
    /// The rate in `response`, if it is the one that `query` asks for.
    ///
    /// Before the day's rate is published some sources give an earlier one: none for that day yet.
    pub(crate) fn read(&self, query: RateQuery, response: &Response) -> Verdict<ExchangeRate> {
        let rate = self.rate(query.currency, &response.body).ok_or(Fault::Shape)?;
        match query.day {
            Some(day) if rate.day < day => Ok(None),
            Some(day) if rate.day > day => Err(Fault::Shape.into()),
            _ if rate.currency != query.currency => Err(Fault::Shape.into()),
            _ => Ok(Some(rate)),
        }
    }

    fn rate(&self, asked: Currency, body: &[u8]) -> Option<ExchangeRate> {
        let fields: HashMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
        // Numbers keep their digits as they stand: read as binary they would change.
        let text = |name| fields.get(name).map(|raw| raw.get().trim_matches('"'));
        let price = |name| text(name)?.parse::<Decimal>().ok().filter(|price| price.units() > 0);
        let currency = match text(self.currency) {
            Some(code) => Currency::from_code(code)?,
            None => asked,
        };
        let day = text(self.day)?.get(..10)?.parse::<LimaDate>().ok()?;
        Some(ExchangeRate { day, currency, buy: price(self.buy)?, sell: price(self.sell)? })
    }
}
