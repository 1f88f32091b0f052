//! `/v1/ruc/{ruc}`: the record of one taxpayer, looked up, stored, deleted.

use rucache::Policy;
use rucache::engine::Outcome as Served;
use rucache::ruc::{Outcome, Ruc, Taxpayer};
use serde_json::Value;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, verdict};

const PATH: &str = "/v1/ruc/{ruc}";

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
            about: "The record, fresh or stale: see `Cache-Status` (RFC 9211) and `Age`.",
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
        let hit = rucs.get(&ruc).await.ok_or_else(|| {
            let detail = "no fresh record is cached; without ?cached=only the source is asked";
            Problem::new(Kind::NotCached, detail).with("ruc", call.path("ruc"))
        })?;
        return record(&hit.record, &hit.outcome);
    }
    let lookup = rucs.lookup_served(&ruc).await;
    match (&lookup.outcome, &lookup.served) {
        (Outcome::Found(found), Some(served)) => record(&found.record, served),
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
    let key = rucache::ruc::ruc_key(rucs.service_name(), ruc);
    let life = call.ttl()?.or_else(|| app.live().ttls.ttl(&key)).map(Policy::exact);
    let body: Value = serde_json::from_slice(&call.json().await?)
        .map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?;
    reply::written(rucs.set(Taxpayer::from_json_for(ruc, &body)?, life).await?)
}

async fn delete(app: App, call: Call) -> Answered {
    let ruc = ruc(&call)?;
    let removed = app.rucs(call.service()?.as_ref()).delete(&ruc).await?;
    reply::written(removed.written)
}

fn ruc(call: &Call) -> Result<Ruc, Problem> {
    let text = call.path("ruc");
    text.parse().map_err(|invalid| Problem::from(invalid).with("ruc", text))
}

fn record(record: &Taxpayer, served: &Served) -> Answered {
    let body = serde_json::to_vec(record)
        .map_err(|_| Problem::new(Kind::Internal, "the record cannot be written as JSON"))?;
    reply::cached(body, served)
}
