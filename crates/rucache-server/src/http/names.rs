//! `/v1/cache/{service}`: the names of a service, and its end; `/v1/cache`: the end of everything.

use rucache::CacheError;
use rucache::core::ErrorKind;
use rucache::engine::Written;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Parameter, Route, Verb};

/// The parameter that says where a page begins.
pub(super) const CURSOR: Parameter =
    Parameter::optional("cursor", "Where the page begins: `next` of the one before.");

/// The parameter that says how much is on a page.
pub(super) const LIMIT: Parameter = Parameter::optional(
    "limit",
    "About how many stand on a page: 1,000 by default, 10,000 at most.",
);

pub(super) static ROUTES: [Route; 3] = [
    Route {
        verb: Verb::Get,
        path: "/v1/cache/{service}",
        access: Access::Users,
        about: "The names of a service, page by page in no order, where the backend can list them. \
                A name that is there from the first page to the last is listed at least once.",
        query: &[CURSOR, LIMIT],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "A page; `next` is null on the last one.",
            content: &[(reply::JSON, "Names")],
        }],
        problems: &[Kind::InvalidKey, Kind::NotSupported, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(list(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: "/v1/cache/{service}",
        access: Access::Users,
        about: "Removes everything that a service holds, its registry of invalid numbers included: \
                one change of the backend, however much it is. Where entries live in the process \
                they are counted first.",
        query: &[],
        body: None,
        answers: &[
            Answer {
                status: 200,
                about: "All is gone; `cleared` is how much it was, null where nobody counts.",
                content: &[(reply::JSON, "Cleared")],
            },
            reply::DEFERRED,
        ],
        problems: &[Kind::InvalidKey, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(clear(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: "/v1/cache",
        access: Access::Administrators,
        about: "Removes everything of every service, and begins the statistics anew.",
        query: &[Parameter::required("confirm", "`all`.")],
        body: None,
        answers: &[
            Answer { status: 200, about: "All is gone.", content: &[(reply::JSON, "Cleared")] },
            reply::DEFERRED,
        ],
        problems: &[Kind::BackendUnavailable],
        handler: |app, call| Box::pin(clear_all(app, call)),
    },
];

/// A page of names.
#[derive(Serialize)]
struct Names<'a> {
    service: &'a str,
    keys: Vec<&'a str>,
    next: Option<&'a str>,
}

/// What was cleared, and how many entries it was where that is known.
#[derive(Serialize)]
struct Cleared<'a> {
    service: Option<&'a str>,
    cleared: Option<u64>,
}

async fn list(app: App, call: Call) -> Answered {
    let (service, limit) = (call.path_service()?, call.page_limit()?);
    let page = app.cache().service(&service).names(call.query("cursor"), limit).await;
    let page = page.map_err(|error| match error {
        CacheError::Backend(error) if error.kind() == ErrorKind::Invalid => {
            Problem::parameter("cursor", "it is none of this listing; begin without one")
        }
        error => error.into(),
    })?;
    let names = Names {
        service: service.as_str(),
        keys: page.keys.iter().map(rucache::Key::name).collect(),
        next: page.next.as_deref(),
    };
    reply::json(reply::JSON, &names)
}

async fn clear(app: App, call: Call) -> Answered {
    let service = call.path_service()?;
    let cache = app.cache().service(&service);
    let count = cache.count().await;
    cleared(cache.clear().await?, Cleared { service: Some(service.as_str()), cleared: count })
}

async fn clear_all(app: App, call: Call) -> Answered {
    if !call.flag("confirm", "all")? {
        return Err(Problem::parameter("confirm", "add ?confirm=all: everything will be gone"));
    }
    cleared(app.clear_all().await?, Cleared { service: None, cleared: None })
}

fn cleared(written: Written, cleared: Cleared<'_>) -> Answered {
    match written {
        Written::Done => reply::json(reply::JSON, &cleared),
        deferred => reply::written(deferred),
    }
}
