//! The operations as calls of the library.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use rucache::core::rule::Event;
use rucache::core::{Key, ServiceName, Ttl};
use rucache::engine::{Loaded, Written};
use rucache::lookup::{
    BatchId, BatchOptions, Include, InvalidRecord, RucCache, Scope, Stats, WarmItem, WarmOptions,
};
use rucache::ruc::{Currency, ExchangeRate, LimaDate, Outcome, Reason, Reply, Ruc, Taxpayer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{Driver, only, text};

/// A cache, and the runtime that it is in.
pub(super) struct Library {
    cache: rucache::Cache,
    runtime: Runtime,
}

impl Library {
    pub(super) fn open(backend: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let cache = runtime.block_on(rucache::open(backend)).expect("a cache");
        Self { cache, runtime }
    }

    fn rucs(&self) -> RucCache {
        self.cache.ruc("migo")
    }

    async fn look_up(&self, text: &str) -> Value {
        let ruc: Ruc = match text.parse() {
            Ok(ruc) => ruc,
            Err(invalid) => {
                let mut told = json!({ "outcome": "invalid", "rule": invalid.rule().as_str() });
                if let Some(digit) = invalid.expected() {
                    told["expected"] = digit.into();
                }
                return told;
            }
        };
        let lookup = self.rucs().lookup_served(&ruc).await;
        match &lookup.outcome {
            Outcome::Found(found) => {
                let is_load = lookup
                    .served
                    .is_none_or(|served| served.from == rucache::engine::ServedFrom::Load);
                let cache = if is_load { "miss" } else { "hit" };
                let name = found.record.nombre_o_razon_social();
                json!({ "outcome": "found", "cache": cache, "name": name })
            }
            Outcome::NotFound(absent) => json!({
                "outcome": "not_found",
                "reason": absent.reason.as_str(),
                "attempts": absent.attempts,
            }),
            Outcome::Invalid(_) => panic!("it was a number"),
            Outcome::Unavailable(unanswered) => {
                json!({ "outcome": "unavailable", "cause": unanswered.cause.as_str() })
            }
        }
    }

    async fn entries(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        let cache = &self.cache;
        Some(match (name, arguments) {
            ("get", [service, name]) => {
                cache.get::<Value>(&key(service, name)).await.expect("a key").unwrap_or_default()
            }
            ("set", [service, name, value, ttl]) => {
                let key = key(service, name);
                let life = ttl.as_u64().map_or_else(|| cache.life_of(&key), Ttl::secs);
                done(cache.set(&key, value, life).await.expect("stored"))
            }
            ("set_tagged", [service, name, value, Value::Array(tags)]) => {
                let tags = tags.iter().map(|tag| text(tag).to_owned());
                let loaded = Loaded::new(value.clone()).with_tags(tags);
                done(cache.put(&key(service, name), loaded, Ttl::DEFAULT).await.expect("stored"))
            }
            ("delete", [service, name]) => {
                done(cache.delete(&key(service, name)).await.expect("deleted").written)
            }
            ("get_many", [service, Value::Array(names)]) => {
                let keys: Vec<Key> = names.iter().map(|name| key(service, name)).collect();
                let values = cache.get_many::<Value>(&keys).await;
                let found = keys.iter().zip(values);
                Value::Object(
                    found
                        .filter_map(|(key, value)| Some((key.name().to_owned(), value?)))
                        .collect(),
                )
            }
            ("set_many", [service, Value::Object(values), ttl]) => {
                let named = |(name, value): (&String, &Value)| {
                    (key(service, &name.clone().into()), value.clone())
                };
                let ttl = Ttl::secs(ttl.as_u64().expect("seconds"));
                let stored = cache.set_many(values.iter().map(named).collect(), ttl).await;
                assert!(stored.iter().all(|one| matches!(one, Ok(Written::Done))));
                "done".into()
            }
            ("delete_many", [service, Value::Array(names)]) => {
                let mut deleted = 0;
                for name in names {
                    let removed = cache.delete(&key(service, name)).await.expect("deleted");
                    deleted += usize::from(removed.existed);
                }
                deleted.into()
            }
            ("get_or_load", [service, name, value, ttl]) => {
                let loaded = Arc::new(AtomicBool::new(false));
                let (value, told) = (value.clone(), loaded.clone());
                let load = || async move {
                    told.store(true, Ordering::Relaxed);
                    Ok::<Value, std::io::Error>(value)
                };
                let ttl = Ttl::secs(ttl.as_u64().expect("seconds"));
                let value = cache.get_or_load(&key(service, name), ttl, load).await;
                let value = value.expect("a value");
                json!({ "value": value, "loaded": loaded.load(Ordering::Relaxed) })
            }
            ("get_service_cache_key", [service, name]) => key(service, name).as_str().into(),
            ("clear_service_cache", [service]) => {
                done(cache.service(&named(text(service))).clear().await.expect("cleared"))
            }
            ("clear", []) => done(cache.lookups().clear_all().await.expect("cleared")),
            ("invalidate", [what]) => {
                for full in list(&what["keys"]) {
                    let key = Key::parse(full).expect("a key");
                    assert_eq!(cache.delete(&key).await.expect("deleted").written, Written::Done);
                }
                for full in list(&what["tags"]) {
                    let (service, tag) = full.split_once(':').expect("a service and a tag");
                    let service = cache.service(&named(service));
                    assert_eq!(service.invalidate_tag(tag).await.expect("done"), Written::Done);
                }
                for service in list(&what["services"]) {
                    let service = cache.service(&named(service));
                    assert_eq!(service.clear().await.expect("done"), Written::Done);
                }
                "done".into()
            }
            ("publish", [event]) => {
                let event: Event = serde_json::from_value(event.clone()).expect("an event");
                let applied = cache.publish(&event).await;
                let effects = applied.iter().map(|one| {
                    assert!(matches!(one.result, Ok(Written::Done)));
                    serde_json::to_value(&one.effect).expect("JSON")
                });
                effects.map(|one| only(&one, &["action", "key", "tag", "service"])).collect()
            }
            _ => return None,
        })
    }

    async fn records(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        let rucs = self.rucs();
        Some(match (name, arguments) {
            ("set_ruc", [ruc, record]) => {
                let record = Taxpayer::from_json_for(number(ruc), record).expect("a record");
                done(rucs.set(record, None).await.expect("stored"))
            }
            ("get_ruc", [ruc]) => match rucs.get(&number(ruc)).await {
                Some(hit) => serde_json::to_value(&*hit.record).expect("JSON"),
                None => Value::Null,
            },
            ("delete_ruc", [ruc]) => {
                done(rucs.delete(&number(ruc)).await.expect("deleted").written)
            }
            ("lookup", [ruc]) => self.look_up(text(ruc)).await,
            ("batch", [id, Value::Array(texts)]) => {
                let id: BatchId = text(id).parse().expect("an id");
                let texts: Vec<&str> = texts.iter().map(text).collect();
                let batch = rucs.batch(&texts, BatchOptions::default().with_id(id));
                let (record, lookups) = batch.finish().await;
                let outcomes: Value =
                    lookups.iter().map(|lookup| Value::from(lookup.outcome.as_str())).collect();
                json!({ "outcomes": outcomes, "counts": record.counts })
            }
            ("batch_record", [id]) => {
                let id: BatchId = text(id).parse().expect("an id");
                match rucs.batch_record(&id).await.expect("an answer") {
                    Some(record) => {
                        let record = serde_json::to_value(record).expect("JSON");
                        only(&record, &["status", "total", "done", "runs"])
                    }
                    None => Value::Null,
                }
            }
            ("warm", [Value::Array(texts)]) => {
                let items: Vec<WarmItem> = texts.iter().map(|ruc| number(ruc).into()).collect();
                let warmed = rucs.warm(stream::iter(items), WarmOptions::default(), |_| ()).await;
                json!({ "loaded": warmed.loaded, "already_cached": warmed.already_cached })
            }
            _ => return None,
        })
    }

    async fn registry(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        let rucs = self.rucs();
        let told = |record: &InvalidRecord| {
            let record = serde_json::to_value(record).expect("JSON");
            only(&record, &["ruc", "reason", "attempts"])
        };
        Some(match (name, arguments) {
            ("add_invalid_ruc", [ruc, reason]) => {
                let reason = Reason::new(text(reason).to_owned());
                let marked = rucs.mark_invalid(text(ruc), reason, None).await.expect("marked");
                assert_eq!(marked.written, Written::Done);
                told(&marked.record)
            }
            ("is_ruc_invalid", [ruc]) => rucs.is_invalid(text(ruc)).await.into(),
            ("get_invalid_ruc_info", [ruc]) => {
                let info = rucs.invalid_info(text(ruc), Include::Active).await.expect("an answer");
                info.map_or(Value::Null, |info| told(&info))
            }
            ("remove_invalid_ruc", [ruc]) => {
                done(rucs.unmark_invalid(text(ruc)).await.expect("an answer").written)
            }
            ("get_all_invalid_rucs", []) => {
                let all: BTreeMap<String, u64> = rucs
                    .all_invalid()
                    .map(|record| record.map(|record| (record.ruc, record.attempts)))
                    .map(|record| record.expect("an answer"))
                    .collect()
                    .await;
                json!(all)
            }
            ("clear_invalid_rucs", []) => rucs.clear_invalid().await.expect("an answer").into(),
            _ => return None,
        })
    }

    async fn others(&self, name: &str, arguments: &[Value]) -> Option<Value> {
        let (cache, lookups) = (&self.cache, self.cache.lookups());
        let rates = cache.exchange(&named("migo"));
        Some(match (name, arguments) {
            ("set_exchange_rate", [day, rate]) => {
                let decimal = |name: &str| text(&rate[name]).parse().expect("a decimal");
                let (buy, sell) = (decimal("compra"), decimal("venta"));
                let rate = ExchangeRate { day: date(day), currency: Currency::Usd, buy, sell };
                done(rates.set(rate, None).await.expect("stored"))
            }
            ("get_exchange_rate", [day]) => {
                match rates.lookup(Currency::Usd, date(day)).await.reply {
                    Reply::Found(rate) => serde_json::to_value(rate).expect("JSON"),
                    _ => Value::Null,
                }
            }
            ("stats", []) => {
                let Stats { backend, hits, misses, hit_rate, invalid_rucs, .. } =
                    lookups.stats(Scope::Process).await;
                json!({
                    "backend": backend, "hits": hits, "misses": misses, "hit_rate": hit_rate,
                    "invalid_rucs": invalid_rucs.map(|invalid| invalid.total_count),
                })
            }
            ("stats_invalid", []) => json!(lookups.stats(Scope::Process).await.invalid_rucs),
            ("daily_statistics", []) => {
                lookups.flush_stats().await.expect("written");
                let today = LimaDate::at(cache.runtime().wall());
                (lookups.daily(today).await.expect("an answer").all.hits > 0).into()
            }
            ("get_health", []) => {
                let works = cache.probe().await.is_ok_and(|probe| probe.works);
                let backend = lookups.stats(Scope::Process).await.backend;
                let status = if works { "healthy" } else { "unhealthy" };
                json!({ "status": status, "backend": backend, "works": works })
            }
            ("cleanup_expired", []) => {
                json!({ "invalid_rucs": lookups.maintain().await.invalid_rucs })
            }
            _ => return None,
        })
    }
}

impl Driver for Library {
    fn call(&self, name: &str, arguments: &[Value]) -> Value {
        self.runtime.block_on(async {
            if let Some(value) = self.entries(name, arguments).await {
                return value;
            }
            if let Some(value) = self.records(name, arguments).await {
                return value;
            }
            if let Some(value) = self.registry(name, arguments).await {
                return value;
            }
            let value = self.others(name, arguments).await;
            value.unwrap_or_else(|| panic!("no operation {name} with {arguments:?}"))
        })
    }
}

fn named(service: &str) -> ServiceName {
    ServiceName::new(service).expect("a service")
}

fn key(service: &Value, name: &Value) -> Key {
    Key::new(&named(text(service)), text(name)).expect("a key")
}

fn number(ruc: &Value) -> Ruc {
    text(ruc).parse().expect("a number")
}

fn date(day: &Value) -> LimaDate {
    text(day).parse().expect("a day")
}

fn list(texts: &Value) -> impl Iterator<Item = &str> {
    texts.as_array().into_iter().flatten().map(text)
}

fn done(written: Written) -> Value {
    assert_eq!(written, Written::Done);
    "done".into()
}
