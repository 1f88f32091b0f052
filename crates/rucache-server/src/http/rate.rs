//! `/v1/exchange-rate/{date}` and `/v1/exchange-rate/latest`: what SUNAT publishes for a day.

use rucache::Policy;
use rucache::engine::Outcome;
use rucache::lookup::{ExchangeRates, RateLookup};
use rucache::ruc::{Currency, Decimal, ExchangeRate, LimaDate, Reply};
use serde::Deserialize;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, ruc, verdict};

const PATH: &str = "/v1/exchange-rate/{date}";

const CURRENCY: Parameter = Parameter::optional("currency", "`USD` or `EUR`; `USD` by default.");

const FOUND: &[Answer] = &[Answer {
    status: 200,
    about: "The rate: see `Cache-Status` (RFC 9211) and `Age`.",
    content: &[(reply::JSON, "ExchangeRate")],
}];

const PROBLEMS: &[Kind] = &[Kind::NoSuchRate, Kind::Unavailable, Kind::InvalidKey];

pub(super) static ROUTES: [Route; 4] = [
    Route {
        verb: Verb::Get,
        path: "/v1/exchange-rate/latest",
        access: Access::Users,
        about: "The latest exchange rate that is published: from the cache, else from the source.",
        query: &[ruc::SERVICE, CURRENCY],
        body: None,
        answers: FOUND,
        problems: PROBLEMS,
        handler: |app, call| Box::pin(latest(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: PATH,
        access: Access::Users,
        about: "The exchange rate of a day in Lima: from the cache, else from the source.",
        query: &[ruc::SERVICE, CURRENCY],
        body: None,
        answers: FOUND,
        problems: PROBLEMS,
        handler: |app, call| Box::pin(get(app, call)),
    },
    Route {
        verb: Verb::Put,
        path: PATH,
        access: Access::Users,
        about: "Stores the exchange rate of a day in Lima.",
        query: &[ruc::SERVICE, Parameter::optional("ttl", ruc::TTL)],
        body: Some("NewRate"),
        answers: &[Answer { status: 204, about: "Stored.", content: &[] }, reply::DEFERRED],
        problems: &[Kind::InvalidRequest, Kind::InvalidKey],
        handler: |app, call| Box::pin(put(app, call)),
    },
    Route {
        verb: Verb::Delete,
        path: PATH,
        access: Access::Users,
        about: "Drops what is cached of the exchange rate of a day.",
        query: &[ruc::SERVICE, CURRENCY],
        body: None,
        answers: &[
            Answer {
                status: 204,
                about: "There is none now, whether or not there was one.",
                content: &[],
            },
            reply::DEFERRED,
        ],
        problems: &[Kind::InvalidKey],
        handler: |app, call| Box::pin(delete(app, call)),
    },
];

/// A rate as it is sent; its day is the path's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRate {
    compra: Decimal,
    venta: Decimal,
    #[serde(default)]
    moneda: Currency,
    #[serde(default)]
    fecha: Option<String>,
}

/// The rates that a request is about.
fn rates(app: &App, call: &Call) -> Result<ExchangeRates, Problem> {
    let rucs = app.rucs(call.service()?.as_ref());
    Ok(app.cache().exchange(rucs.service_name()))
}

fn currency(call: &Call) -> Result<Currency, Problem> {
    match call.query("currency") {
        None => Ok(Currency::default()),
        Some(code) => Currency::from_code(code)
            .ok_or_else(|| Problem::parameter("currency", "only USD and EUR are known")),
    }
}

fn day(call: &Call) -> Result<LimaDate, Problem> {
    call.path("date").parse().map_err(|error| Problem::parameter("date", error))
}

async fn latest(app: App, call: Call) -> Answered {
    let (rates, currency) = (rates(&app, &call)?, currency(&call)?);
    answer(rates.latest(currency).await)
}

async fn get(app: App, call: Call) -> Answered {
    let (rates, currency, day) = (rates(&app, &call)?, currency(&call)?, day(&call)?);
    answer(rates.lookup(currency, day).await)
}

async fn put(app: App, call: Call) -> Answered {
    let (rates, day, ttl) = (rates(&app, &call)?, day(&call)?, call.ttl()?);
    let form = "{\"compra\": \"3.745\", \"venta\": \"3.752\", \"moneda\": \"USD\"}";
    let NewRate { compra, venta, moneda, fecha } = call.members(form).await?;
    if fecha.is_some_and(|fecha| fecha != day.to_string()) {
        let detail = "fecha is another day than that of the path; leave it out";
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let rate = ExchangeRate { day, currency: moneda, buy: compra, sell: venta };
    reply::written(rates.set(rate, ttl.map(Policy::exact)).await?)
}

async fn delete(app: App, call: Call) -> Answered {
    let (rates, currency, day) = (rates(&app, &call)?, currency(&call)?, day(&call)?);
    reply::written(rates.delete(currency, day).await?.written)
}

fn answer(lookup: RateLookup) -> Answered {
    let RateLookup { reply: found, served, retry_after } = lookup;
    match (found, served) {
        (Reply::Found(rate), served) => cached(&rate, served.as_ref()),
        (Reply::NotFound, _) => {
            let detail = "none is published for the day, or not yet";
            Err(Problem::new(Kind::NoSuchRate, detail))
        }
        (Reply::NotCovered, _) => {
            let detail = "none is stored, and the configured source has no exchange rates; store \
                          it with PUT, or configure a provider that has them";
            Err(Problem::new(Kind::NoSuchRate, detail))
        }
        (Reply::Unavailable(unavailable), _) => {
            Err(verdict::unavailable(unavailable.cause, retry_after))
        }
    }
}

fn cached(rate: &ExchangeRate, served: Option<&Outcome>) -> Answered {
    let body = serde_json::to_vec(rate)
        .map_err(|_| Problem::new(Kind::Internal, "the rate cannot be written as JSON"))?;
    match served {
        Some(served) => reply::cached(body, served),
        None => Ok(reply::ok(reply::JSON, body)),
    }
}
