//! `/v1/warm`: fills the cache before anybody asks.

use std::convert::Infallible;
use std::io::Read;
use std::num::NonZeroU32;

use axum::body::Body;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use rucache::lookup::{WarmItem, WarmOptions, Warmed};
use rucache::padron::{Reader, RegisterFile, SAMPLE_ZIP};
use rucache::ruc::{Ruc, Taxpayer};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::access::Access;
use super::app::App;
use super::batch::NDJSON;
use super::call::Call;
use super::many::check_len;
use super::problem::{Kind, Problem};
use super::route::{Answer, Answered, Route, Verb};
use super::{reply, ruc};

/// Records of the register that are read ahead.
const AHEAD: usize = 1_024;

pub(super) static ROUTES: [Route; 1] = [Route {
    verb: Verb::Post,
    path: "/v1/warm",
    access: Access::Administrators,
    about: "Brings into the cache what it does not have: numbers that are listed, the ones that are \
            asked for most, or records of the configured register that fit a filter. It never \
            fills the cache beyond nine tenths, and ends when the client leaves.",
    query: &[ruc::SERVICE],
    body: Some("Warm"),
    answers: &[Answer {
        status: 200,
        about: "How much was done. As `application/x-ndjson`, where `Accept` asks for it, a line \
                for each step, the last one with `done`; only so may it take longer than a \
                request.",
        content: &[(reply::JSON, "Warmed"), (NDJSON, "Warmed")],
    }],
    problems: &[Kind::InvalidRequest, Kind::NotARuc, Kind::BatchTooLarge, Kind::BackendUnavailable],
    handler: |app, call| Box::pin(post(app, call)),
}];

/// The body of a request: one source, and how far it may go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Warm {
    #[serde(default)]
    rucs: Option<Vec<String>>,
    #[serde(default)]
    most_asked: Option<usize>,
    #[serde(default)]
    register: Option<Filter>,
    /// Numbers a second.
    #[serde(default)]
    rate: Option<NonZeroU32>,
    /// Numbers in all.
    #[serde(default)]
    max: Option<u64>,
}

/// Which records of the register; what is left out does not matter.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filter {
    prefix: Option<String>,
    estado: Option<String>,
    condicion: Option<String>,
    ubigeo: Option<String>,
}

impl Filter {
    fn fits(&self, record: &Taxpayer) -> bool {
        let (estado, condicion) = (record.estado(), record.condicion());
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        is(&self.estado, estado.as_ref().map(|estado| estado.as_str()))
            && is(&self.condicion, condicion.as_ref().map(|condicion| condicion.as_str()))
            && self
                .prefix
                .as_deref()
                .is_none_or(|prefix| record.ruc().to_string().starts_with(prefix))
            && self
                .ubigeo
                .as_deref()
                .is_none_or(|start| record.ubigeo().is_some_and(|ubigeo| ubigeo.starts_with(start)))
    }
}

/// How far it is.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    warmed: Warmed,
    done: bool,
}

async fn post(app: App, call: Call) -> Answered {
    let rucs = app.rucs(call.service()?.as_ref());
    let (streamed, most) = (call.accepts(NDJSON), call.batch_limit());
    let form = "{\"rucs\": [\"20131312955\"]}, {\"most_asked\": 1000} or {\"register\": \
                {\"prefix\": \"20\", \"estado\": \"ACTIVO\"}}, with rate and max if need be";
    let Warm { rucs: texts, most_asked, register, rate, max } = call.members(form).await?;
    let source: BoxStream<'static, WarmItem> = match (texts, most_asked, register) {
        (Some(texts), None, None) => {
            check_len(texts.len(), most)?;
            let numbers: Result<Vec<Ruc>, _> = texts.iter().map(|text| text.parse()).collect();
            stream::iter(numbers.map_err(Problem::from)?.into_iter().map(WarmItem::from)).boxed()
        }
        (None, Some(count), None) => {
            let asked = rucs.most_asked(count.min(most)).await?;
            stream::iter(asked.into_iter().map(|(ruc, _)| WarmItem::from(ruc))).boxed()
        }
        (None, None, Some(filter)) => records(&app, filter),
        _ => return Err(Problem::new(Kind::InvalidRequest, format!("send {form}"))),
    };
    let mut options = WarmOptions::default();
    options.rate = rate;
    options.max = max;
    if !streamed {
        let warmed = rucs.warm(source, options, |_| ()).await;
        return reply::json(reply::JSON, &Line { warmed, done: true });
    }
    let (told, lines) = mpsc::unbounded_channel();
    let work = async move {
        let step = |warmed: &Warmed| drop(told.send(line(*warmed, false)));
        let warmed = rucs.warm(source, options, step).await;
        drop(told.send(line(warmed, true)));
    };
    // Whoever reads the lines drives the work: it ends when they leave.
    let lines = stream::unfold(lines, |mut lines| async { Some((lines.recv().await?, lines)) });
    let silent = work.into_stream().filter_map(|()| ready(None));
    let lines = stream::select(lines, silent).map(Ok::<_, Infallible>);
    Ok(reply::ok(NDJSON, Body::from_stream(lines)))
}

fn line(warmed: Warmed, done: bool) -> Vec<u8> {
    // Numbers and a word: always with a JSON form.
    let mut line = serde_json::to_vec(&Line { warmed, done }).unwrap_or_default();
    line.push(b'\n');
    line
}

/// The records of the configured register, or of the sample, that fit `filter`.
fn records(app: &App, filter: Filter) -> BoxStream<'static, WarmItem> {
    let path = app.register();
    let (found, records) = mpsc::channel(AHEAD);
    // Reading a file waits on the disk, and a zip takes the processor.
    tokio::task::spawn_blocking(move || {
        let read = match path {
            Some(path) => {
                RegisterFile::open(path).and_then(|mut file| send(file.rows()?, &filter, &found))
            }
            None => RegisterFile::from_bytes("sample", SAMPLE_ZIP)
                .and_then(|mut file| send(file.rows()?, &filter, &found)),
        };
        if let Err(error) = read {
            tracing::warn!(%error, "warming ends before the register does");
        }
    });
    stream::unfold(records, |mut records| async {
        let record: Taxpayer = records.recv().await?;
        Some((WarmItem::from(record), records))
    })
    .boxed()
}

/// Sends the records that fit until nobody takes them any more.
fn send(
    mut reader: Reader<impl Read>,
    filter: &Filter,
    found: &mpsc::Sender<Taxpayer>,
) -> Result<(), rucache::padron::Error> {
    while let Some(row) = reader.next_row()? {
        let record = row.taxpayer();
        if filter.fits(&record) && found.blocking_send(record).is_err() {
            break;
        }
    }
    Ok(())
}
