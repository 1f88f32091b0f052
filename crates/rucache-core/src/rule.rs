//! Invalidation rules as data: which event takes which keys, tags and services out of the cache.
//!
//! A [`Rule`] is declared in code or read from TOML or JSON; a [`RuleSet`] checks rules once, at
//! start, and turns an [`Event`] into [`Effect`]s without touching any store.
//!
//! # Example
//!
//! ```
//! use rucache_core::rule::{Event, Rule, RuleSet, Targets};
//!
//! let rules = RuleSet::new([Rule::on("producto", ["saved", "deleted"])
//!     .remove(Targets::keys(["electro:lista_productos", "electro:producto_{id}"]))])?;
//! let effects = rules.effects(&Event::new("producto", "saved", "7"));
//! let targets: Vec<String> = effects.iter().map(|effect| effect.target.to_string()).collect();
//! assert_eq!(targets, ["electro:lista_productos", "electro:producto_7"]);
//! # Ok::<(), rucache_core::rule::InvalidRule>(())
//! ```

mod effect;
mod event;
mod explain;
mod problem;
mod set;
mod target;
mod template;

use serde::{Deserialize, Serialize};

pub use effect::{Effect, EffectKind, Target};
pub use event::{Change, Event};
pub use explain::{Skip, Step, StepResult};
pub use problem::{InvalidRule, RuleProblem};
pub use set::RuleSet;

/// What happens to the cache when something happened to an entity.
///
/// A target is a template: `{id}` stands for the event's id, `{field.NAME}` for the value of a
/// field, `{{` and `}}` for braces. A template over fields gives one target for the old values and
/// one for the new ones. Keys and tags are written `service:name`; without a service they belong
/// to `default`.
///
/// In TOML:
///
/// ```toml
/// [[rules]]
/// entity = "producto"
/// actions = ["saved", "deleted"]
/// remove.keys = ["electro:lista_productos", "electro:producto_{id}"]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// What errors and explanations call the rule; by default its entity and actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The kind of thing that the event is about, compared exactly.
    pub entity: String,
    /// The actions that the rule listens to, compared exactly; `saved` also hears `created` and
    /// `updated`.
    pub actions: Vec<String>,
    /// Fields of which at least one must have changed; without any, every event counts.
    ///
    /// Creation and deletion change every field. An event that lists no fields at all may have
    /// changed any of them, so it counts: to invalidate too much costs a load, to miss one serves
    /// wrong data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// What is removed, without a stale fallback.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub remove: Targets,
    /// What is expired but kept as a stale fallback.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub expire: Targets,
    /// What is loaded anew where it is cached.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub refresh: Targets,
    /// What is loaded whether it is cached or not.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub warm: Targets,
}

impl Rule {
    /// A rule for `actions` on `entity`, as yet without effects.
    pub fn on<A: Into<String>>(
        entity: impl Into<String>,
        actions: impl IntoIterator<Item = A>,
    ) -> Self {
        Self { entity: entity.into(), actions: texts(actions), ..Self::default() }
    }

    /// Gives the rule a name of its own.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Narrows the rule to events that changed one of these fields.
    #[must_use]
    pub fn when_changed<F: Into<String>>(self, fields: impl IntoIterator<Item = F>) -> Self {
        Self { changed: texts(fields), ..self }
    }

    /// Removes `targets`.
    #[must_use]
    pub fn remove(self, targets: Targets) -> Self {
        Self { remove: targets, ..self }
    }

    /// Expires `targets` and keeps them as a stale fallback.
    #[must_use]
    pub fn expire(self, targets: Targets) -> Self {
        Self { expire: targets, ..self }
    }

    /// Loads anew those of `targets` that are cached.
    #[must_use]
    pub fn refresh(self, targets: Targets) -> Self {
        Self { refresh: targets, ..self }
    }

    /// Loads `targets` whether they are cached or not.
    #[must_use]
    pub fn warm(self, targets: Targets) -> Self {
        Self { warm: targets, ..self }
    }
}

/// Templates of what an effect applies to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Targets {
    /// Keys, as `service:name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Tags, as `service:tag`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whole services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
}

impl Targets {
    /// These keys.
    pub fn keys<T: Into<String>>(templates: impl IntoIterator<Item = T>) -> Self {
        Self { keys: texts(templates), ..Self::default() }
    }

    /// These tags.
    pub fn tags<T: Into<String>>(templates: impl IntoIterator<Item = T>) -> Self {
        Self { tags: texts(templates), ..Self::default() }
    }

    /// These services.
    pub fn services<T: Into<String>>(templates: impl IntoIterator<Item = T>) -> Self {
        Self { services: texts(templates), ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tags.is_empty() && self.services.is_empty()
    }
}

fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests;
