//! Checked rules, and what they make of an event.

use std::collections::HashSet;

use serde::Deserialize;

use super::Rule;
use super::effect::{Effect, EffectKind};
use super::event::Event;
use super::explain::{Skip, Step, StepResult};
use super::problem::{InvalidRule, RuleProblem};
use super::target::TargetTemplate;

/// Rules that have been checked.
///
/// Deserialises from a list of rules, so that a configuration holds it under `[[rules]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<Rule>")]
pub struct RuleSet {
    rules: Vec<Checked>,
}

#[derive(Debug, Clone)]
struct Checked {
    name: String,
    rule: Rule,
    effects: Vec<(EffectKind, TargetTemplate)>,
}

impl RuleSet {
    /// Checks `rules`.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used, by name, and what is wrong with it.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, InvalidRule> {
        let rules = rules.into_iter().map(Checked::new).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules as they were declared.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|checked| &checked.rule)
    }

    /// Adds the rules of `other` after these.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        self
    }

    /// What `event` asks of the cache, in the order of the rules, each effect once.
    ///
    /// A target that is removed is not expired as well.
    #[must_use]
    pub fn effects(&self, event: &Event) -> Vec<Effect> {
        let mut seen = HashSet::new();
        let mut effects = Vec::new();
        for step in self.explain(event) {
            match step.result {
                StepResult::Effect(effect) if seen.insert(effect.clone()) => effects.push(effect),
                StepResult::Effect(_) | StepResult::Skipped(_) => {}
            }
        }
        effects.retain(|effect: &Effect| {
            let removed = Effect { kind: EffectKind::Remove, target: effect.target.clone() };
            effect.kind != EffectKind::Expire || !seen.contains(&removed)
        });
        effects
    }

    /// How each rule for the event's entity and action came to its effects: a dry run.
    #[must_use]
    pub fn explain(&self, event: &Event) -> Vec<Step<'_>> {
        self.rules
            .iter()
            .filter(|rule| rule.hears(event))
            .flat_map(|rule| rule.steps(event))
            .collect()
    }
}

impl TryFrom<Vec<Rule>> for RuleSet {
    type Error = InvalidRule;

    fn try_from(rules: Vec<Rule>) -> Result<Self, InvalidRule> {
        Self::new(rules)
    }
}

impl Checked {
    fn new(rule: Rule) -> Result<Self, InvalidRule> {
        let name = rule
            .name
            .clone()
            .unwrap_or_else(|| format!("{} {}", rule.entity, rule.actions.join("/")));
        match effects_of(&rule) {
            Ok(effects) => Ok(Self { name, rule, effects }),
            Err(problem) => Err(InvalidRule { rule: name, problem }),
        }
    }

    fn hears(&self, event: &Event) -> bool {
        self.rule.entity == event.entity && self.rule.actions.iter().any(|action| event.is(action))
    }

    fn steps(&self, event: &Event) -> Vec<Step<'_>> {
        let rule = &*self.name;
        if !self.rule.changed.is_empty() && !event.may_have_changed(&self.rule.changed) {
            let result = StepResult::Skipped(Skip::Unchanged);
            return vec![Step { rule, template: None, result }];
        }
        let mut steps = Vec::new();
        for (kind, target) in &self.effects {
            let template = Some(target.template().source());
            let step = |result| Step { rule, template, result };
            match target.render(event) {
                Ok(targets) => steps.extend(
                    targets
                        .into_iter()
                        .map(|target| step(StepResult::Effect(Effect { kind: *kind, target }))),
                ),
                Err(skip) => steps.push(step(StepResult::Skipped(skip))),
            }
        }
        steps
    }
}

/// Checks a rule and reads its templates.
fn effects_of(rule: &Rule) -> Result<Vec<(EffectKind, TargetTemplate)>, RuleProblem> {
    let none_or_blank = |words: &[String]| words.is_empty() || has_blank(words);
    if rule.entity.is_empty() {
        return Err(RuleProblem::NoEntity);
    }
    if none_or_blank(&rule.actions) {
        return Err(RuleProblem::NoAction);
    }
    if has_blank(&rule.changed) {
        return Err(RuleProblem::NoField);
    }
    let mut effects = Vec::new();
    for (kind, targets) in [
        (EffectKind::Remove, &rule.remove),
        (EffectKind::Expire, &rule.expire),
        (EffectKind::Refresh, &rule.refresh),
        (EffectKind::Warm, &rule.warm),
    ] {
        for template in TargetTemplate::all_of(targets) {
            effects.push((kind, template?));
        }
    }
    if effects.is_empty() { Err(RuleProblem::NoEffect) } else { Ok(effects) }
}

fn has_blank(words: &[String]) -> bool {
    words.iter().any(String::is_empty)
}
