//! Settings of one source, as data.

mod fit;
mod span;

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use rucache_core::ServiceName;
use rucache_ruc::Coverage;
use serde::Deserialize;

use crate::error::ConfigError;
use crate::http::BaseUrl;
use crate::limits::service;
use crate::secret::Secret;

pub use fit::fit_deadlines;

/// The look-up APIs that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApiKind {
    /// MIGO, version 1: single look-ups, collections of 100, exchange rates, the account.
    Migo,
    /// Decolecta: single look-ups and exchange rates.
    Decolecta,
    /// Decolecta under its older name, version 2: the same in camelCase.
    ApisNetPe,
    /// apiperu.dev: single look-ups.
    Apiperu,
}

impl ApiKind {
    /// Every API.
    pub const ALL: [Self; 4] = [Self::Migo, Self::Decolecta, Self::ApisNetPe, Self::Apiperu];

    /// Its name in configuration: `migo`, `decolecta`, `apis_net_pe`, `apiperu`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Migo => "migo",
            Self::Decolecta => "decolecta",
            Self::ApisNetPe => "apis_net_pe",
            Self::Apiperu => "apiperu",
        }
    }

    /// Where it is served.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Migo => "https://api.migo.pe",
            Self::Decolecta => "https://api.decolecta.com",
            Self::ApisNetPe => "https://api.apis.net.pe",
            Self::Apiperu => "https://apiperu.dev",
        }
    }
}

/// Settings of one source. Durations are texts such as `3s` and `200ms`; unknown keys are errors.
///
/// ```
/// use rucache_providers::SourceConfig;
///
/// let config: SourceConfig = toml::from_str(r#"
///     api = "migo"
///     token_file = "/run/secrets/migo"
///     plan = { per_minute = 60, per_month = 90000 }
/// "#)?;
/// assert_eq!(config.name(), "migo");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Which API it is.
    pub api: ApiKind,
    /// Its name in outcomes, metrics and counters, 1 to 23 of `a-z`, `0-9`, `.`, `_`, `-`; the
    /// API's name by default. Sources of one plan have one name in every process, sources of
    /// different plans different names.
    #[serde(default)]
    pub name: Option<String>,
    /// Scheme, host, port and path before the API's own paths; the API's own address by default.
    /// `https`, or `http` to this machine.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The token itself, where the caller has it already; never read from a configuration.
    #[serde(skip)]
    pub token: Option<Secret>,
    /// The environment variable that holds the token; `RUCACHE_MIGO_TOKEN` for the name `migo`.
    #[serde(default)]
    pub token_env: Option<String>,
    /// A file that holds the token, in place of the variable.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// A PEM file with the certificates to trust in place of the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// For which numbers its "not found" is a verdict; all of them by default.
    #[serde(default = "full")]
    pub coverage: Coverage,
    /// How long making a connection may take, at most 10 s; 2 s by default.
    #[serde(default = "span::connect", with = "span")]
    pub connect_timeout: Duration,
    /// How long one call may take; 3 s by default.
    #[serde(default = "span::timeout", with = "span")]
    pub timeout: Duration,
    /// How long an answer may take with everything that is tried for it; 6 s by default. Shorter
    /// than the caller's own patience, so that what failed is known as what it is.
    #[serde(default = "span::deadline", with = "span")]
    pub deadline: Duration,
    /// How often a call that failed without a verdict is made again; each counts. 1 by default.
    #[serde(default = "retries")]
    pub retries: u32,
    /// How long a number waits at most for others to travel in its call, where the API takes
    /// several and they keep coming; 200 ms by default, `0ms` for never.
    #[serde(default = "span::gather", with = "span")]
    pub gather: Duration,
    /// How many numbers that a collection passes over in silence are asked for singly; 10 by
    /// default.
    #[serde(default = "confirm")]
    pub confirm: usize,
    /// Calls under way at once, 1 to 1,000; 32 by default.
    #[serde(default = "connections")]
    pub connections: usize,
    /// What the plan allows.
    #[serde(default)]
    pub plan: Plan,
}

