//! The invalidation rules of the domain, as data for core's rule model.

use std::fmt;

use rucache_core::ServiceName;
use rucache_core::rule::{Event, Rule, Targets};
use serde_json::Value;

use crate::number::Ruc;
use crate::taxpayer::Taxpayer;

/// What can happen to data of the register, by the names of [`rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegisterChange {
    /// A number is new in the register: a verdict that it does not exist is wrong now.
    Added,
    /// A record changed.
    Changed,
    /// A number left the register; its record may serve as a fallback.
    Removed,
    /// SUNAT rejected a document because of this taxpayer: what is cached is wrong now.
    Rejected,
}

impl RegisterChange {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::Added, Self::Changed, Self::Removed, Self::Rejected];

    /// The action in an event: `added`, `changed`, `removed`, `rejected`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Rejected => "rejected",
        }
    }

    /// The event that this happened to `ruc`.
    #[must_use]
    pub fn event(self, ruc: Ruc) -> Event {
        Event::new("ruc", self.as_str(), ruc.to_string())
    }
}

impl fmt::Display for RegisterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rules of the domain for the services that hold RUC records.
///
/// A number's record and its negative share one slot, so one key stands for both polarities.
///
/// | entity | action | key | effect, in every service |
/// |---|---|---|---|
/// | `ruc` | `added`, `changed`, `rejected` | the number | its slot is removed |
/// | `ruc` | `removed` | the number | its slot is expired |
/// | `estado`, `condicion`, `ubigeo` | `changed` | as in the tag: `no_habido` | the tag is removed |
/// | `padron` | `published` | – | the service is expired |
/// | `service` | `cleared` | the service | that service is removed |
#[must_use]
pub fn rules(services: &[ServiceName]) -> Vec<Rule> {
    let in_each = |name: &str| -> Vec<String> {
        services.iter().map(|service| format!("{service}:{name}")).collect()
    };
    let tag = |entity: &str| {
        Rule::on(entity, ["changed"]).remove(Targets::tags(in_each(&format!("{entity}_{{id}}"))))
    };
    let mut rules = vec![
        Rule::on("ruc", ["added", "changed", "rejected"])
            .remove(Targets::keys(in_each("ruc_{id}"))),
        Rule::on("ruc", ["removed"]).expire(Targets::keys(in_each("ruc_{id}"))),
        tag("estado"),
        tag("condicion"),
        tag("ubigeo"),
        Rule::on("padron", ["published"])
            .expire(Targets::services(services.iter().map(ServiceName::as_str))),
    ];
    // Without a service there is nothing to name, and a rule without a target is an error.
    rules.retain(|_| !services.is_empty());
    rules.push(Rule::on("service", ["cleared"]).remove(Targets::services(["{id}"])));
    rules
}

/// What the difference between two records of one number means for the cache; nothing when they
/// are equal or neither is there.
///
/// The event lists the fields that differ, with both values.
#[must_use]
pub fn difference(ruc: Ruc, old: Option<&Taxpayer>, new: Option<&Taxpayer>) -> Option<Event> {
    let change = match (old, new) {
        (None, None) => return None,
        (Some(old), Some(new)) if old == new => return None,
        (Some(_), Some(_)) => RegisterChange::Changed,
        (None, Some(_)) => RegisterChange::Added,
        (Some(_), None) => RegisterChange::Removed,
    };
    let value = |record: Option<&Taxpayer>, field| {
        record.and_then(|record| record.get(field)).map_or(Value::Null, Value::from)
    };
    let event = crate::Field::ALL.iter().fold(change.event(ruc), |event, &field| {
        match (value(old, field), value(new, field)) {
            (old, new) if old == new => event,
            (old, new) => event.field(field.name(), old, new),
        }
    });
    Some(event)
}
