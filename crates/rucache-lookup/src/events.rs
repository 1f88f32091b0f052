//! Events: what happened outside, carried out by the domain's rules and the users'.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::join_all;
use rucache_core::rule::{Event, RuleSet, Step, Target};
use rucache_core::{Key, ServiceName};
use rucache_engine::{Applied, CacheError, LoadError, Reload};
use rucache_ruc::{Currency, LimaDate, Ruc, Taxpayer, difference};

use crate::Lookups;

impl Lookups {
    /// The rules: those of the domain, then the users'.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.0.rules
    }

    /// Does what the rules ask when `event` happens; each effect with what became of it. Records and
    /// exchange rates that are to be refreshed or warmed are asked of the provider; other entries
    /// that are to be refreshed are expired, and the next reader loads them.
    pub async fn publish(&self, event: &Event) -> Vec<Applied> {
        self.publish_by(self.rules(), event).await
    }

    /// As [`publish`](Self::publish), by `rules` in the place of its own: those of a configuration
    /// that was read anew.
    pub async fn publish_by(&self, rules: &RuleSet, event: &Event) -> Vec<Applied> {
        let applied = self.cache().apply(rules, event, Some(self)).await;
        let mut members: BTreeMap<ServiceName, Vec<String>> = BTreeMap::new();
        for Applied { effect, result, .. } in &applied {
            if let (Target::Key(key), Ok(_)) = (&effect.target, result)
                && let Some(member) = key.name().strip_prefix("ruc_")
            {
                members.entry(key.service_name()).or_default().push(member.to_owned());
            }
        }
        // What is no longer invalid is no longer listed; should that fail, a listing passes over it.
        join_all(members.into_iter().map(|(service, members)| async move {
            let _ = self.ruc(&service).unlist(members).await;
        }))
        .await;
        applied
    }

    /// How each rule for the event's entity and action comes to its effects: a dry run.
    #[must_use]
    pub fn explain(&self, event: &Event) -> Vec<Step<'_>> {
        self.rules().explain(event)
    }

    /// Does what a row of the difference between two registers asks: a number that is new loses its
    /// verdicts, one that has changed its record, and one that is gone keeps its record as a
    /// fallback. Nothing where both are equal.
    pub async fn register_changed(
        &self,
        ruc: Ruc,
        old: Option<&Taxpayer>,
        new: Option<&Taxpayer>,
    ) -> Vec<Applied> {
        match difference(ruc, old, new) {
            Some(event) => self.publish(&event).await,
            None => Vec::new(),
        }
    }
}

#[async_trait]
impl Reload for Lookups {
    async fn reload(&self, key: &Key) -> Result<(), CacheError> {
        if let Some(ruc) = key.name().strip_prefix("ruc_").and_then(|text| text.parse().ok()) {
            return match self.ruc(&key.service_name()).reload(ruc).await {
                Ok(()) | Err(LoadError::Negative(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        match rate_of(key) {
            Some((currency, day)) => self.exchange(&key.service_name()).reload(currency, day).await,
            // Nobody here knows where it comes from.
            None => Ok(()),
        }
    }
}

/// The currency and the day of a rate's name.
fn rate_of(key: &Key) -> Option<(Currency, LimaDate)> {
    let (currency, day) = key.name().strip_prefix("exchange_rate_")?.split_once('_')?;
    Some((Currency::from_code(currency)?, day.parse().ok()?))
}
