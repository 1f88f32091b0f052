//! `/v1/cache/{service}:batchGet`, `:batchSet` and `:batchDelete`: many names of a service at once.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;
use rucache::Ttl;
use rucache::core::{Key, ServiceName};
use rucache::engine::{Accept, Written};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::entry::Json;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Route, Verb};
use super::trail::Event;

/// Changes under way at once.
const CHANGES: usize = 64;

pub(super) static ROUTES: [Route; 3] = [
    Route {
        verb: Verb::Post,
        path: "/v1/cache/{service}:batchGet",
        access: Access::Users,
        about: "The values of up to 10,000 keys, in one round trip to the backend.",
        query: &[],
        body: Some("Keys"),
        answers: &[Answer {
            status: 200,
            about: "What is there, and the keys of which nothing is.",
            content: &[(reply::JSON, "Values")],
        }],
        problems: &[Kind::InvalidRequest, Kind::BatchTooLarge, Kind::InvalidKey],
        handler: |app, call| Box::pin(get(app, call)),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/cache/{service}:batchSet",
        access: Access::Users,
        about: "Stores up to 10,000 values. Those that were stored before one that is refused stay.",
        query: &[],
        body: Some("NewValues"),
        answers: &[Answer { status: 204, about: "All are stored.", content: &[] }, reply::DEFERRED],
        problems: &[
            Kind::InvalidRequest,
            Kind::BatchTooLarge,
            Kind::InvalidKey,
            Kind::ValueTooLarge,
        ],
        handler: |app, call| Box::pin(set(app, call)),
    },
    Route {
        verb: Verb::Post,
        path: "/v1/cache/{service}:batchDelete",
        access: Access::Users,
        about: "Deletes the values of up to 10,000 keys.",
        query: &[],
        body: Some("Keys"),
        answers: &[Answer {
            status: 200,
            about: "How many there were, as far as is known.",
            content: &[(reply::JSON, "Deleted")],
        }],
        problems: &[Kind::InvalidRequest, Kind::BatchTooLarge, Kind::InvalidKey],
        handler: |app, call| Box::pin(delete(app, call)),
    },
];

/// The body of a request for keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    keys: Vec<String>,
}

/// The body of a request to store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewValues {
    values: BTreeMap<String, Json>,
    #[serde(default)]
    ttl: Option<Life>,
    #[serde(default)]
    tags: Vec<String>,
}

/// A life in seconds, or as text.
pub(super) struct Life(String);

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            // 60.0 is 60 in JSON.
            Value::Number(number) if number.as_f64().is_some_and(|secs| secs.fract() == 0.0) => {
                Ok(Self(number.to_string().trim_end_matches(".0").to_owned()))
            }
            _ => Err(D::Error::custom("ttl: not seconds, nor a text such as 15min")),
        }
    }
}

impl Life {
    /// The TTL.
    pub(super) fn ttl(&self) -> Result<Ttl, Problem> {
        let read = self.0.parse();
        read.map_err(|error| Problem::new(Kind::InvalidRequest, format!("ttl: {error}")))
    }
}

/// What was found.
#[derive(Serialize)]
struct Values<'a> {
    values: BTreeMap<&'a str, Json>,
    missing: Vec<&'a str>,
}

/// How many were deleted.
#[derive(Serialize)]
struct Deleted {
    deleted: usize,
    outcome: &'static str,
}

const FORM: &str = "{\"keys\": [\"a\", \"b\"]}";

fn keys(service: &ServiceName, names: &[String], most: usize) -> Result<Vec<Key>, Problem> {
    check_len(names.len(), most)?;
    names.iter().map(|name| Ok(Key::new(service, name)?)).collect()
}

/// Refuses a request that holds more than `most`.
pub(super) fn check_len(len: usize, most: usize) -> Result<(), Problem> {
    if len <= most {
        return Ok(());
    }
    let detail = format!("a request has at most {most} of them; send several");
    Err(Problem::new(Kind::BatchTooLarge, detail).with("limit", most))
}

async fn get(app: App, call: Call) -> Answered {
    let (service, most) = (call.path_service()?, call.batch_limit());
    let Keys { keys: names } = call.members(FORM).await?;
    let keys = keys(&service, &names, most)?;
    let mut found = Values { values: BTreeMap::new(), missing: Vec::new() };
    let looked = app.cache().look_many::<Json>(&keys, Accept::Fresh).await;
    for ((name, key), look) in names.iter().zip(&keys).zip(looked) {
        match look?.value() {
            Some(hit) => {
                app.log(key, Event::Hit(hit.value.get().as_bytes()));
                found.values.insert(name, Json::clone(&hit.value));
            }
            None => {
                app.log(key, Event::Miss);
                found.missing.push(name);
            }
        }
    }
    reply::json(reply::JSON, &found)
}

async fn set(app: App, call: Call) -> Answered {
    let (service, most) = (call.path_service()?, call.batch_limit());
    let form = "{\"values\": {\"a\": …}, \"ttl\": 60}";
    let NewValues { values, ttl, tags } = call.members(form).await?;
    check_len(values.len(), most)?;
    let ttl = ttl.map(|ttl| ttl.ttl()).transpose()?;
    let mut named = Vec::with_capacity(values.len());
    for (name, value) in values {
        named.push((Key::new(&service, &name)?, value));
    }
    let (app, tags) = (&app, &tags);
    let put = |(key, value): (Key, Json)| async move {
        let ttl = ttl.unwrap_or_else(|| app.cache().life_of(&key));
        let text = value.get().to_owned();
        let loaded = rucache::engine::Loaded::<Json>::new(value).with_tags(tags.iter().cloned());
        let written = app.cache().put(&key, loaded, ttl).await?;
        app.log(&key, Event::Stored(text.as_bytes(), Some(ttl)));
        Ok::<_, Problem>(written)
    };
    let written: Vec<_> = stream::iter(named).map(put).buffered(CHANGES).collect().await;
    reply::written(all(written)?)
}

/// What became of all changes together.
fn all(written: Vec<Result<Written, Problem>>) -> Result<Written, Problem> {
    let mut together = Written::Done;
    for one in written {
        if one? == Written::Deferred {
            together = Written::Deferred;
        }
    }
    Ok(together)
}

async fn delete(app: App, call: Call) -> Answered {
    let (service, most) = (call.path_service()?, call.batch_limit());
    let Keys { keys: names } = call.members(FORM).await?;
    let keys = keys(&service, &names, most)?;
    let app = &app;
    let delete = |key: Key| async move {
        let removed = app.cache().delete(&key).await?;
        app.log(&key, Event::Invalidated);
        Ok::<_, Problem>(removed)
    };
    let removed: Vec<_> = stream::iter(keys).map(delete).buffered(CHANGES).collect().await;
    let mut deleted = Deleted { deleted: 0, outcome: reply::outcome(Written::Done) };
    for removed in removed {
        let removed = removed?;
        deleted.deleted += usize::from(removed.existed);
        if removed.written == Written::Deferred {
            deleted.outcome = reply::outcome(Written::Deferred);
        }
    }
    reply::json(reply::JSON, &deleted)
}
