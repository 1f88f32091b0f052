//! The operations as requests to a running service.

use rucache_testkit::wait_until;
use serde_json::{Value, json};

use super::{Driver, only, text};
use crate::cli::program::{Service, rucache};

/// A service, and whoever asks it.
pub(super) struct Remote {
    service: Service,
    agent: ureq::Agent,
}

impl Remote {
    pub(super) fn start(backend: &str) -> Self {
        let arguments = ["--backend", backend, "serve", "--listen", "127.0.0.1:0"];
        let service = Service::of(rucache(&arguments));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { service, agent }
    }

    fn ask(&self, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}{target}", self.service.url);
        let answer = match (method, body) {
            ("GET", _) => self.agent.get(url).call(),
            ("DELETE", _) => self.agent.delete(url).call(),
            ("PUT", Some(body)) => {
                self.agent.put(url).content_type("application/json").send(body.to_string())
            }
            ("POST", Some(body)) => {
                self.agent.post(url).content_type("application/json").send(body.to_string())
            }
            _ => self.agent.post(url).send_empty(),
        };
        let mut answer = answer.expect("an answer");
        let body = answer.body_mut().read_to_string().expect("text");
        let body =
            if body.is_empty() { Value::Null } else { serde_json::from_str(&body).expect("JSON") };
        (answer.status().as_u16(), body)
    }

    fn get(&self, target: &str) -> (u16, Value) {
        self.ask("GET", target, None)
    }

    /// The body of 200, null for 404.
    fn found(&self, target: &str) -> Value {
        match self.get(target) {
            (200, body) => body,
            (404, _) => Value::Null,
            other => panic!("{target}: {other:?}"),
        }
    }

    fn done(&self, method: &str, target: &str, body: Option<&Value>) -> Value {
        match self.ask(method, target, body) {
            (204, Value::Null) => "done".into(),
            (200, body) if body["outcome"] == "done" || body["cleared"] != 1 => "done".into(),
            other => panic!("{target}: {other:?}"),
        }
    }

    fn set(&self, service: &Value, key: &Value, value: &Value, query: &str) -> Value {
        let target = format!("/v1/cache/{}/{}{query}", text(service), text(key));
        self.done("PUT", &target, Some(value))
    }

    fn get_or_load(&self, service: &Value, key: &Value, value: &Value, ttl: &Value) -> Value {
        let target = format!("/v1/cache/{}/{}", text(service), text(key));
        match self.get(&format!("{target}?lease=30")) {
            (200, value) => json!({ "value": value, "loaded": false }),
            (404, problem) => {
                let query = format!("?ttl={ttl}&lease={}", text(&problem["lease"]));
                self.set(service, key, value, &query);
                json!({ "value": value, "loaded": true })
            }
            other => panic!("{target}: {other:?}"),
        }
    }

    fn look_up(&self, ruc: &str) -> Value {
        let agent = &self.agent;
        let mut answer =
            agent.get(format!("{}/v1/ruc/{ruc}", self.service.url)).call().expect("an answer");
        let cache = answer.headers().get("cache-status").map(|value| value.as_bytes().to_vec());
        let body = answer.body_mut().read_to_string().expect("text");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        match answer.status().as_u16() {
            200 => {
                let is_hit = cache.is_some_and(|status| status.starts_with(b"rucache; hit"));
                let cache = if is_hit { "hit" } else { "miss" };
                json!({ "outcome": "found", "cache": cache, "name": body["nombre_o_razon_social"] })
            }
            _ => {
                let outcome = match text(&body["type"]) {
                    "/problems/ruc-not-found" => "not_found",
                    "/problems/not-a-ruc" => "invalid",
                    _ => "unavailable",
                };
                let mut told = only(&body, &["rule", "expected", "reason", "attempts", "cause"]);
                told["outcome"] = outcome.into();
                told
            }
        }
    }

    fn registry(&self) -> Value {
        let (_, page) = self.get("/v1/invalid-rucs");
        assert!(page["next"].is_null());
        let items = page["items"].as_array().expect("a list").iter();
        Value::Object(
            items.map(|one| (text(&one["ruc"]).to_owned(), one["attempts"].clone())).collect(),
        )
    }

    fn batch(&self, id: &Value, rucs: &Value) -> Value {
        let target = format!("/v1/ruc:batch?id={}", text(id));
        let (_, body) = self.ask("POST", &target, Some(&json!({ "rucs": rucs })));
        let results = body["results"].as_array().expect("a list").iter();
        let outcomes: Value = results.map(|result| result["outcome"].clone()).collect();
        json!({ "outcomes": outcomes, "counts": body["counts"] })
    }

    fn stats(&self) -> Value {
        let (_, stats) = self.get("/v1/stats");
        let mut told = only(&stats, &["backend", "hits", "misses", "hit_rate"]);
        told["invalid_rucs"] = stats["invalid_rucs"]["total_count"].clone();
        told
    }

    fn health(&self) -> Value {
        // The start's own probe may have met a server that was just waking up.
        let healthy = || self.get("/health?probe=now").1["status"] == "healthy";
        wait_until(std::time::Duration::from_secs(5), healthy);
        let (_, health) = self.get("/health?probe=now");
        let mut told = only(&health, &["status", "backend"]);
        told["works"] = (health["checks"]["basic_operations"] == "✅ OK").into();
        told
    }
}

