//! Tests of `source`, over a transport in memory and a clock that stands still.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rucache_core::{Mono, TestRuntime};
use rucache_ruc::CallResult;
use serde_json::{Value, json};

use super::*;
use crate::config::ApiKind;
use crate::fault::Fault;
use crate::http::{Request, Response};

mod batches;
mod minute;
mod retries;

type Respond = dyn Fn(&Asked) -> Result<(u16, String), Fault> + Send + Sync;

/// A call as the transport saw it.
#[derive(Clone)]
struct Asked {
    at: Mono,
    numbers: Vec<String>,
    is_collection: bool,
}

/// A source in memory.
struct Wire {
    runtime: TestRuntime,
    latency: Duration,
    respond: Box<Respond>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, Fault> {
        let body: Value = serde_json::from_slice(&request.body.unwrap_or_default()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let numbers = match &body["ruc"] {
            Value::Array(numbers) => numbers.iter().map(text).collect(),
            number => vec![text(number)],
        };
        let is_collection = request.path.ends_with("/collection");
        let asked = Asked { at: self.runtime.now(), numbers, is_collection };
        self.asked.lock().unwrap().push(asked.clone());
        let answer = (self.respond)(&asked);
        if !self.latency.is_zero() {
            self.runtime.sleep(self.latency).await;
        }
        let (status, body) = answer?;
        Ok(Response { status, retry_after: None, body: body.into() })
    }
}

/// A source over a [`Wire`], and what was asked over it.
struct Bench {
    runtime: TestRuntime,
    source: Source,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Bench {
    fn new(
        config: &SourceConfig,
        latency: Duration,
        respond: impl Fn(&Asked) -> Result<(u16, String), Fault> + Send + Sync + 'static,
    ) -> Self {
        let runtime = TestRuntime::new(1);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let wire = Wire {
            runtime: runtime.clone(),
            latency,
            respond: Box::new(respond),
            asked: asked.clone(),
        };
        let token = Secret::new("s3cret", "test").unwrap();
        let clock = Arc::new(runtime.clone());
        let api = api(ApiKind::Migo, token);
        let source = Source::assemble(config, api, Box::new(wire), clock, None).unwrap();
        Self { runtime, source, asked }
    }

    /// Starts `work`, and moves the clock by `span`; what had come of it by then.
    fn within<T: Send + 'static>(
        &self,
        span: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let done = Arc::new(Mutex::new(None));
        let told = done.clone();
        self.runtime.spawn(Box::pin(async move {
            let value = work.await;
            *told.lock().unwrap() = Some(value);
        }));
        self.runtime.advance(span);
        done.lock().unwrap().take()
    }

    fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        let (source, rucs) = (self.source.clone(), rucs.to_vec());
        let answers =
            self.within(Duration::from_secs(60), async move { source.lookup_many(&rucs).await });
        answers.expect("an answer within a minute")
    }

    /// How many numbers each call carried.
    fn sizes(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(|asked| asked.numbers.len()).collect()
    }

    fn count(&self, result: CallResult) -> u64 {
        let status = self.source.status();
        let calls = status.iter().flat_map(|status| &status.calls);
        calls.filter(|(one, _)| *one == result).map(|(_, count)| count).sum()
    }
}

fn rucs(count: u64) -> Vec<Ruc> {
    (0..count).map(|index| Ruc::from_first_ten(2_000_000_000 + index).unwrap()).collect()
}

fn record(number: &str) -> Value {
    json!({ "success": true, "ruc": number, "nombre_o_razon_social": format!("N{number}") })
}

/// What a source says in which every number exists.
fn sound(asked: &Asked) -> (u16, String) {
    let body = match asked.is_collection {
        true => asked.numbers.iter().map(|number| record(number)).collect(),
        false => record(&asked.numbers[0]),
    };
    (200, body.to_string())
}

fn is_of(answer: &Answer, ruc: Ruc) -> bool {
    matches!(answer, Answer::Found { record, .. } if record.ruc() == ruc)
}

fn cause(answer: &Answer) -> Option<Cause> {
    match answer {
        Answer::Unavailable(unavailable) => Some(unavailable.cause),
        _ => None,
    }
}
