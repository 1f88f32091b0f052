//! Texts with placeholders for an event's id and fields.

use super::event::{Change, Event, scalar_text};
use super::explain::Skip;
use super::problem::RuleProblem;

/// A checked template: literals and placeholders in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Id,
    Field(String),
}

/// The two moments of a change.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Old,
    New,
}

impl Side {
    fn of(self, change: &Change) -> &serde_json::Value {
        match self {
            Self::Old => &change.old,
            Self::New => &change.new,
        }
    }
}

impl Template {
    /// Checks `source`: not empty, braces closed, placeholders known.
    pub(super) fn parse(source: &str) -> Result<Self, RuleProblem> {
        let template = || source.to_owned();
        if source.is_empty() {
            return Err(RuleProblem::EmptyTemplate);
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else {
                let inside = from.strip_prefix('{').and_then(|inside| inside.split_once('}'));
                let (name, after) =
                    inside.ok_or_else(|| RuleProblem::UnpairedBrace { template: template() })?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::of_placeholder(name).ok_or_else(|| {
                    RuleProblem::UnknownPlaceholder {
                        template: template(),
                        placeholder: name.to_owned(),
                    }
                })?);
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The text that was checked.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The text without placeholders, where there are none.
    pub(super) fn literal(&self) -> Option<&str> {
        match &*self.parts {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The sides on which the template can differ: one when it names no field.
    pub(super) fn sides(&self) -> &'static [Side] {
        if self.parts.iter().any(|part| matches!(part, Part::Field(_))) {
            &[Side::Old, Side::New]
        } else {
            &[Side::New]
        }
    }

    /// Fills the placeholders from `event`.
    pub(super) fn render(&self, event: &Event, side: Side) -> Result<String, Skip> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Id if event.id.is_empty() => return Err(Skip::NoId),
                Part::Id => text.push_str(&event.id),
                Part::Field(name) => {
                    let value = event.fields.get(name).map(|change| side.of(change));
                    match value.and_then(scalar_text) {
                        Some(value) if !value.is_empty() => text.push_str(&value),
                        _ => {
                            return Err(Skip::NoValue { field: name.clone() });
                        }
                    }
                }
            }
        }
        Ok(text)
    }
}

impl Part {
    fn of_placeholder(name: &str) -> Option<Self> {
        match name.strip_prefix("field.") {
            Some(field) if !field.is_empty() => Some(Self::Field(field.to_owned())),
            Some(_) => None,
            None => (name == "id").then_some(Self::Id),
        }
    }
}