/// What a plan allows. Every attempt counts, and a collection counts as one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Plan {
    /// Calls in any 60 seconds, at most 100,000; no limit by default.
    pub per_minute: Option<NonZeroU32>,
    /// Calls in a calendar month of Lima; no limit by default.
    pub per_month: Option<NonZeroU64>,
    /// Percentage of both that look-ups of many leave to single ones; 10 by default.
    pub reserve_percent: u8,
    /// Percentage of the calls per minute that this process allows itself while the fleet's
    /// counters cannot be reached; 25 by default.
    pub alone_percent: u8,
}

impl Default for Plan {
    fn default() -> Self {
        Self { per_minute: None, per_month: None, reserve_percent: 10, alone_percent: 25 }
    }
}

impl Plan {
    /// A plan of so many calls per minute and per month.
    #[must_use]
    pub const fn new(per_minute: Option<NonZeroU32>, per_month: Option<NonZeroU64>) -> Self {
        Self { per_minute, per_month, reserve_percent: 10, alone_percent: 25 }
    }
}

const fn full() -> Coverage {
    Coverage::Full
}

const fn retries() -> u32 {
    1
}

const fn confirm() -> usize {
    10
}

const fn connections() -> usize {
    32
}

impl SourceConfig {
    /// The defaults, for `api`.
    #[must_use]
    pub fn new(api: ApiKind) -> Self {
        Self {
            api,
            name: None,
            base_url: None,
            token: None,
            token_env: None,
            token_file: None,
            ca: None,
            coverage: full(),
            connect_timeout: span::connect(),
            timeout: span::timeout(),
            deadline: span::deadline(),
            retries: retries(),
            gather: span::gather(),
            confirm: confirm(),
            connections: connections(),
            plan: Plan::default(),
        }
    }

    /// The name of the source.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.api.as_str())
    }

    /// The environment variable that is looked at for the token, where no file is named.
    #[must_use]
    pub fn token_variable(&self) -> String {
        self.token_env.clone().unwrap_or_else(|| {
            let name = self.name().to_ascii_uppercase().replace(['.', '-'], "_");
            format!("RUCACHE_{name}_TOKEN")
        })
    }

    /// Where it is asked.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(self.api.base_url())
    }

    /// The token, read from where it is kept.
    ///
    /// # Errors
    ///
    /// The kinds of [`ConfigError`] about tokens.
    pub fn read_token(&self) -> Result<Secret, ConfigError> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        match (&self.token_env, &self.token_file) {
            (Some(_), Some(_)) => Err(ConfigError::TwoTokens { name: self.name().to_owned() }),
            (None, Some(file)) => Secret::from_file(file),
            (_, None) => Secret::from_env(&self.token_variable()),
        }
    }

    /// Checks what the types leave open. Token and certificates are not looked at.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the setting that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.service()?;
        BaseUrl::parse(self.base_url(), self.name())?;
        self.check_ranges()
    }

    /// The service of the source's counters.
    pub(crate) fn service(&self) -> Result<ServiceName, ConfigError> {
        service(self.name()).map_err(|_| ConfigError::Name { name: self.name().to_owned() })
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        let range =
            |setting, form| Err(ConfigError::Range { name: self.name().to_owned(), setting, form });
        let second = Duration::from_secs(1);
        match self {
            _ if self.connect_timeout.is_zero() || self.connect_timeout > second * 10 => {
                range("connect_timeout", "more than zero and at most 10s")
            }
            _ if self.timeout.is_zero() => range("timeout", "more than zero"),
            _ if self.deadline.is_zero() => range("deadline", "more than zero"),
            _ if !(1..=1_000).contains(&self.connections) => range("connections", "1 to 1000"),
            _ if self.plan.per_minute.is_some_and(|limit| limit.get() > 100_000) => {
                range("plan.per_minute", "1 to 100000")
            }
            _ if self.plan.reserve_percent > 100 => range("plan.reserve_percent", "0 to 100"),
            _ if self.plan.alone_percent > 100 => range("plan.alone_percent", "0 to 100"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
