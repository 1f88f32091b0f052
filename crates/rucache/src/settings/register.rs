//! Settings of the register as a source of look-ups.

use std::path::PathBuf;

use super::coverage;
use crate::{Config, Setting};

pub(super) fn settings() -> [Setting<Config>; 2] {
    [
        Setting::new(
            "source.register",
            "the path of a register file, zip or text",
            "SUNAT's register as a source of look-ups",
            |config: &mut Config, value| {
                if value.is_empty() {
                    return Err("the path is empty".to_owned());
                }
                config.register = Some(PathBuf::from(value));
                Ok(())
            },
            |config| {
                let path = config.register.as_deref();
                path.map_or_else(|| "unset".to_owned(), |path| path.display().to_string())
            },
        ),
        Setting::new(
            "source.coverage",
            "full, legal_entities or partial",
            "which numbers do not exist if the register lacks them: all, those of legal entities, \
             or none; needed with source.register",
            |config: &mut Config, value| {
                config.coverage = Some(coverage::read(value)?);
                Ok(())
            },
            |config| config.coverage.map_or("unset", coverage::name).to_owned(),
        ),
    ]
}
