//! The source of look-ups in words: what it is and what it cannot know.

use rucache::Config;
use rucache::ruc::Coverage;

/// The source that `config` names.
pub(super) fn describe(config: &Config) -> String {
    let Some(register) = &config.register else {
        return "bundled sample of the register; other numbers are not covered, set \
                source.register to know them"
            .to_owned();
    };
    let covered = match config.coverage {
        Some(Coverage::Full) => "a number it lacks does not exist",
        Some(Coverage::LegalEntities) => {
            "a number of prefix 20 that it lacks does not exist, others are not covered"
        }
        _ => "numbers it lacks are not covered",
    };
    format!("register {}; {covered}", register.display())
}
