//! `/v1/stats` and `/v1/stats/daily`: what was counted, in the form of the reference documents.

use rucache::lookup::{Scope, Stats};
use rucache::ruc::LimaDate;
use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Parameter, Route, Verb};

pub(super) static ROUTES: [Route; 2] = [
    Route {
        verb: Verb::Get,
        path: "/v1/stats",
        access: Access::Users,
        about: "What this process counted since its start, or since everything was cleared.",
        query: &[Parameter::optional(
            "scope",
            "`fleet`: also what all processes have added up today.",
        )],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "The statistics.",
            content: &[(reply::JSON, "Stats")],
        }],
        problems: &[],
        handler: |app, call| Box::pin(stats(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/stats/daily",
        access: Access::Users,
        about: "What all processes counted on a day in Lima; kept for a week.",
        query: &[Parameter::optional("date", "The day, as in 2026-01-28; today by default.")],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "The statistics of the day, up to a minute ago.",
            content: &[(reply::JSON, "DailyStats")],
        }],
        problems: &[Kind::BackendUnavailable],
        handler: |app, call| Box::pin(daily(app, call)),
    },
];

/// The statistics with the word of `/health`.
#[derive(Serialize)]
struct WithStatus {
    status: &'static str,
    #[serde(flatten)]
    stats: Stats,
}

async fn stats(app: App, call: Call) -> Answered {
    let scope = match call.flag("scope", "fleet")? {
        true => Scope::Fleet,
        false => Scope::Process,
    };
    let stats = app.cache().lookups().stats(scope).await;
    let (status, _) = app.condition().await;
    reply::json(reply::JSON, &WithStatus { status, stats })
}

async fn daily(app: App, call: Call) -> Answered {
    let today = || LimaDate::at(app.runtime().wall());
    let date = call.parsed("date")?.unwrap_or_else(today);
    let lookups = app.cache().lookups();
    if date == today() {
        // What this process has not added yet belongs to the day.
        lookups.flush_stats().await.map_err(Problem::from)?;
    }
    reply::json(reply::JSON, &lookups.daily(date).await?)
}
