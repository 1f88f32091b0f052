//! Collects the values of a record in any order and lays them out.

use std::fmt;

use serde_json::{Map, Value};

use super::{SEPARATOR, Taxpayer};
use crate::field::Field;
use crate::number::Ruc;

/// Collects the fields of a [`Taxpayer`], in any order.
///
/// ```
/// use rucache_ruc::{Field, Taxpayer};
///
/// let record = Taxpayer::builder("20131312955".parse()?)
///     .set(Field::Distrito, " LIMA ")
///     .set(Field::Interior, "----")
///     .build();
/// assert_eq!(record.distrito(), Some("LIMA"));
/// assert_eq!(record.interior(), None);
/// # Ok::<(), rucache_ruc::InvalidRuc>(())
/// ```
#[derive(Clone)]
pub struct TaxpayerBuilder {
    ruc: Ruc,
    values: Values,
}

impl TaxpayerBuilder {
    /// Starts a record of `ruc` without any field.
    #[must_use]
    pub fn new(ruc: Ruc) -> Self {
        Self { ruc, values: Values::default() }
    }

    /// Starts over with the record of `ruc`, keeping the memory: for readers of many records.
    pub fn restart(&mut self, ruc: Ruc) -> &mut Self {
        self.ruc = ruc;
        self.values.clear();
        self
    }

    /// Sets `field`; the last value wins.
    ///
    /// The value is trimmed; a control character becomes a space. Nothing, `-` and runs of dashes
    /// make the field absent.
    pub fn set(&mut self, field: Field, value: &str) -> &mut Self {
        self.values.set(field, value);
        self
    }

    /// Keeps a field that only the provider knows, as it is.
    pub fn set_extra(&mut self, name: impl Into<String>, value: Value) -> &mut Self {
        self.values.extra.insert(name.into(), value);
        self
    }

    /// The record of what was set.
    #[must_use]
    pub fn build(&self) -> Taxpayer {
        self.values.record_of(self.ruc)
    }
}

impl fmt::Debug for TaxpayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.build().fmt(f)
    }
}

/// Room for the values of most records, in bytes.
const USUAL_LEN: usize = 256;

/// The values of a record whose number may not be known yet.
#[derive(Clone)]
pub(super) struct Values {
    /// Values in the order in which they came.
    arrived: String,
    /// Where each field's value stands in `arrived`; empty when absent.
    places: [(usize, usize); Field::ALL.len()],
    pub(super) extra: Map<String, Value>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            arrived: String::with_capacity(USUAL_LEN),
            places: [(0, 0); Field::ALL.len()],
            extra: Map::new(),
        }
    }
}

impl Values {
    pub(super) fn set(&mut self, field: Field, value: &str) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        let start = self.arrived.len();
        if value.contains(char::is_control) {
            self.arrived.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        } else if !value.bytes().all(|byte| byte == b'-') {
            self.arrived.push_str(value);
        }
        self.places[field.index()] = (start, self.arrived.len());
    }

    pub(super) fn record_of(&self, ruc: Ruc) -> Taxpayer {
        let extra = if self.extra.is_empty() {
            String::new()
        } else {
            // A JSON text holds no raw control character, hence no separator.
            Value::Object(self.extra.clone()).to_string()
        };
        let used = if extra.is_empty() {
            let last = self.places.iter().rposition(|(start, end)| start < end);
            last.map_or(0, |last| last + 1)
        } else {
            self.places.len()
        };
        let values: usize = self.places.iter().map(|(start, end)| end - start).sum();
        // At most one byte too long, so that the box below hardly moves it again.
        let mut text = String::with_capacity(values + used + extra.len());
        for (index, &(start, end)) in self.places.iter().take(used).enumerate() {
            if index > 0 {
                text.push(char::from(SEPARATOR));
            }
            text.push_str(&self.arrived[start..end]);
        }
        if !extra.is_empty() {
            text.push(char::from(SEPARATOR));
            text.push_str(&extra);
        }
        Taxpayer { ruc, text: text.into_boxed_str() }
    }

    fn clear(&mut self) {
        self.arrived.clear();
        self.places = [(0, 0); Field::ALL.len()];
        self.extra.clear();
    }
}
