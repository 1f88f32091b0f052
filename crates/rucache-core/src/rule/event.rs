//! What happened: an action on an entity, with the fields it changed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Something that happened outside the cache and makes entries in it wrong.
///
/// In JSON: `{"entity":"producto","action":"saved","key":"7","fields":{"precio":{"old":1,"new":2}}}`.
/// `Debug` names the changed fields but neither the id nor any value: they may be personal data.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    /// The kind of thing: `producto`.
    pub entity: String,
    /// What happened to it: `created`, `updated`, `saved`, `deleted`, or a word of the domain.
    pub action: String,
    /// Which one: its primary key as text; a number is accepted on input. `id` is the same.
    #[serde(rename = "key", alias = "id", deserialize_with = "id_text")]
    pub id: String,
    /// The fields that are known to have changed, or to stand as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Change>,
}

impl Event {
    /// An event that does not tell which fields it changed.
    pub fn new(
        entity: impl Into<String>,
        action: impl Into<String>,
        id: impl Into<String>,
    ) -> Self {
        Self {
            entity: entity.into(),
            action: action.into(),
            id: id.into(),
            fields: BTreeMap::new(),
        }
    }

    /// Adds a field with its value before and after; null where there was or is none.
    #[must_use]
    pub fn field(
        mut self,
        name: impl Into<String>,
        old: impl Into<Value>,
        new: impl Into<Value>,
    ) -> Self {
        self.fields.insert(name.into(), Change { old: old.into(), new: new.into() });
        self
    }

    /// Whether this is what a rule for `action` listens to.
    pub(super) fn is(&self, action: &str) -> bool {
        self.action == action
            || (action == "saved" && matches!(&*self.action, "created" | "updated"))
    }

    /// Whether one of `names` changed, as far as the event tells; in doubt it did.
    pub(super) fn may_have_changed(&self, names: &[String]) -> bool {
        matches!(&*self.action, "created" | "deleted")
            || self.fields.is_empty()
            || names.iter().any(|name| self.fields.get(name).is_some_and(Change::is_change))
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("entity", &self.entity)
            .field("action", &self.action)
            .field("fields", &self.fields.keys())
            .finish_non_exhaustive()
    }
}

/// A field's value before and after an event.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// The value before; null where there was none.
    pub old: Value,
    /// The value after; null where there is none.
    pub new: Value,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("is_change", &self.is_change()).finish_non_exhaustive()
    }
}

impl Change {
    fn is_change(&self) -> bool {
        self.old != self.new
    }
}

/// A scalar as it stands in a key; nothing for null, lists and objects.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("the key of an event must be a string or a number")),
    }
}
