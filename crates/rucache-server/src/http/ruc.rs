//! `/v1/ruc/{ruc}`: the record of one taxpayer, looked up, stored, deleted.

use axum::http::{HeaderName, HeaderValue};
use rucache::Policy;
use rucache::engine::Outcome as Served;
use rucache::lookup::{Lookup, RucCache};
use rucache::ruc::{Found, Outcome, Ruc, Taxpayer, ruc_key};
use serde_json::Value;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::trail::Event;
use super::{reply, verdict};

const PATH: &str = "/v1/ruc/{ruc}";

/// The header that names the source of a record.
const SOURCE: HeaderName = HeaderName::from_static("rucache-source");

/// The parameter that names a service.
pub(super) const SERVICE: Parameter =
    Parameter::optional("service", "Service that the record is cached in; `migo` by default.");

/// The parameter that says how long something is stored.
pub(super) const TTL: &str =
    "Time to live: seconds, or a number with `ms`, `s`, `min`, `h` or `d` as in `15min`.";

pub(super) static ROUTES: [Route; 3] = [
    Route {
        verb: Verb::Get,
        path: PATH,
        access: Access::Users,
        about: "The record of a taxpayer: from the cache, else from the source.",
        query: &[
            SERVICE,
            Parameter::optional("cached", "`only`: a fresh record from the cache, or none."),
        ],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "The record, fresh or stale: see `Cache-Status` (RFC 9211) and `Age`; \
                    `Rucache-Source` names who gave it, unless it was stored with PUT.",
            content: &[(reply::JSON, "Taxpayer")],
        }],
        problems: &[
            Kind::NotARuc,
            Kind::RucNotFound,
            Kind::NotCovered,
            Kind::NotCached,
            Kind::Unavailable,
            Kind::InvalidKey,
        ],
        handler: |app, call| Box::pin(get(app, call)),
    },
    Route {
        verb: Verb::Put,
        path: PATH,
        access: Access::Users,
        about: "Stores the record of a taxpayer. Any subset of its fields will do.",
        query: &[SERVICE, Parameter::optional("ttl", TTL)],
        body: Some("Taxpayer"),
        answers: &[Answer { status: 204, about: "Stored.", content: &[] }, reply::DEFERRED],
        problems: &[Kind::NotARuc, Kind::InvalidRecord, Kind::InvalidKey, Kind::ValueTooLarge],
        handler: |app, call| Box::pin(put(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: PATH,
        access: Access::Users,
        about: "Drops the record of a taxpayer from the cache.",
        query: &[SERVICE],
        body: None,
        answers: &[
            Answer {
                status: 204,
                about: "There is none now, whether or not there was one.",
                content: &[],
            },
            reply::DEFERRED,
        ],
        problems: &[Kind::NotARuc, Kind::InvalidKey],
        handler: |app, call| Box::pin(delete(app, call)),
    },
];

async fn get(app: App, call: Call) -> Answered {
    let ruc = ruc(&call)?;
    let rucs = app.rucs(call.service()?.as_ref());
    if call.flag("cached", "only")? {
        let Some(hit) = Box::pin(rucs.get(&ruc)).await else {
            app.log(&ruc_key(rucs.service_name(), ruc), Event::Miss);
            let detail = "no fresh record is cached; without ?cached=only the source is asked";
            return Err(Problem::new(Kind::NotCached, detail).with("ruc", call.path("ruc")));
        };
        let lookup = Lookup::from(hit);
        app.log_look_up(rucs.service_name(), ruc, &lookup);
        return answer(&lookup, &rucs, &call);
    }
    let lookup = rucs.lookup_served(&ruc).await;
    app.log_look_up(rucs.service_name(), ruc, &lookup);
    answer(&lookup, &rucs, &call)
}

fn answer(lookup: &Lookup, rucs: &RucCache, call: &Call) -> Answered {
    match (&lookup.outcome, &lookup.served) {
        (Outcome::Found(found), Some(served)) => record(found, served),
        (outcome, _) => {
            let problem = verdict::problem(outcome, rucs.provider().name()).unwrap_or_else(|| {
                Problem::new(Kind::Internal, "a record was found without a word on how it came")
            });
            Err(problem.with("ruc", call.path("ruc")))
        }
    }
}

async fn put(app: App, call: Call) -> Answered {
    let ruc = ruc(&call)?;
    let rucs = app.rucs(call.service()?.as_ref());
    let ttl = call.ttl()?;
    let body = call.json().await?;
    let record: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?;
    let record = Taxpayer::from_json_for(ruc, &record)?;
    let written = rucs.set(record, ttl.map(Policy::exact)).await?;
    app.log(&ruc_key(rucs.service_name(), ruc), Event::Stored(&body, ttl));
    reply::written(written)
}

async fn delete(app: App, call: Call) -> Answered {
    let ruc = ruc(&call)?;
    let rucs = app.rucs(call.service()?.as_ref());
    let removed = rucs.delete(&ruc).await?;
    app.log(&ruc_key(rucs.service_name(), ruc), Event::Invalidated);
    reply::written(removed.written)
}

fn ruc(call: &Call) -> Result<Ruc, Problem> {
    let text = call.path("ruc");
    text.parse().map_err(|invalid| Problem::from(invalid).with("ruc", text))
}

fn record(found: &Found, served: &Served) -> Answered {
    let mut body = Vec::new();
    found.record.append_json(&mut body);
    let mut response = reply::cached(body, served)?;
    // The names of sources fit a header; one that does not is left out.
    if let Some(Ok(source)) = found.source.as_deref().map(HeaderValue::try_from) {
        response.headers_mut().insert(SOURCE, source);
    }
    Ok(response)
}
