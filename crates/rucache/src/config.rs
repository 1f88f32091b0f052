//! What a composed cache can be told.

#[cfg(feature = "providers")]
use std::collections::BTreeMap;
use std::fmt::Display;
#[cfg(feature = "padron")]
use std::path::PathBuf;
use std::str::FromStr;

use rucache_core::Ttl;
use rucache_core::rule::{InvalidRule, Rule, RuleSet};
use rucache_engine::Timing;

#[cfg(feature = "providers")]
use rucache_providers::{ApiKind, SourceConfig};

#[cfg(feature = "memory")]
use crate::LocalTier;
#[cfg(feature = "providers")]
use crate::SourceName;
use crate::password::without_password;

/// What [`open_with`](crate::open_with) composes a cache from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The backend's URL: `memory://?capacity=256MiB`, `redis://host/1`, `memcached://a,b`.
    pub backend: BackendUrl,
    /// Copies in this process of what a server has.
    #[cfg(feature = "memory")]
    pub local: LocalTier,
    /// What stands before every name at a server, so that several deployments can share it.
    pub key_prefix: Option<String>,
    /// How long entries live where nobody says and no pattern fits.
    pub default_ttl: Ttl,
    /// How long entries live by their names, where nobody says.
    #[cfg(feature = "lookup")]
    pub ttls: rucache_lookup::TtlTable,
    /// What is invalidated when something happens, beside the rules of the domain.
    pub rules: Vec<Rule>,
    /// How long callers and loads may take.
    pub timing: Timing,
    /// Longest value as JSON, in bytes.
    pub max_value_len: usize,
    /// How fresh taxpayer records are.
    #[cfg(feature = "lookup")]
    pub profile: rucache_ruc::Profile,
    /// Services that hold taxpayer records: the rules of the domain are theirs.
    #[cfg(feature = "lookup")]
    pub ruc_services: Vec<rucache_core::ServiceName>,
    /// Who is asked, in this order; by [`source_order`](Self::source_order) where nobody says.
    #[cfg(feature = "providers")]
    pub sources: Option<Vec<SourceName>>,
    /// The look-up APIs of which anything is said.
    #[cfg(feature = "providers")]
    pub apis: BTreeMap<ApiKind, SourceConfig>,
    /// A register file as the source of look-ups; the bundled sample without one.
    #[cfg(feature = "padron")]
    pub register: Option<PathBuf>,
    /// For which numbers the register's silence proves that they do not exist.
    #[cfg(feature = "padron")]
    pub coverage: Option<rucache_ruc::Coverage>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            backend: BackendUrl::default(),
            #[cfg(feature = "memory")]
            local: LocalTier::default(),
            key_prefix: None,
            default_ttl: Ttl::DEFAULT,
            #[cfg(feature = "lookup")]
            ttls: rucache_lookup::TtlTable::default(),
            rules: Vec::new(),
            timing: Timing::default(),
            max_value_len: rucache_core::Capabilities::DEFAULT_MAX_VALUE_LEN,
            #[cfg(feature = "lookup")]
            profile: rucache_ruc::Profile::default(),
            #[cfg(feature = "lookup")]
            ruc_services: vec![rucache_core::ServiceName::from_static("migo")],
            #[cfg(feature = "providers")]
            sources: None,
            #[cfg(feature = "providers")]
            apis: BTreeMap::new(),
            #[cfg(feature = "padron")]
            register: None,
            #[cfg(feature = "padron")]
            coverage: None,
        }
    }
}

impl Config {
    /// The backend's URL with the prefix of names, which goes before one in the URL itself.
    pub(crate) fn backend_url(&self) -> String {
        let url = self.backend.as_str();
        let Some(prefix) = self.key_prefix.as_ref().filter(|_| !url.starts_with("memory")) else {
            return url.to_owned();
        };
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let others = query.split('&').filter(|one| !one.is_empty() && !one.starts_with("prefix="));
        let own = format!("prefix={prefix}");
        let query: Vec<&str> = others.chain([own.as_str()]).collect();
        format!("{address}?{}", query.join("&"))
    }

    /// How look-ups behave.
    #[cfg(feature = "lookup")]
    #[must_use]
    pub fn lookup_options(&self) -> rucache_lookup::LookupOptions {
        let mut options = rucache_lookup::LookupOptions::default()
            .with_profile(self.profile)
            .with_ttls(self.ttls.clone())
            .with_services(self.ruc_services.iter().cloned())
            .with_rules(self.rules.iter().cloned());
        options.default_ttl = self.default_ttl;
        options
    }

    /// The rules of the domain and of this configuration.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn rule_set(&self) -> Result<RuleSet, InvalidRule> {
        let rules = RuleSet::default();
        #[cfg(feature = "lookup")]
        let rules = rules.and(RuleSet::new(rucache_ruc::rules(&self.ruc_services))?);
        Ok(rules.and(RuleSet::new(self.rules.iter().cloned())?))
    }
}

/// The URL of a backend, checked when it is read. `Debug` and `Display` mask a password.
#[derive(Clone, PartialEq, Eq)]
pub struct BackendUrl(String);

impl BackendUrl {
    /// The URL, password included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BackendUrl {
    fn default() -> Self {
        Self("memory://".to_owned())
    }
}

impl FromStr for BackendUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        crate::backend::check(url)?;
        Ok(Self(url.to_owned()))
    }
}

impl Display for BackendUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl std::fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackendUrl({self})")
    }
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;

    #[test]
    fn prefix_of_names_goes_before_one_in_the_url() {
        let url = |url: &str, prefix: Option<&str>| {
            let backend = url.parse().expect("a URL");
            let key_prefix = prefix.map(str::to_owned);
            Config { backend, key_prefix, ..Config::default() }.backend_url()
        };
        assert_eq!(url("redis://host/1", None), "redis://host/1");
        assert_eq!(url("redis://host/1", Some("shop")), "redis://host/1?prefix=shop");
        assert_eq!(
            url("redis://host/1?prefix=a&timeout=1s", Some("shop")),
            "redis://host/1?timeout=1s&prefix=shop"
        );
        assert_eq!(url("memory://", Some("shop")), "memory://");
    }
}
