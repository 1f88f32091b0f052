//! `/v1/events`: what happened outside, turned into invalidations by the rules.

use rucache::core::rule::{Effect, Event, Step};
use rucache::engine::{Applied, Written};
use serde::Serialize;
use serde_json::Value;

use super::access::Access;
use super::app::App;
use super::call::{Call, plainly};
use super::many::check_len;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, trail};

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Post,
    path: "/v1/events",
    access: Access::Users,
    about: "Says that something happened: one event, or a list of them. The rules of the \
            configuration and of the domain say which keys, tags and services it makes outdated. \
            Saying it again does no harm.",
    query: &[Parameter::optional(
        "dry_run",
        "`true`: do nothing, and explain what each rule makes of the event.",
    )],
    body: Some("Events"),
    answers: &[Answer {
        status: 200,
        about: "Every effect with what became of it; in a dry run, how each rule came to its own.",
        content: &[(reply::JSON, "Effects")],
    }],
    problems: &[Kind::InvalidRequest, Kind::BatchTooLarge],
    handler: |app, call| Box::pin(post(app, call)),
}];

/// What the events did.
#[derive(Serialize)]
struct Effects {
    effects: Vec<Done>,
}

/// An effect, and what became of it.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    effect: Effect,
    /// `done`, `deferred` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What the rules would make of events.
#[derive(Serialize)]
struct Explained<'a> {
    steps: Vec<Step<'a>>,
    effects: Vec<Effect>,
}

async fn post(app: App, call: Call) -> Answered {
    let (most, is_dry) = (call.batch_limit(), call.flag("dry_run", "true")?);
    let form = "{\"entity\": \"producto\", \"action\": \"saved\", \"key\": \"7\", \"fields\": \
                {\"precio\": {\"old\": 1, \"new\": 2}}}, or a list of such";
    let events = events(call.members(form).await?, form)?;
    check_len(events.len(), most)?;
    let rules = &app.live().rules;
    if is_dry {
        let steps = events.iter().flat_map(|event| rules.explain(event)).collect();
        let effects = events.iter().flat_map(|event| rules.effects(event)).collect();
        return reply::json(reply::JSON, &Explained { steps, effects });
    }
    let mut effects = Vec::new();
    for event in &events {
        for applied in app.cache().lookups().publish_by(rules, event).await {
            if let rucache::core::rule::Target::Key(key) = &applied.effect.target {
                app.log(key, trail::Event::Invalidated);
            }
            effects.push(done(applied));
        }
    }
    reply::json(reply::JSON, &Effects { effects })
}

/// One event, or many.
fn events(body: Value, form: &str) -> Result<Vec<Event>, Problem> {
    let read = match body {
        Value::Array(events) => events.into_iter().map(serde_json::from_value).collect(),
        event => serde_json::from_value(event).map(|event| vec![event]),
    };
    read.map_err(|error: serde_json::Error| {
        let wrong = plainly(&error.to_string());
        Problem::new(Kind::InvalidRequest, format!("{wrong}; send {form}"))
    })
}

fn done(Applied { effect, result, .. }: Applied) -> Done {
    let (outcome, detail) = match result {
        Ok(Written::Done) => ("done", None),
        Ok(Written::Deferred) => ("deferred", None),
        Err(error) => ("failed", Some(error.to_string())),
    };
    Done { effect, outcome, detail }
}
