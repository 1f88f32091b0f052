//! Templates of targets: a literal service, and a name over the event.

use super::Targets;
use super::effect::Target;
use super::event::Event;
use super::explain::Skip;
use super::problem::RuleProblem;
use super::template::{Side, Template};
use crate::key::{InvalidKey, Key, ServiceName};

/// A checked target of a rule.
#[derive(Debug, Clone)]
pub(super) enum TargetTemplate {
    Key(ServiceName, Template),
    Tag(ServiceName, Template),
    Service(Template),
}

impl TargetTemplate {
    /// The templates of `targets`, each checked.
    pub(super) fn all_of(targets: &Targets) -> impl Iterator<Item = Result<Self, RuleProblem>> {
        let keys = targets.keys.iter().map(|source| {
            let (service, name) = split_service(source)?;
            Ok(Self::Key(service, name))
        });
        let tags = targets.tags.iter().map(|source| {
            let (service, tag) = split_service(source)?;
            Ok(Self::Tag(service, tag))
        });
        keys.chain(tags).chain(targets.services.iter().map(|source| Self::service(source)))
    }

    fn service(source: &str) -> Result<Self, RuleProblem> {
        let template = Template::parse(source)?;
        if let Some(name) = template.literal() {
            ServiceName::new(name).map_err(|reason| service_problem(source, reason))?;
        }
        Ok(Self::Service(template))
    }

    /// The template that the event fills.
    pub(super) fn template(&self) -> &Template {
        match self {
            Self::Key(_, name) | Self::Tag(_, name) | Self::Service(name) => name,
        }
    }

    /// The target for the old and for the new values, where both differ; why not, where there is
    /// neither.
    pub(super) fn render(&self, event: &Event) -> Result<Vec<Target>, Skip> {
        let mut targets = Vec::new();
        let mut skipped = None;
        for &side in self.template().sides() {
            match self.render_side(event, side) {
                Ok(target) if targets.contains(&target) => {}
                Ok(target) => targets.push(target),
                Err(skip) => skipped = Some(skip),
            }
        }
        match skipped {
            Some(skip) if targets.is_empty() => Err(skip),
            _ => Ok(targets),
        }
    }

    fn render_side(&self, event: &Event, side: Side) -> Result<Target, Skip> {
        let text = self.template().render(event, side)?;
        match self {
            Self::Key(service, _) => Key::new(service, &text).map(Target::Key),
            Self::Tag(service, _) => Key::new(service, &text).map(Target::Tag),
            Self::Service(_) => ServiceName::new(&text).map(Target::Service),
        }
        .map_err(Skip::NoTarget)
    }
}

/// Splits `service:name`; the service is literal, so that a value can never choose it.
fn split_service(source: &str) -> Result<(ServiceName, Template), RuleProblem> {
    let (service, name) = match source.split_once(':') {
        None => (ServiceName::default(), source),
        Some((service, name)) => {
            let service =
                ServiceName::new(service).map_err(|reason| service_problem(source, reason))?;
            (service, name)
        }
    };
    if name.is_empty() && !source.is_empty() {
        return Err(RuleProblem::NoName { template: source.to_owned() });
    }
    Ok((service, Template::parse(name)?))
}

fn service_problem(source: &str, reason: InvalidKey) -> RuleProblem {
    RuleProblem::Service { template: source.to_owned(), reason }
}
