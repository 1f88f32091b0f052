//! How rules came to their effects, target by target.

use serde::Serialize;
use thiserror::Error;

use super::effect::Effect;
use crate::key::InvalidKey;

/// One step of an explanation: what a rule made of an event, target by target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step<'a> {
    /// The rule's name, or its entity and actions.
    pub rule: &'a str,
    /// The target as written in the rule; none when the rule as a whole was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<&'a str>,
    /// What came of it.
    #[serde(flatten)]
    pub result: StepResult,
}

/// What came of one target of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepResult {
    /// The effect that it gave.
    Effect(Effect),
    /// Why it gave none.
    Skipped(Skip),
}

/// Why a rule, or one of its targets, gave no effect.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Skip {
    /// None of the fields that the rule watches changed.
    #[error("none of the watched fields changed")]
    Unchanged,
    /// The event has an empty id.
    #[error("the event has no key")]
    NoId,
    /// The event has no scalar value of a field.
    #[error("the event has no value of field `{field}`")]
    NoValue {
        /// The field.
        field: String,
    },
    /// What the template gives is no key and no service.
    #[error("{0}")]
    NoTarget(InvalidKey),
}

impl Serialize for Skip {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
