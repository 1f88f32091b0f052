//! `/v1/maintenance`: what the service tidies by itself, now.

use serde::Serialize;

use super::access::Access;
use super::app::App;
use super::reply;
use super::route::{Answer, Answered, Route, Verb};

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Post,
    path: "/v1/maintenance",
    access: Access::Administrators,
    about: "Drops what is over now, which the service does by itself in time.",
    query: &[],
    body: None,
    answers: &[Answer {
        status: 200,
        about: "How much was dropped of each.",
        content: &[(reply::JSON, "Maintained")],
    }],
    problems: &[],
    handler: |app, _| Box::pin(async move { maintain(&app) }),
}];

/// What was dropped.
#[derive(Serialize)]
struct Maintained {
    invalid_rucs: u64,
    expired: u64,
}

fn maintain(app: &App) -> Answered {
    let expired = app.cache().maintain();
    reply::json(reply::JSON, &Maintained { invalid_rucs: 0, expired })
}
