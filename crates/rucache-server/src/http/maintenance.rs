//! `/v1/maintenance`: what the service tidies by itself, now.

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
    handler: |app, _| Box::pin(maintain(app)),
}];

async fn maintain(app: App) -> Answered {
    reply::json(reply::JSON, &app.cache().lookups().maintain().await)
}
