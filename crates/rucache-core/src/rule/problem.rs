//! What is wrong with a rule, said so that its author can mend it.

use thiserror::Error;

use crate::key::InvalidKey;

/// A rule that cannot be used, with its name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalidation rule `{rule}`: {problem}")]
#[non_exhaustive]
pub struct InvalidRule {
    /// The rule's name, or its entity and actions.
    pub rule: String,
    /// What is wrong with it.
    pub problem: RuleProblem,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// The entity is empty.
    #[error("`entity` is empty; name what the event is about")]
    NoEntity,
    /// There is no action, or an empty one.
    #[error("`actions` is empty or holds an empty word; name at least one, such as \"saved\"")]
    NoAction,
    /// The predicate holds an empty field name.
    #[error("`changed` holds an empty word; name a field")]
    NoField,
    /// Nothing would ever be done.
    #[error("it has no effect; give `remove`, `expire`, `refresh` or `warm` a target")]
    NoEffect,
    /// A target is empty.
    #[error("a target is empty; write `service:name`, or `service` under `services`")]
    EmptyTemplate,
    /// A brace has no partner.
    #[error("target `{template}` has a brace without its partner; double it to mean the brace")]
    UnpairedBrace {
        /// The target as written.
        template: String,
    },
    /// A placeholder is neither the id nor a field.
    #[error(
        "target `{template}` uses unknown placeholder `{placeholder}`; \
         use `id` or `field.NAME` inside the braces"
    )]
    UnknownPlaceholder {
        /// The target as written.
        template: String,
        /// What stands between the braces.
        placeholder: String,
    },
    /// The service of a target breaks its form.
    #[error("target `{template}`: {reason}")]
    Service {
        /// The target as written.
        template: String,
        /// Which form is broken, and where.
        reason: InvalidKey,
    },
    /// A target has a service and nothing after it.
    #[error("target `{template}` has no name after its service")]
    NoName {
        /// The target as written.
        template: String,
    },
}
