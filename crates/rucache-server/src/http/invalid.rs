//! `/v1/invalid-rucs`: numbers that are known to be none, why, and how often they were asked for.

use axum::http::StatusCode;
use rucache::engine::Written;
use rucache::lookup::{Include, InvalidRecord, RegistryError};
use rucache::ruc::Reason;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::many::Life;
use super::names::{CURSOR, LIMIT};
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::trail::Event;
use super::{reply, ruc};

const PATH: &str = "/v1/invalid-rucs/{number}";
const ALL: &str = "/v1/invalid-rucs";

pub(super) static ROUTES: [Route; 5] = [
    Route {
        verb: Verb::Put,
        path: PATH,
        access: Access::Users,
        about: "Marks a number, or whatever text it is, as invalid: for 24 hours unless `ttl` says \
                otherwise. A record of it that is cached goes. Every mark counts as an attempt.",
        query: &[ruc::SERVICE],
        body: Some("Mark"),
        answers: &[
            Answer {
                status: 200,
                about: "What is known of the number now.",
                content: &[(reply::JSON, "InvalidRecord")],
            },
            Answer {
                status: 202,
                about: "The same; the backend has not confirmed it, and will be told.",
                content: &[(reply::JSON, "InvalidRecord")],
            },
        ],
        problems: &[Kind::InvalidKey, Kind::InvalidRequest, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(put(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: PATH,
        access: Access::Users,
        about: "Why a number is invalid, since when, and how often that was found.",
        query: &[
            ruc::SERVICE,
            Parameter::optional("include", "`lapsed`: also what no longer holds."),
        ],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "What is known of the number.",
            content: &[(reply::JSON, "InvalidRecord")],
        }],
        problems: &[Kind::InvalidKey, Kind::NotMarked, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(get(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: PATH,
        access: Access::Users,
        about: "Takes a number off the registry; a record of it that is cached stays.",
        query: &[ruc::SERVICE],
        body: None,
        answers: &[
            Answer {
                status: 204,
                about: "It is not invalid now, whether or not it was.",
                content: &[],
            },
            reply::DEFERRED,
        ],
        problems: &[Kind::InvalidKey, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(delete(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: ALL,
        access: Access::Users,
        about: "The invalid numbers, page by page in no order. One that is invalid from the first \
                page to the last is listed at least once.",
        query: &[ruc::SERVICE, CURSOR, LIMIT],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "A page, and how many there are in all; `next` is null on the last one.",
            content: &[(reply::JSON, "InvalidRecords")],
        }],
        problems: &[Kind::InvalidKey, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(list(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: ALL,
        access: Access::Users,
        about: "Takes all numbers off the registry of a service.",
        query: &[ruc::SERVICE],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "How many there were.",
            content: &[(reply::JSON, "Removed")],
        }],
        problems: &[Kind::InvalidKey, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(clear(app, call)),
    },
];

/// The body of a mark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    reason: Reason,
    #[serde(default)]
    ttl: Option<Life>,
}

/// A page of the registry.
#[derive(Serialize)]
struct InvalidRecords {
    items: Vec<InvalidRecord>,
    total_count: u64,
    next: Option<String>,
}

/// How many were taken off.
#[derive(Serialize)]
struct Removed {
    removed: u64,
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Empty => Self::new(Kind::InvalidKey, error.to_string()),
            RegistryError::Cursor => Self::parameter("cursor", error),
            RegistryError::Cache(error) => error.into(),
            error => Self::new(Kind::Internal, error.to_string()),
        }
    }
}

async fn put(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let number = call.path("number").to_owned();
    let form = "{\"reason\": \"NO_EXISTE_SUNAT\", \"ttl\": 86400}";
    let Mark { reason, ttl } = call.members(form).await?;
    let ttl = ttl.map(|ttl| ttl.ttl()).transpose()?;
    let marked = rucs.mark_invalid(&number, reason, ttl).await?;
    app.log_verdict(rucs.service_name(), &number, Event::Marked);
    let mut response = reply::json(reply::JSON, &marked.record)?;
    if marked.written == Written::Deferred {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

async fn get(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let include = match call.flag("include", "lapsed")? {
        true => Include::Lapsed,
        false => Include::Active,
    };
    let found = rucs.invalid_info(call.path("number"), include).await?;
    let event = if found.is_some() { Event::Refused } else { Event::Miss };
    app.log_verdict(rucs.service_name(), call.path("number"), event);
    match found {
        Some(record) => reply::json(reply::JSON, &record),
        None => {
            let detail = "the number is not in the registry, or not any more";
            Err(Problem::new(Kind::NotMarked, detail))
        }
    }
}

async fn delete(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let removed = rucs.unmark_invalid(call.path("number")).await?;
    app.log_verdict(rucs.service_name(), call.path("number"), Event::Invalidated);
    reply::written(removed.written)
}

async fn list(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let page = rucs.invalid_page(call.query("cursor"), call.page_limit()?).await?;
    let total_count = rucs.invalid_count().await?;
    let page = InvalidRecords { items: page.items, total_count, next: page.next };
    reply::json(reply::JSON, &page)
}

async fn clear(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    reply::json(reply::JSON, &Removed { removed: rucs.clear_invalid().await? })
}
