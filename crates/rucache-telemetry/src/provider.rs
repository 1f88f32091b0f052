//! The metrics of sources of records.

use std::sync::OnceLock;

use metrics::{Counter, Gauge};
use rucache_core::observer::ProviderResult;

use crate::cache::number;
use crate::recorder::Handles;
use crate::table::{PROVIDER_LIMIT, PROVIDER_REMAINING, PROVIDER_REQUESTS};

/// A source. Its series appear with its first event.
#[derive(Debug)]
pub(crate) struct Provider {
    name: String,
    handles: Handles,
    /// In the order of [`ProviderResult::ALL`].
    answers: Vec<Counter>,
    quota: OnceLock<Quota>,
}

/// Only of a source with a budget.
#[derive(Debug)]
struct Quota {
    remaining: Gauge,
    limit: Gauge,
}

impl Provider {
    pub(crate) fn new(handles: &Handles, name: &str) -> Self {
        let answer =
            |result: &ProviderResult| handles.counter(&PROVIDER_REQUESTS, &[name, result.as_str()]);
        Self {
            name: name.to_owned(),
            handles: handles.clone(),
            answers: ProviderResult::ALL.iter().map(answer).collect(),
            quota: OnceLock::new(),
        }
    }

    /// The source answered.
    pub(crate) fn answered(&self, result: ProviderResult) {
        if let Some(answers) = self.answers.get(result as usize) {
            answers.increment(1);
        }
    }

    /// The budget of the source changed.
    pub(crate) fn quota(&self, remaining: u64, limit: u64) {
        let quota = self.quota.get_or_init(|| Quota {
            remaining: self.handles.gauge(&PROVIDER_REMAINING, &[&self.name]),
            limit: self.handles.gauge(&PROVIDER_LIMIT, &[&self.name]),
        });
        quota.remaining.set(number(remaining));
        quota.limit.set(number(limit));
    }
}