impl Driver for Remote {
    fn call(&self, name: &str, arguments: &[Value]) -> Value {
        match (name, arguments) {
            ("get", [service, key]) => {
                self.found(&format!("/v1/cache/{}/{}", text(service), text(key)))
            }
            ("set", [service, key, value, Value::Null]) => self.set(service, key, value, ""),
            ("set", [service, key, value, ttl]) => {
                self.set(service, key, value, &format!("?ttl={ttl}"))
            }
            ("set_tagged", [service, key, value, Value::Array(tags)]) => {
                let tags: Vec<_> = tags.iter().map(text).collect();
                self.set(service, key, value, &format!("?tags={}", tags.join(",")))
            }
            ("delete", [service, key]) => {
                let target = format!("/v1/cache/{}/{}", text(service), text(key));
                self.done("DELETE", &target, None)
            }
            ("get_many", [service, keys]) => {
                let target = format!("/v1/cache/{}:batchGet", text(service));
                self.ask("POST", &target, Some(&json!({ "keys": keys }))).1["values"].clone()
            }
            ("set_many", [service, values, ttl]) => {
                let target = format!("/v1/cache/{}:batchSet", text(service));
                self.done("POST", &target, Some(&json!({ "values": values, "ttl": ttl })))
            }
            ("delete_many", [service, keys]) => {
                let target = format!("/v1/cache/{}:batchDelete", text(service));
                self.ask("POST", &target, Some(&json!({ "keys": keys }))).1["deleted"].clone()
            }
            ("get_or_load", [service, key, value, ttl]) => {
                self.get_or_load(service, key, value, ttl)
            }
            ("get_service_cache_key", [service, key]) => {
                let run = rucache(&["key", text(service), text(key), "--json"]).run();
                run.json()["key"].clone()
            }
            ("clear_service_cache", [service]) => {
                self.done("DELETE", &format!("/v1/cache/{}", text(service)), None)
            }
            ("clear", []) => self.done("DELETE", "/v1/cache?confirm=all", None),
            ("set_ruc", [ruc, record]) => {
                self.done("PUT", &format!("/v1/ruc/{}", text(ruc)), Some(record))
            }
            ("get_ruc", [ruc]) => self.found(&format!("/v1/ruc/{}?cached=only", text(ruc))),
            ("delete_ruc", [ruc]) => self.done("DELETE", &format!("/v1/ruc/{}", text(ruc)), None),
            ("lookup", [ruc]) => self.look_up(text(ruc)),
            ("add_invalid_ruc", [ruc, reason]) => {
                let target = format!("/v1/invalid-rucs/{}", text(ruc));
                let (_, record) = self.ask("PUT", &target, Some(&json!({ "reason": reason })));
                only(&record, &["ruc", "reason", "attempts"])
            }
            ("is_ruc_invalid", [ruc]) => {
                (self.get(&format!("/v1/invalid-rucs/{}", text(ruc))).0 == 200).into()
            }
            ("get_invalid_ruc_info", [ruc]) => {
                match self.found(&format!("/v1/invalid-rucs/{}", text(ruc))) {
                    Value::Null => Value::Null,
                    record => only(&record, &["ruc", "reason", "attempts"]),
                }
            }
            ("remove_invalid_ruc", [ruc]) => {
                self.done("DELETE", &format!("/v1/invalid-rucs/{}", text(ruc)), None)
            }
            ("get_all_invalid_rucs", []) => self.registry(),
            ("clear_invalid_rucs", []) => {
                self.ask("DELETE", "/v1/invalid-rucs", None).1["removed"].clone()
            }
            ("batch", [id, rucs]) => self.batch(id, rucs),
            ("batch_record", [id]) => match self.found(&format!("/v1/batches/{}", text(id))) {
                Value::Null => Value::Null,
                record => only(&record, &["status", "total", "done", "runs"]),
            },
            ("warm", [rucs]) => {
                let (_, warmed) = self.ask("POST", "/v1/warm", Some(&json!({ "rucs": rucs })));
                only(&warmed, &["loaded", "already_cached"])
            }
            ("set_exchange_rate", [day, rate]) => {
                self.done("PUT", &format!("/v1/exchange-rate/{}", text(day)), Some(rate))
            }
            ("get_exchange_rate", [day]) => self.found(&format!("/v1/exchange-rate/{}", text(day))),
            ("invalidate", [what]) => self.done("POST", "/v1/invalidate", Some(what)),
            ("publish", [event]) => {
                let (_, done) = self.ask("POST", "/v1/events", Some(event));
                let effects = done["effects"].as_array().expect("a list").iter();
                effects.map(|one| only(one, &["action", "key", "tag", "service"])).collect()
            }
            ("stats", []) => self.stats(),
            ("stats_invalid", []) => self.get("/v1/stats").1["invalid_rucs"].clone(),
            ("daily_statistics", []) => {
                (self.get("/v1/stats/daily").1["hits"].as_u64() > Some(0)).into()
            }
            ("get_health", []) => self.health(),
            ("cleanup_expired", []) => {
                only(&self.ask("POST", "/v1/maintenance", None).1, &["invalid_rucs"])
            }
            _ => panic!("no operation {name} with {arguments:?}"),
        }
    }
}
