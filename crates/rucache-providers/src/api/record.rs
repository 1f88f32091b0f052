//! Records in the fields of each API, and the one form they become.

use rucache_ruc::{Field, Ruc, Taxpayer};
use serde_json::{Map, Value};

use crate::fault::{Fault, Trouble};
use crate::secret::Secret;

/// How an API writes a record.
pub(crate) struct Layout {
    /// The fields that may hold the number; the first that is there counts.
    pub(crate) number: &'static [&'static str],
    /// Fields with another name than in the record.
    pub(crate) renamed: &'static [(&'static str, Field)],
    /// Fields that are no part of the record.
    pub(crate) dropped: &'static [&'static str],
}

impl Layout {
    /// The number that `object` belongs to.
    pub(crate) fn number(&self, object: &Map<String, Value>) -> Option<Ruc> {
        let value = self.number.iter().find_map(|name| object.get(*name))?;
        match value {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => Ruc::try_from(number.as_u64()?).ok(),
            _ => None,
        }
    }

    /// The record of `ruc` in `json`, if it is one and no other's, without what repeats `token`.
    pub(crate) fn record(
        &self,
        ruc: Ruc,
        json: &Value,
        token: &Secret,
    ) -> Result<Taxpayer, Trouble> {
        let object = json.as_object().ok_or(Fault::Shape)?;
        if self.number(object) != Some(ruc) {
            return Err(Fault::Shape.into());
        }
        let mut builder = Taxpayer::builder(ruc);
        let mut found = 0;
        for (name, value) in object {
            let is_known = [self.number, self.dropped].concat().contains(&name.as_str());
            if is_known || token.stands_in(value) {
                continue;
            }
            let renamed = self.renamed.iter().find(|(theirs, _)| theirs == name);
            match renamed.map(|(_, field)| *field).or_else(|| Field::from_name(name)) {
                Some(field) => {
                    let text = text(field, value).ok_or(Fault::Shape)?;
                    found += usize::from(!text.is_empty());
                    builder.set(field, &text);
                }
                None => drop(builder.set_extra(name, value.clone())),
            }
        }
        // A number without anything about it is no record.
        if found > 0 { Ok(builder.build()) } else { Err(Fault::Shape.into()) }
    }
}

/// The text of a field: a string, a number that should have been one, the last of a list of codes.
fn text(field: Field, value: &Value) -> Option<String> {
    match (field, value) {
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Null) => Some(String::new()),
        // As a number, the codes of the first nine regions lose their leading zero.
        (Field::Ubigeo, Value::Number(number)) => Some(format!("{:0>6}", number.to_string())),
        (_, Value::Number(number)) => Some(number.to_string()),
        // Region, province and district: the last holds the others.
        (Field::Ubigeo, Value::Array(codes)) => match codes.last() {
            None | Some(Value::Null) => Some(String::new()),
            Some(code) => code.as_str().map(str::to_owned),
        },
        _ => None,
    }
}
