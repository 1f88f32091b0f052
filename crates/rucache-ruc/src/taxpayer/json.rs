//! Records from and to JSON and every other format of serde.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::builder::Values;
use super::{SEPARATOR, Taxpayer};
use crate::field::Field;
use crate::invalid::InvalidRuc;
use crate::number::Ruc;

/// Why a JSON value is no record.
///
/// No value of the record is repeated: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not an object.
    #[error("a record must be a JSON object")]
    NotAnObject,
    /// It holds no number and the caller gave none.
    #[error("the record has no field `ruc`")]
    NoRuc,
    /// Its number is no RUC.
    #[error("field `ruc` of the record is {0}")]
    Ruc(#[from] InvalidRuc),
    /// Its number is another than the one asked for.
    #[error("the record belongs to another RUC than the one asked for")]
    OtherRuc,
    /// A field that should be text is a list, an object or a truth value.
    #[error("field `{field}` of the record must be a string, not {found}")]
    NotText {
        /// The field.
        field: Field,
        /// What stands in its place: `a list`, `an object`, `a boolean`.
        found: &'static str,
    },
}

impl Taxpayer {
    /// Reads the record of `ruc` from a JSON object that may leave its number out.
    ///
    /// # Errors
    ///
    /// [`RecordError::OtherRuc`] when the object names another number, and the other kinds for
    /// what is no record.
    pub fn from_json_for(ruc: Ruc, json: &Value) -> Result<Self, RecordError> {
        let object = json.as_object().ok_or(RecordError::NotAnObject)?;
        match json_ruc(object)? {
            Some(other) if other != ruc => Err(RecordError::OtherRuc),
            _ => from_object(ruc, object),
        }
    }

    /// Reads a record from a JSON object that names its number.
    ///
    /// # Errors
    ///
    /// [`RecordError`] for what is no record.
    pub fn from_json(json: &Value) -> Result<Self, RecordError> {
        let object = json.as_object().ok_or(RecordError::NotAnObject)?;
        from_object(json_ruc(object)?.ok_or(RecordError::NoRuc)?, object)
    }

    /// Appends the record as JSON to `out`: byte for byte what serialising it gives, in a fraction
    /// of the time, as the names are known and most values need no escape.
    pub fn append_json(&self, out: &mut Vec<u8>) {
        // The quotes and the colon of a field, and the comma before it.
        const PUNCTUATION: usize = 6;
        let names: usize = Field::ALL.iter().map(|field| field.name().len() + PUNCTUATION).sum();
        out.reserve(names + self.heap_size() + 32);
        out.extend_from_slice(b"{\"ruc\":\"");
        out.extend_from_slice(&self.ruc().to_ascii());
        out.push(b'"');
        // Its values hold no control characters. Asked of all at once, which takes few instructions.
        let text = self.text.as_bytes();
        let append: fn(&[u8], &mut Vec<u8>) = match memchr::memchr2(b'"', b'\\', text) {
            None => |value, out| out.extend_from_slice(value),
            Some(_) => append_escaped,
        };
        let (mut fields, mut begin) = (Field::ALL.iter(), 0);
        let mut put = |end: usize| {
            let value = text.get(begin..end).unwrap_or_default();
            begin = end + 1;
            match fields.next() {
                _ if value.is_empty() => {}
                Some(field) => {
                    out.extend_from_slice(field.opening().as_bytes());
                    append(value, out);
                    out.push(b'"');
                }
                // What only the provider knows: the text of an object.
                None => {
                    let members = value.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
                    out.push(b',');
                    out.extend_from_slice(members.unwrap_or_default());
                }
            }
        };
        memchr::memchr_iter(SEPARATOR, text).for_each(&mut put);
        put(text.len());
        out.push(b'}');
    }

    /// The fields that only the provider knows; empty when there are none.
    #[must_use]
    pub fn extra(&self) -> Map<String, Value> {
        self.extra_json().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }
}

/// Appends `text`, which holds no control characters, as it stands in a JSON string.
fn append_escaped(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

fn json_ruc(object: &Map<String, Value>) -> Result<Option<Ruc>, RecordError> {
    Ok(match object.get("ruc") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.parse()?),
        Some(Value::Number(number)) => Some(Ruc::try_from(number.as_u64().unwrap_or_default())?),
        // Reported as what it is: a text without a digit.
        Some(_) => Some("".parse()?),
    })
}

fn from_object(ruc: Ruc, object: &Map<String, Value>) -> Result<Taxpayer, RecordError> {
    let mut builder = Taxpayer::builder(ruc);
    for (name, value) in object {
        let Some(field) = Field::from_name(name) else {
            if name != "ruc" {
                builder.set_extra(name, value.clone());
            }
            continue;
        };
        match value {
            Value::String(text) => builder.set(field, text),
            Value::Number(number) => builder.set(field, &number_text(field, number)),
            Value::Null => builder.set(field, ""),
            Value::Bool(_) => {
                return Err(RecordError::NotText { field, found: "a boolean" });
            }
            Value::Array(_) => {
                return Err(RecordError::NotText { field, found: "a list" });
            }
            Value::Object(_) => {
                return Err(RecordError::NotText { field, found: "an object" });
            }
        };
    }
    Ok(builder.build())
}

/// A number as the text that it should have been.
fn number_text(field: Field, number: impl fmt::Display) -> String {
    match field {
        // Written as a number, the ubigeos of the first nine regions lose their leading zero.
        Field::Ubigeo => format!("{:0>6}", number.to_string()),
        _ => number.to_string(),
    }
}

impl serde::Serialize for Taxpayer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ruc", &self.ruc)?;
        for (field, value) in self.fields() {
            map.serialize_entry(field.name(), value)?;
        }
        if self.extra_json().is_some() {
            for (name, value) in &self.extra() {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl<'de> serde::Deserialize<'de> for Taxpayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

/// Reads a map straight into the record's layout, without a tree in between.
struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Taxpayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a taxpayer's record as a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Taxpayer, A::Error> {
        let mut values = Values::default();
        let mut ruc = None;
        while let Some(name) = map.next_key_seed(NameSeed)? {
            match name {
                Name::Ruc => ruc = Some(map.next_value()?),
                Name::Field(field) => {
                    map.next_value_seed(ValueSeed { values: &mut values, field })?
                }
                Name::Extra(name) => drop(values.extra.insert(name, map.next_value()?)),
            }
        }
        let ruc = ruc.ok_or_else(|| A::Error::custom(RecordError::NoRuc))?;
        Ok(values.record_of(ruc))
    }
}

enum Name {
    Ruc,
    Field(Field),
    Extra(String),
}

/// Recognises a field's name without copying it.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name, E> {
        Ok(match Field::from_name(name) {
            Some(field) => Name::Field(field),
            None if name == "ruc" => Name::Ruc,
            None => Name::Extra(name.to_owned()),
        })
    }
}

/// Writes the value of one field to where the record is collected.
struct ValueSeed<'a> {
    values: &'a mut Values,
    field: Field,
}

impl ValueSeed<'_> {
    fn refuse<E: serde::de::Error>(&self, found: &'static str) -> Result<(), E> {
        Err(E::custom(RecordError::NotText { field: self.field, found }))
    }

    fn number(self, number: impl fmt::Display) {
        self.values.set(self.field, &number_text(self.field, number));
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string as `{}`", self.field)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.values.set(self.field, text);
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_str("")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_str("")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    // The default text of a refused boolean would quote it.
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.refuse("a boolean")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.refuse("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.refuse("an object")
    }
}
