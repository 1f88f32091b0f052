//! `/v1/ruc:batch` and `/v1/batches/{id}`: many look-ups in one request, answered together or as
//! they come.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue};
use futures_util::{Stream, StreamExt};
use rucache::lookup::{Batch, BatchId, BatchItem, BatchOptions, Lookup, OutcomeCounts};
use rucache::ruc::Taxpayer;
use serde::{Deserialize, Serialize};

use super::access::Access;
use super::app::App;
use super::call::Call;
use super::many::check_len;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Parameter, Route, Verb};
use super::{reply, ruc, verdict};

/// Results that are sent together if they are there together.
const AT_ONCE: usize = 250;

/// The header that names a batch.
const BATCH_ID: HeaderName = HeaderName::from_static("batch-id");

/// Media type of one JSON value a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

pub(super) static ROUTES: [Route; 2] = [
    Route {
        verb: Verb::Post,
        path: "/v1/ruc:batch",
        access: Access::Users,
        about: "Looks up to 10,000 numbers up. Answers stand in the order of the numbers; one that \
            stands twice is answered twice and asked for once.",
        query: &[
            ruc::SERVICE,
            Parameter::optional(
                "id",
                "Name of the batch: 1 to 64 of A-Z a-z 0-9 . _ -. The same numbers under the name of a \
             batch that was interrupted resume it.",
            ),
            Parameter::optional(
                "from",
                "First position that is wanted, from 0: what stands before it \
                                     has been answered already.",
            ),
            Parameter::optional(
                "dry_run",
                "`true`: says what the look-ups would cost, and does nothing.",
            ),
        ],
        body: Some("Batch"),
        answers: &[Answer {
            status: 200,
            about: "One result a number. As `application/x-ndjson`, where `Accept` asks for it, one \
                result a line without the counts, sent as soon as it is there. Of a dry run: how \
                many numbers the cache answers, and how many calls to which source the others cost.",
            content: &[(reply::JSON, "BatchAnswer"), (NDJSON, "BatchResult")],
        }],
        problems: &[Kind::InvalidBatch, Kind::BatchTooLarge, Kind::InvalidKey],
        handler: |app, call| Box::pin(post(app, call)),
    },
    Route {
        verb: Verb::Get,
        path: "/v1/batches/{id}",
        access: Access::Users,
        about: "How far a batch is, for a day after its last word. Its name stands in the header \
            `Batch-Id` of its answer.",
        query: &[ruc::SERVICE],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "Its record.",
            content: &[(reply::JSON, "BatchRecord")],
        }],
        problems: &[Kind::NoSuchBatch, Kind::InvalidKey, Kind::BackendUnavailable],
        handler: |app, call| Box::pin(record(app, call)),
    },
];

/// The body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    rucs: Vec<String>,
}

/// The body of an answer.
#[derive(Serialize)]
struct BatchResults<'a> {
    batch_id: &'a BatchId,
    counts: OutcomeCounts,
    results: Vec<BatchResult<'a>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(flatten)]
    problem: Option<Problem>,
}

async fn post(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let (streamed, most) = (call.accepts(NDJSON), call.batch_limit());
    let mut options = BatchOptions::default().with_from(call.parsed("from")?.unwrap_or(0));
    options.id = call.parsed("id")?;
    let is_dry = call.flag("dry_run", "true")?;
    let texts = texts(&call.json().await?, most)?;
    if is_dry {
        let quote = rucs.quote(texts.get(options.from..).unwrap_or_default()).await;
        return reply::json(reply::JSON, &app.told_quote(quote));
    }
    let batch = rucs.batch(&texts, options.clone());
    let id = batch.id().clone();
    let source = rucs.provider().name().to_owned();
    let told = {
        let (app, service) = (app.clone(), rucs.service_name().clone());
        move |text: &str, lookup: &Lookup| app.log_look_up_of(&service, text, lookup)
    };
    let mut response = if streamed {
        let lines = lines(texts, batch, source, told).map(Ok::<_, Infallible>);
        reply::ok(NDJSON, Body::from_stream(lines))
    } else {
        let (record, lookups) = batch.finish().await;
        let wanted = texts.get(options.from..).unwrap_or_default();
        let results = wanted.iter().zip(&lookups).inspect(|(text, lookup)| told(text, lookup));
        let results = results.map(|(text, lookup)| result(text, lookup, &source)).collect();
        let results = BatchResults { batch_id: &id, counts: record.counts, results };
        reply::json(reply::JSON, &results)?
    };
    if let Ok(id) = HeaderValue::try_from(id.as_str()) {
        response.headers_mut().insert(BATCH_ID, id);
    }
    Ok(response)
}

fn texts(body: &[u8], most: usize) -> Result<Vec<String>, Problem> {
    let batch: Asked = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            let detail = "the body must be {\"rucs\": […]} with nothing but texts in the list";
            Problem::new(Kind::InvalidBatch, detail)
        } else {
            Problem::new(Kind::InvalidBody, error.to_string())
        }
    })?;
    check_len(batch.rucs.len(), most)?;
    Ok(batch.rucs)
}

fn result<'a>(ruc: &'a str, lookup: &'a Lookup, source: &str) -> BatchResult<'a> {
    BatchResult {
        ruc,
        outcome: lookup.outcome.as_str(),
        cache: verdict::cache_label(lookup),
        record: lookup.outcome.record().map(|record| &**record),
        source: verdict::source(&lookup.outcome),
        problem: verdict::problem(&lookup.outcome, source),
    }
}

/// One result a line, in order, sent as soon as it and those before it are there, and `told`.
fn lines(
    texts: Vec<String>,
    batch: Batch,
    source: String,
    told: impl Fn(&str, &Lookup) + Send,
) -> impl Stream<Item = Vec<u8>> + Send {
    batch.in_order().ready_chunks(AT_ONCE).map(move |items| {
        let mut lines = Vec::new();
        for BatchItem { position, lookup } in &items {
            let text = texts.get(*position).map_or("", String::as_str);
            told(text, lookup);
            // Texts, numbers and a record: always with a JSON form, and a Vec takes every byte.
            if serde_json::to_writer(&mut lines, &result(text, lookup, &source)).is_ok() {
                lines.push(b'\n');
            }
        }
        lines
    })
}

async fn record(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let id: BatchId = call.path("id").parse().map_err(|error| Problem::parameter("id", error))?;
    match rucs.batch_record(&id).await? {
        Some(record) => reply::json(reply::JSON, &record),
        None => {
            let detail = "nothing is known of a batch of this name in this service";
            Err(Problem::new(Kind::NoSuchBatch, detail))
        }
    }
}
