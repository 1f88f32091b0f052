//! `rucache rules check`: the invalidation rules, and what they would do.

use std::io::Write;
use std::path::PathBuf;

use rucache::core::rule::{Event, Rule, RuleSet, StepResult};
use serde_json::json;

use super::Output;
use super::exit::{Exit, Failure};
use super::settings::Global;
use super::table::{Table, printable, terminal_width};

/// Work with the invalidation rules.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Check(CheckArgs),
}

/// Check the rules of the configuration, and show them with those of the domain; with --event also
/// what each makes of an event.
///
/// No backend is opened.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rucache rules check rucache.toml
  rucache rules check rucache.toml --event '{\"entity\":\"producto\",\"action\":\"saved\",\"key\":\"7\"}'

Exit codes: 0 the rules can be used, 1 one cannot")]
pub(super) struct CheckArgs {
    /// The TOML file; goes before --config FILE
    file: Option<PathBuf>,
    /// An event as JSON
    #[arg(long, value_name = "JSON")]
    event: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn check(
    args: CheckArgs,
    mut global: Global,
    out: &mut Output,
) -> Result<Exit, Failure> {
    global.config = args.file.or(global.config);
    let config = global.load(None)?.into_config().cache;
    let rules = config.rule_set().map_err(|error| Failure::from_error(&error))?;
    let event = args.event.as_deref().map(event).transpose()?;
    match (event, args.json) {
        (None, true) => {
            let listed: Vec<&Rule> = rules.rules().collect();
            super::write_json(out, &json!({ "rules": listed }))?;
        }
        (None, false) => list(&rules, out)?,
        (Some(event), true) => {
            let (steps, effects) = (rules.explain(&event), rules.effects(&event));
            super::write_json(out, &json!({ "steps": steps, "effects": effects }))?;
        }
        (Some(event), false) => explain(&rules, &event, out)?,
    }
    Ok(Exit::Done)
}

fn event(text: &str) -> Result<Event, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!(
            "--event: {error}; expected {{\"entity\": \"producto\", \"action\": \"saved\", \
             \"key\": \"7\"}}"
        ))
    })
}

fn list(rules: &RuleSet, out: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(["ENTITY", "ACTIONS", "WHEN CHANGED", "EFFECTS"]);
    for rule in rules.rules() {
        let kinds = [
            ("remove", &rule.remove),
            ("expire", &rule.expire),
            ("refresh", &rule.refresh),
            ("warm", &rule.warm),
        ];
        let mut effects = Vec::new();
        for (kind, targets) in kinds {
            let of = |what: &str, names: &[String]| -> Vec<String> {
                names.iter().map(|name| format!("{kind} {what} {name}")).collect()
            };
            effects.extend(of("key", &targets.keys));
            effects.extend(of("tag", &targets.tags));
            effects.extend(of("service", &targets.services));
        }
        let changed =
            if rule.changed.is_empty() { "-".to_owned() } else { rule.changed.join(", ") };
        let cells = [rule.entity.clone(), rule.actions.join(", "), changed, effects.join("; ")];
        table.push(cells.map(|cell| cell.as_str().into()));
    }
    Ok(table.write(out, terminal_width())?)
}

fn explain(rules: &RuleSet, event: &Event, out: &mut Output) -> Result<(), Failure> {
    let steps = rules.explain(event);
    if steps.is_empty() {
        writeln!(
            out,
            "no rule listens to {} of {}",
            printable(&event.action),
            printable(&event.entity)
        )?;
        return Ok(());
    }
    let mut table = Table::new(["RULE", "TARGET", "RESULT"]);
    for step in steps {
        let result = match &step.result {
            StepResult::Effect(effect) => {
                format!("{} {} {}", effect.kind.as_str(), effect.target.kind(), effect.target)
            }
            StepResult::Skipped(why) => format!("nothing: {why}"),
            _ => "-".to_owned(),
        };
        table.push([step.rule, step.template.unwrap_or("-"), &result].map(Into::into));
    }
    Ok(table.write(out, terminal_width())?)
}
