//! Carrying out invalidation rules: what an event asks of the cache, done.

use std::sync::Arc;

use async_trait::async_trait;
use rucache_core::observer::{Origin, RefreshResult, RefreshTrigger};
use rucache_core::rule::{Effect, EffectKind, Event, RuleSet, Target};
use rucache_core::{Count, Key, ServiceName};

use crate::engine::Engine;
use crate::{Accept, Cache, CacheError, Written};

/// What an event has done to a cache.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// The effect.
    pub effect: Effect,
    /// What became of it.
    pub result: Result<Written, CacheError>,
}

/// Somebody who can load a value anew: for rules that refresh or warm.
#[async_trait]
pub trait Reload: Send + Sync {
    /// Loads the value of `key` and stores it.
    ///
    /// # Errors
    ///
    /// When it could not be loaded; what is cached stays as it is.
    async fn reload(&self, key: &Key) -> Result<(), CacheError>;
}

impl Cache {
    /// Does what `rules` ask when `event` happens; each effect with what became of it.
    ///
    /// Every effect is tried, whatever becomes of the others, and doing all of it again does no
    /// harm. A tag or a service is one marker that says whether entries are current: to expire one
    /// is to remove it. What is to be refreshed is loaded by `reload`, one after the other, and is
    /// expired instead without one; what is to be warmed needs one.
    pub async fn apply(
        &self,
        rules: &RuleSet,
        event: &Event,
        reload: Option<&dyn Reload>,
    ) -> Vec<Applied> {
        let mut applied = Vec::new();
        for effect in rules.effects(event) {
            let result = match effect.kind {
                EffectKind::Remove => self.drop_target(&effect.target).await,
                EffectKind::Expire => self.expire_target(&effect.target).await,
                EffectKind::Refresh => self.refresh_target(&effect.target, reload).await,
                EffectKind::Warm => warm(&effect.target, reload).await,
                _ => Ok(Written::Done),
            };
            applied.push(Applied { effect, result });
        }
        applied
    }

    async fn drop_target(&self, target: &Target) -> Result<Written, CacheError> {
        let target = target.clone();
        let drop = |engine: Arc<Engine>| async move {
            match &target {
                Target::Key(key) => Ok(engine.remove(key, Origin::Rule).await?.written),
                Target::Tag(tag) => engine.invalidate_tag(tag, Origin::Rule).await,
                Target::Service(service) => engine.clear(service, Origin::Rule).await,
                _ => Ok(Written::Done),
            }
        };
        self.engine().apart(drop).await
    }

    async fn expire_target(&self, target: &Target) -> Result<Written, CacheError> {
        let Target::Key(key) = target else { return self.drop_target(target).await };
        let key = key.clone();
        let expire = |engine: Arc<Engine>| async move {
            Ok(engine.expire(&key, Origin::Rule).await?.written)
        };
        self.engine().apart(expire).await
    }

    async fn refresh_target(
        &self,
        target: &Target,
        reload: Option<&dyn Reload>,
    ) -> Result<Written, CacheError> {
        let expired = self.expire_target(target).await?;
        let (Target::Key(key), Some(reload)) = (target, reload) else { return Ok(expired) };
        // Expired first: whoever reads meanwhile knows that it is old. Absent, it stays absent.
        let service: ServiceName = key.service_name();
        let kept = self.service(&service).look::<serde_json::Value>(key, Accept::Stale).await?;
        if kept.value().is_some() {
            let reloaded = reload.reload(key).await;
            let result =
                if reloaded.is_ok() { RefreshResult::Loaded } else { RefreshResult::Failed };
            self.engine().count(key, Count::Refresh(RefreshTrigger::Rule, result));
            reloaded?;
        }
        Ok(Written::Done)
    }
}

async fn warm(target: &Target, reload: Option<&dyn Reload>) -> Result<Written, CacheError> {
    if let (Target::Key(key), Some(reload)) = (target, reload) {
        reload.reload(key).await?;
    }
    Ok(Written::Done)
}
