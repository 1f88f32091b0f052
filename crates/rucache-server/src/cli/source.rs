//! The sources of look-ups in words: who is asked, and what they cannot know.

use rucache::providers::SourceConfig;
use rucache::ruc::Coverage;
use rucache::{Config, SourceName};

/// The sources that `config` names, in the order in which they are asked, a line each.
pub(super) fn describe(config: &Config) -> Vec<String> {
    let line = |name: SourceName| match name {
        SourceName::Register => register(config),
        SourceName::Api(kind) => api(&config.api(kind)),
        SourceName::Demo => {
            "DEMO: every record is invented here, nobody is asked; not for real use".to_owned()
        }
        // Whatever else there may be knows what it knows.
        _ => "bundled sample of the register; other numbers are not covered, set source.register \
              or RUCACHE_MIGO_TOKEN to know them"
            .to_owned(),
    };
    config.source_order().into_iter().map(line).collect()
}

fn register(config: &Config) -> String {
    let covered = match config.coverage {
        Some(Coverage::Full) => "a number it lacks does not exist",
        Some(Coverage::LegalEntities) => {
            "a number of prefix 20 that it lacks does not exist, others are not covered"
        }
        _ => "numbers it lacks are not covered",
    };
    let path = config.register.as_deref().unwrap_or_else(|| "".as_ref());
    format!("register {}; {covered}", path.display())
}

fn api(api: &SourceConfig) -> String {
    let plan = [
        api.plan.per_minute.map(|limit| format!("{limit} calls a minute")),
        api.plan.per_month.map(|limit| format!("{limit} calls a month")),
    ];
    let plan: Vec<String> = plan.into_iter().flatten().collect();
    let plan = if plan.is_empty() { "no limit set".to_owned() } else { plan.join(", ") };
    let covered = match api.coverage {
        Coverage::Full => "",
        Coverage::LegalEntities => "; of prefix 20 its word that there is none counts",
        _ => "; its word that there is none does not count",
    };
    format!("{} at {}; {plan}{covered}", api.name(), api.base_url())
}
