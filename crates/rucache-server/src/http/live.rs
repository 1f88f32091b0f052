//! What of the configuration can change while the service runs.

use rucache::core::rule::{InvalidRule, RuleSet};

use crate::config::{CacheEvents, Limits, ServerConfig, Token};

/// The part of the configuration that a reload replaces.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) token: Option<Token>,
    pub(super) metrics_open: bool,
    pub(super) limits: Limits,
    pub(super) rules: RuleSet,
    pub(super) cache_events: CacheEvents,
    /// Why the newest configuration is not in force.
    pub(super) fault: Option<String>,
}

impl Live {
    /// What `config` says.
    pub(super) fn of(config: &ServerConfig) -> Result<Self, InvalidRule> {
        Ok(Self {
            token: config.token.clone(),
            metrics_open: config.metrics_open,
            limits: config.limits,
            rules: config.cache.rule_set()?,
            cache_events: config.log.cache_events,
            fault: None,
        })
    }
}

/// What a running service cannot take over, by the names of the settings.
pub(super) fn beyond(before: &ServerConfig, after: &ServerConfig) -> Vec<&'static str> {
    const LIVE: [&str; 11] = [
        "token",
        "token_file",
        "metrics.open",
        "limits.body",
        "limits.head",
        "limits.batch",
        "limits.connections",
        "limits.request",
        "rules",
        "default_ttl",
        "ttl",
    ];
    let settings = ServerConfig::settings();
    let changed = settings.iter().filter(|setting| setting.show(before) != setting.show(after));
    changed
        .map(|setting| setting.key())
        .filter(|key| !LIVE.contains(key) && *key != "log.cache_events")
        .collect()
}
