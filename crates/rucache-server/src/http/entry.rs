//! `/v1/cache/{service}/{key}` and `/v1/entry`: any JSON under any name.

use rucache::core::{Key, ServiceName};
use rucache::engine::{Accept, Loaded};
use serde_json::value::RawValue;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::lease::{self, Wish};
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::trail::Event;
use super::{reply, ruc, schema};

const PATH: &str = "/v1/cache/{service}/{key}";
const ENTRY_PATH: &str = "/v1/entry";

const SERVICE: Parameter = Parameter::required("service", "Service that the key is in.");
const KEY: Parameter = Parameter::required("key", schema::KEY);
const TTL: Parameter = Parameter::optional("ttl", ruc::TTL);
const TAGS: Parameter = Parameter::optional(
    "tags",
    "Tags of the service that the value carries, at most 16, with commas between them.",
);
const LEASE: Parameter = Parameter::optional(
    "lease",
    "Seconds, 300 at most. Where there is no value, one caller gets a lease in the problem's member \
     `lease`: it loads the value within that time and stores it with `PUT …?lease=`. The others \
     wait for it.",
);
const WAIT: Parameter = Parameter::optional(
    "wait",
    "With `lease`: milliseconds to wait for the caller who has it, 5,000 by default, 25,000 at most.",
);
const LEASED: Parameter = Parameter::optional(
    "lease",
    "The lease that the value was loaded under. Refused as superseded if the name was set or \
     deleted, the service cleared or a tag of the value invalidated since it was given.",
);

const GET: &[Answer] = &[Answer {
    status: 200,
    about: "The value as it was stored; its age and remaining life in `Age` and `Cache-Status`.",
    content: &[(reply::JSON, "Value")],
}];
const PUT: &[Answer] = &[Answer { status: 204, about: "Stored.", content: &[] }, reply::DEFERRED];
const DELETE: &[Answer] = &[
    Answer {
        status: 204,
        about: "There is no value now, whether or not there was one.",
        content: &[],
    },
    reply::DEFERRED,
];

const ABOUT_GET: &str = "The value of a key, or with `lease` the right to load it.";
const ABOUT_PUT: &str = "Stores any JSON under a key, for as long as `ttl` says, else as the \
                         service is configured: 900 seconds by default.";
const ABOUT_DELETE: &str = "Deletes the value of a key.";

const GET_PROBLEMS: &[Kind] = &[Kind::NotCached, Kind::InvalidKey];
const PUT_PROBLEMS: &[Kind] = &[Kind::InvalidKey, Kind::ValueTooLarge, Kind::Superseded];
const DELETE_PROBLEMS: &[Kind] = &[Kind::InvalidKey];

pub(super) static ROUTES: [Route; 6] = [
    Route {
        verb: Verb::Get,
        path: PATH,
        access: Access::Users,
        about: ABOUT_GET,
        query: &[LEASE, WAIT],
        body: None,
        answers: GET,
        problems: GET_PROBLEMS,
        handler: |app, call| {
            Box::pin(async move { get(&app, path_key(&call)?, Wish::of(&call)?).await })
        },
    },
    Route {
        verb: Verb::Put,
        path: PATH,
        access: Access::Users,
        about: ABOUT_PUT,
        query: &[TTL, TAGS, LEASED],
        body: Some("Value"),
        answers: PUT,
        problems: PUT_PROBLEMS,
        handler: |app, call| Box::pin(async move { put(app, path_key(&call)?, call).await }),
    },
    Route {
        verb: Verb::Delete,
        path: PATH,
        access: Access::Users,
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
        access: Access::Users,
        about: "The value of a key that does not fit a path, such as `..`, or with `lease` the \
                right to load it.",
        query: &[SERVICE, KEY, LEASE, WAIT],
        body: None,
        answers: GET,
        problems: GET_PROBLEMS,
        handler: |app, call| {
            Box::pin(async move { get(&app, query_key(&call)?, Wish::of(&call)?).await })
        },
    },
    Route {
        verb: Verb::Put,
        path: ENTRY_PATH,
        access: Access::Users,
        about: ABOUT_PUT,
        query: &[SERVICE, KEY, TTL, TAGS, LEASED],
        body: Some("Value"),
        answers: PUT,
        problems: PUT_PROBLEMS,
        handler: |app, call| Box::pin(async move { put(app, query_key(&call)?, call).await }),
    },
    Route {
        verb: Verb::Delete,
        path: ENTRY_PATH,
        access: Access::Users,
        about: ABOUT_DELETE,
        query: &[SERVICE, KEY],
        body: None,
        answers: DELETE,
        problems: DELETE_PROBLEMS,
        handler: |app, call| Box::pin(async move { delete(app, query_key(&call)?).await }),
    },
];

/// A value as it was sent, byte for byte: what it means is between its writers and readers.
pub(super) type Json = Box<RawValue>;

fn path_key(call: &Call) -> Result<Key, Problem> {
    Ok(Key::new(&call.path_service()?, call.path("key"))?)
}

fn query_key(call: &Call) -> Result<Key, Problem> {
    Ok(Key::new(&ServiceName::new(call.required("service")?)?, call.required("key")?)?)
}

async fn get(app: &App, key: Key, wish: Option<Wish>) -> Answered {
    let key = &key;
    if let Some(wish) = wish {
        return lease::get(app, key, wish).await;
    }
    match app.cache().read::<Json>(key, Accept::Fresh).await? {
        Some(hit) => {
            let body = hit.value.get().as_bytes();
            app.log(key, Event::Hit(body));
            reply::cached(body.to_vec(), &hit.outcome)
        }
        None => Err(missing(app, key)),
    }
}

/// That there is no value.
pub(super) fn missing(app: &App, key: &Key) -> Problem {
    app.log(key, Event::Miss);
    Problem::new(Kind::NotCached, "nothing is cached under this name, or not any more")
}

async fn put(app: App, key: Key, call: Call) -> Answered {
    let ttl = call.ttl()?.unwrap_or_else(|| app.cache().life_of(&key));
    let permit = call.parsed("lease")?;
    let tags: Vec<String> = tags(call.query("tags")).collect();
    let value: Json = serde_json::from_slice(&call.json().await?)
        .map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?;
    let text = value.get().to_owned();
    let loaded = Loaded::<Json>::new(value).with_tags(tags);
    let answer = match permit {
        Some(permit) => lease::put(&app, &key, permit, loaded, ttl).await?,
        None => reply::written(app.cache().put(&key, loaded, ttl).await?)?,
    };
    app.log(&key, Event::Stored(text.as_bytes(), Some(ttl)));
    Ok(answer)
}

/// The tags of a list with commas between them.
fn tags(list: Option<&str>) -> impl Iterator<Item = String> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Into::into)
}

async fn delete(app: App, key: Key) -> Answered {
    let removed = app.cache().delete(&key).await?;
    app.log(&key, Event::Invalidated);
    reply::written(removed.written)
}
