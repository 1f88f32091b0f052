//! What look-ups can be told.

use rucache_core::rule::Rule;
use rucache_core::{Key, ServiceName, Ttl};
use rucache_ruc::{Profile, ReasonKind};

use crate::TtlTable;

/// How the look-ups of a process behave; the defaults are those of the reference documents.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LookupOptions {
    /// How fresh records and exchange rates are.
    pub profile: Profile,
    /// Lives of entries by name, before the profile and the default.
    pub ttls: TtlTable,
    /// The services that hold taxpayer records, which the domain's rules are about: `migo`.
    pub services: Vec<ServiceName>,
    /// Invalidation rules beside those of the domain.
    pub rules: Vec<Rule>,
    /// The life of an entry of which nothing else is said: 15 minutes.
    pub default_ttl: Ttl,
    /// For how long a number is invalid that a caller marks, unless it failed for a failure of the
    /// source: 24 hours.
    pub mark_ttl: Ttl,
}

impl Default for LookupOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            ttls: TtlTable::default(),
            services: vec![ServiceName::from_static("migo")],
            rules: Vec::new(),
            default_ttl: Ttl::DEFAULT,
            mark_ttl: Ttl::LONG,
        }
    }
}

impl LookupOptions {
    /// The same, with another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The same, with lives by name.
    #[must_use]
    pub fn with_ttls(mut self, ttls: TtlTable) -> Self {
        self.ttls = ttls;
        self
    }

    /// The same, with these services as those that hold records.
    #[must_use]
    pub fn with_services(mut self, services: impl IntoIterator<Item = ServiceName>) -> Self {
        self.services = services.into_iter().collect();
        self
    }

    /// The same, with rules beside those of the domain.
    #[must_use]
    pub fn with_rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules = rules.into_iter().collect();
        self
    }

    /// The life of the entry `key` that a caller stores without saying for how long.
    #[must_use]
    pub fn ttl(&self, key: &Key) -> Ttl {
        self.ttls.ttl(key).unwrap_or(self.default_ttl)
    }

    /// For how long a number is invalid that a caller marks for a reason of this kind.
    pub(crate) fn mark_ttl(&self, kind: ReasonKind) -> Ttl {
        match kind {
            ReasonKind::ErrorApi => {
                Ttl::try_from(rucache_ruc::Freshness::marked(kind).fresh).unwrap_or(Ttl::SHORT)
            }
            _ => self.mark_ttl,
        }
    }
}
