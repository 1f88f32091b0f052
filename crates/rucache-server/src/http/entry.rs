//! `/v1/cache/{service}/{key}` and `/v1/entry`: any JSON under any name.

use std::sync::Arc;

use rucache::Ttl;
use rucache::core::{Key, ServiceName};
use rucache::engine::Accept;
use serde_json::value::RawValue;

use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, ruc, schema};

const PATH: &str = "/v1/cache/{service}/{key}";
const ENTRY_PATH: &str = "/v1/entry";

const SERVICE: Parameter = Parameter::required("service", "Service that the key is in.");
const KEY: Parameter = Parameter::required("key", schema::KEY);
const TTL: Parameter = Parameter::optional("ttl", ruc::TTL);

const GET: &[Answer] = &[Answer {
    status: 200,
    about: "The value as it was stored; its age and remaining life in `Age` and `Cache-Status`.",
    content: &[(reply::JSON, "Value")],
}];
const PUT: &[Answer] = &[Answer { status: 204, about: "Stored.", content: &[] }];
const DELETE: &[Answer] = &[Answer {
    status: 204,
    about: "There is no value now, whether or not there was one.",
    content: &[],
}];

const ABOUT_GET: &str = "The value of a key.";
const ABOUT_PUT: &str = "Stores any JSON under a key, for 900 seconds unless `ttl` says otherwise.";
const ABOUT_DELETE: &str = "Deletes the value of a key.";

const GET_PROBLEMS: &[Kind] = &[Kind::NotCached, Kind::InvalidKey];
const PUT_PROBLEMS: &[Kind] = &[Kind::InvalidKey, Kind::ValueTooLarge];
const DELETE_PROBLEMS: &[Kind] = &[Kind::InvalidKey];

pub(super) static ROUTES: [Route; 6] = [
    Route {
        verb: Verb::Get,
        path: PATH,
        about: ABOUT_GET,
        query: &[],
        body: None,
        answers: GET,
        problems: GET_PROBLEMS,
        handler: |app, call| Box::pin(async move { get(&app, &path_key(&call)?).await }),
    },
    Route {
        verb: Verb::Put,
        path: PATH,
        about: ABOUT_PUT,
        query: &[TTL],
        body: Some("Value"),
        answers: PUT,
        problems: PUT_PROBLEMS,
        handler: |app, call| Box::pin(async move { put(app, path_key(&call)?, call).await }),
    },
    Route {
        verb: Verb::Delete,
        path: PATH,
        about: ABOUT_DELETE,
        query: &[],
        body: None,
        answers: DELETE,
        problems: DELETE_PROBLEMS,
        handler: |app, call| Box::pin(async move { delete(app, path_key(&call)?).await }),
    },
    Route {
        verb: Verb::Get,
        path: ENTRY_PATH,
        about: "The value of a key that does not fit a path, such as `..`.",
        query: &[SERVICE, KEY],
        body: None,
        answers: GET,
        problems: GET_PROBLEMS,
        handler: |app, call| Box::pin(async move { get(&app, &query_key(&call)?).await }),
    },
    Route {
        verb: Verb::Put,
        path: ENTRY_PATH,
        about: ABOUT_PUT,
        query: &[SERVICE, KEY, TTL],
        body: Some("Value"),
        answers: PUT,
        problems: PUT_PROBLEMS,
        handler: |app, call| Box::pin(async move { put(app, query_key(&call)?, call).await }),
    },
    Route {
        verb: Verb::Delete,
        path: ENTRY_PATH,
        about: ABOUT_DELETE,
        query: &[SERVICE, KEY],
        body: None,
        answers: DELETE,
        problems: DELETE_PROBLEMS,
        handler: |app, call| Box::pin(async move { delete(app, query_key(&call)?).await }),
    },
];

/// A value as it was sent, byte for byte: what it means is between its writers and readers.
type Json = Box<RawValue>;

fn path_key(call: &Call) -> Result<Key, Problem> {
    Ok(Key::new(&ServiceName::new(call.path("service"))?, call.path("key"))?)
}

fn query_key(call: &Call) -> Result<Key, Problem> {
    Ok(Key::new(&ServiceName::new(call.required("service")?)?, call.required("key")?)?)
}

async fn get(app: &App, key: &Key) -> Answered {
    let hit = app.cache().read::<Json>(key, Accept::Fresh).await?.ok_or_else(|| {
        Problem::new(Kind::NotCached, "nothing is cached under this name, or not any more")
    })?;
    reply::cached(hit.value.get().as_bytes().to_vec(), &hit.outcome)
}

async fn put(app: App, key: Key, call: Call) -> Answered {
    let ttl = call.ttl()?.unwrap_or(Ttl::DEFAULT);
    let value: Json = serde_json::from_slice(&call.json().await?)
        .map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?;
    app.cache().set_shared(&key, Arc::new(value), ttl).await?;
    Ok(reply::no_content())
}

async fn delete(app: App, key: Key) -> Answered {
    app.cache().delete(&key).await?;
    Ok(reply::no_content())
}
