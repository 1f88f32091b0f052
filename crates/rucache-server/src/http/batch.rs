//! `/v1/ruc:batch`: many look-ups in one request, answered together or as they come.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use rucache::lookup::{Lookup, RucCache};
use rucache::ruc::{Outcome, Taxpayer};
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::many::check_len;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Route, Verb};
use super::{limits, reply, ruc, verdict};

/// Media type of one JSON value a line.
const NDJSON: &str = "application/x-ndjson";

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Post,
    path: "/v1/ruc:batch",
    access: Access::Users,
    about: "Looks up to 10,000 numbers up. Answers stand in the order of the numbers; one that \
            stands twice is answered twice and asked for once.",
    query: &[ruc::SERVICE],
    body: Some("Batch"),
    answers: &[Answer {
        status: 200,
        about: "One result a number. As `application/x-ndjson`, where `Accept` asks for it, one \
                result a line without the counts, sent as soon as it is there.",
        content: &[(reply::JSON, "BatchResults"), (NDJSON, "BatchResult")],
    }],
    problems: &[Kind::InvalidBatch, Kind::BatchTooLarge, Kind::InvalidKey],
    handler: |app, call| Box::pin(post(app, call)),
}];

/// The body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    rucs: Vec<String>,
}

/// The body of an answer.
#[derive(Serialize)]
struct BatchResults<'a> {
    counts: Counts,
    results: Vec<BatchResult<'a>>,
}

/// How often each outcome occurs.
#[derive(Default, Serialize)]
struct Counts {
    found: usize,
    not_found: usize,
    invalid: usize,
    unavailable: usize,
}

/// What is known of one number.
#[derive(Serialize)]
struct BatchResult<'a> {
    ruc: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Taxpayer>,
    #[serde(flatten)]
    problem: Option<Problem>,
}

async fn post(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let streamed = call.accepts(NDJSON);
    let most = call.batch_limit();
    let Batch { rucs: texts } = batch(&call.json().await?, most)?;
    if streamed {
        return Ok(streaming(rucs, texts));
    }
    let lookups = rucs.lookup_texts(&texts).await;
    let mut counts = Counts::default();
    for lookup in &lookups {
        counts.add(&lookup.outcome);
    }
    let results = results(&texts, &lookups, rucs.provider().name()).collect();
    reply::json(reply::JSON, &BatchResults { counts, results })
}

fn batch(body: &[u8], most: usize) -> Result<Batch, Problem> {
    let batch: Batch = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            let detail = "the body must be {\"rucs\": […]} with nothing but texts in the list";
            Problem::new(Kind::InvalidBatch, detail)
        } else {
            Problem::new(Kind::InvalidBody, error.to_string())
        }
    })?;
    check_len(batch.rucs.len(), most)?;
    Ok(batch)
}

fn results<'a>(
    texts: &'a [String],
    lookups: &'a [Lookup],
    source: &str,
) -> impl Iterator<Item = BatchResult<'a>> {
    texts.iter().zip(lookups).map(move |(ruc, lookup)| BatchResult {
        ruc,
        outcome: lookup.outcome.as_str(),
        cache: verdict::cache_label(lookup),
        record: lookup.outcome.record().map(|record| &**record),
        problem: verdict::problem(&lookup.outcome, source),
    })
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Found(_) => &mut self.found,
            Outcome::NotFound(_) => &mut self.not_found,
            Outcome::Invalid(_) => &mut self.invalid,
            Outcome::Unavailable(_) => &mut self.unavailable,
        };
        *count += 1;
    }
}

/// One result a line, window by window: the first lines leave while the last are looked up.
fn streaming(rucs: RucCache, texts: Vec<String>) -> Response {
    let windows: Vec<_> = texts.chunks(limits::BATCH_WINDOW).map(<[String]>::to_vec).collect();
    let lines = stream::iter(windows)
        .map(move |texts| window_lines(rucs.clone(), texts))
        .buffered(limits::BATCH_WINDOWS)
        .map(Ok::<_, Infallible>);
    reply::ok(NDJSON, Body::from_stream(lines))
}

async fn window_lines(rucs: RucCache, texts: Vec<String>) -> Vec<u8> {
    let lookups = rucs.lookup_texts(&texts).await;
    let mut lines = Vec::new();
    for result in results(&texts, &lookups, rucs.provider().name()) {
        // Texts, numbers and a record: always with a JSON form, and a Vec takes every byte.
        if serde_json::to_writer(&mut lines, &result).is_ok() {
            lines.push(b'\n');
        }
    }
    lines
}
