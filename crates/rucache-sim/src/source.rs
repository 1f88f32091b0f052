//! The source: keys whose versions only grow, and loaders that read them in every bad way.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::{Key, Ttl};
use rucache_engine::{Loaded, Policy};
use serde::{Deserialize, Serialize};

use crate::checker::{CallId, LoadEnd, LoadId};
use crate::history::History;
use crate::random::Random;
use crate::scheduler::Scheduler;
use crate::setup::TAGS;

/// A value: which version of which key, and which load or set it came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fact {
    #[serde(rename = "k")]
    pub(crate) key: String,
    #[serde(rename = "v")]
    pub(crate) version: u64,
    #[serde(rename = "n")]
    pub(crate) id: usize,
}

/// What a loader says that fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal;

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the source refuses")
    }
}

impl std::error::Error for Refusal {}

/// How long a verdict lasts that there is no value.
const VERDICT: Policy = Policy::negative(Ttl::millis(500), Ttl::secs(4));

/// How a load will go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    span: Duration,
    end: CourseEnd,
    /// Whether it asks for what it is loading.
    pub(crate) recurses: bool,
}

#[derive(Debug, Clone, Copy)]
enum CourseEnd {
    Value,
    Negative,
    Refusal,
    Absent,
    Panic,
    Never,
}

impl Course {
    /// How the next load goes; `healthy` ones bring a value soon.
    pub(crate) fn draw(random: &mut Random, healthy: bool) -> Self {
        if healthy {
            return Self { span: random.millis(10), end: CourseEnd::Value, recurses: false };
        }
        let span = match random.below(10) {
            0..6 => random.millis(30),
            6..9 => random.millis(400),
            _ => random.millis(3_000),
        };
        let end = match random.below(100) {
            0..76 => CourseEnd::Value,
            76..82 => CourseEnd::Negative,
            82..90 => CourseEnd::Refusal,
            90..94 => CourseEnd::Absent,
            94..97 => CourseEnd::Panic,
            _ => CourseEnd::Never,
        };
        Self { span, end, recurses: random.chance(10) }
    }
}

/// Reads `keys` now for the loader of `call`, does something else `meanwhile`, and answers as `course`
/// has it, with the tags of each.
pub(crate) async fn load(
    history: &Arc<History>,
    scheduler: &Scheduler,
    call: CallId,
    keys: Vec<(Key, Vec<&'static str>)>,
    course: Course,
    meanwhile: impl Future<Output = ()>,
) -> Vec<Result<Loaded<Fact>, Refusal>> {
    let mut running = Vec::with_capacity(keys.len());
    for (key, tags) in keys {
        let (load, fact) = history.load_began(call, &key, tags.clone());
        running.push((Running { history: history.clone(), load: Some(load) }, fact, tags));
    }
    meanwhile.await;
    scheduler.sleep(course.span).await;
    let end = match course.end {
        CourseEnd::Value | CourseEnd::Negative => LoadEnd::Value,
        CourseEnd::Absent => LoadEnd::Absent,
        CourseEnd::Refusal => LoadEnd::Failed,
        CourseEnd::Panic => {
            running.into_iter().for_each(|(running, ..)| running.end(LoadEnd::Failed));
            // Without the hook: it is on purpose, and nobody wants to read it.
            std::panic::resume_unwind(Box::new("the loader panics on purpose"));
        }
        CourseEnd::Never => return pending().await,
    };
    let answer = |(running, fact, tags): (Running, Fact, Vec<&'static str>)| {
        running.end(end);
        match course.end {
            CourseEnd::Value => Ok(Loaded::new(fact).with_tags(tags)),
            CourseEnd::Negative => {
                let reason = serde_json::to_string(&fact).unwrap_or_default();
                Ok(Loaded::negative(reason).with_tags(tags).with_policy(VERDICT))
            }
            CourseEnd::Absent => Ok(Loaded::absent()),
            CourseEnd::Refusal | CourseEnd::Panic | CourseEnd::Never => Err(Refusal),
        }
    };
    running.into_iter().map(answer).collect()
}

/// The tags of a value that is loaded now: the source's own business.
pub(crate) fn draw_tags(random: &mut Random) -> Vec<&'static str> {
    TAGS.into_iter().filter(|_| random.chance(400)).collect()
}

/// A load that has begun, until it is told how it ended.
struct Running {
    history: Arc<History>,
    load: Option<LoadId>,
}

impl Running {
    fn end(mut self, end: LoadEnd) {
        if let Some(load) = self.load.take() {
            self.history.load_ended(load, end);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(load) = self.load.take() {
            self.history.load_ended(load, LoadEnd::Dropped);
        }
    }
}
