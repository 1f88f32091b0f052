//! `/v1/invalidate`: keys, tags and services in one request.

use rucache::core::rule::{EffectKind, Target};
use rucache::core::{InvalidKey, Key, ServiceName};
use rucache::engine::Written;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::many::check_len;
use super::problem::{Kind, Problem};
use super::reply;
use super::route::{Answer, Answered, Route, Verb};
use super::trail::Event;

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Post,
    path: "/v1/invalidate",
    access: Access::Users,
    about: "Removes entries by key, by tag, by service. Keys and tags are written `service:name`; \
            without a service they are those of `default`. With the mode `expire` the values of \
            keys are kept as fallbacks for look-ups whose source fails.",
    query: &[],
    body: Some("Invalidation"),
    answers: &[Answer {
        status: 200,
        about: "Done, or deferred: the backend has not confirmed all of it, and will be told.",
        content: &[(reply::JSON, "Outcome")],
    }],
    problems: &[
        Kind::InvalidRequest,
        Kind::BatchTooLarge,
        Kind::InvalidKey,
        Kind::BackendUnavailable,
    ],
    handler: |app, call| Box::pin(post(app, call)),
}];

/// The body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Invalidation {
    keys: Vec<String>,
    tags: Vec<String>,
    services: Vec<String>,
    mode: Mode,
}

/// What becomes of values.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Remove,
    Expire,
}

/// What became of it all.
#[derive(Serialize)]
struct Outcome {
    outcome: &'static str,
}

/// A key or tag as it is written where several services are named at once.
pub(super) fn key(text: &str) -> Result<Key, InvalidKey> {
    match text.contains(':') {
        true => Key::parse(text),
        false => Key::new(&ServiceName::default(), text),
    }
}

async fn post(app: App, call: Call) -> Answered {
    let most = call.batch_limit();
    let form = "{\"keys\": [\"service:name\"], \"tags\": [\"service:tag\"], \"services\": [], \
                \"mode\": \"remove\"}";
    let Invalidation { keys, tags, services, mode } = call.members(form).await?;
    check_len(keys.len() + tags.len() + services.len(), most)?;
    let kind = match mode {
        Mode::Remove => EffectKind::Remove,
        Mode::Expire => EffectKind::Expire,
    };
    let mut targets = Vec::new();
    for text in &keys {
        targets.push(Target::Key(key(text)?));
    }
    for text in &tags {
        targets.push(Target::Tag(key(text)?));
    }
    for text in &services {
        targets.push(Target::Service(ServiceName::new(text)?));
    }
    // All is read before anything is done.
    let mut together = Written::Done;
    for target in targets {
        if carry_out(&app, kind, &target).await? == Written::Deferred {
            together = Written::Deferred;
        }
    }
    reply::json(reply::JSON, &Outcome { outcome: reply::outcome(together) })
}

async fn carry_out(app: &App, kind: EffectKind, target: &Target) -> Result<Written, Problem> {
    let cache = app.cache();
    let written = match target {
        Target::Key(key) => {
            app.log(key, Event::Invalidated);
            match kind {
                EffectKind::Expire => cache.expire(key).await?.written,
                _ => cache.delete(key).await?.written,
            }
        }
        Target::Tag(tag) => cache.service(&tag.service_name()).invalidate_tag(tag.name()).await?,
        Target::Service(service) => cache.service(service).clear().await?,
        _ => Written::Done,
    };
    Ok(written)
}
