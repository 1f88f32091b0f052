//! The metered sources of look-ups: whether they are asked, what is left of their plans, and what a
//! look-up of many would cost.

use rucache::SourceName;
use rucache::core::Ttl;
use rucache::lookup::LookupQuote;
use rucache::ruc::{Allowance, SourceStatus};
use rucache::telemetry::{ProviderReading, Quota};
use serde::Serialize;

use super::app::App;

/// How a source is, in `/health`.
#[derive(Debug, Serialize)]
pub(super) struct SourceState {
    name: String,
    /// `asked`, or `resting` while it is left alone.
    status: &'static str,
    circuit: &'static str,
    /// Why it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// Seconds until it is asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minute: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<Plan>,
}

/// Calls that a plan allows in a span.
#[derive(Debug, Serialize)]
struct Plan {
    used: u64,
    limit: u64,
    remaining: u64,
}

impl From<Allowance> for Plan {
    fn from(allowance: Allowance) -> Self {
        let Allowance { used, limit } = allowance;
        Self { used, limit, remaining: allowance.remaining() }
    }
}

impl From<SourceStatus> for SourceState {
    fn from(source: SourceStatus) -> Self {
        let rest = source.closed.and_then(|closed| Ttl::try_from(closed.retry_after?).ok());
        Self {
            name: source.name.to_string(),
            status: if source.closed.is_some() { "resting" } else { "asked" },
            circuit: source.circuit.as_str(),
            cause: source.closed.map(|closed| closed.cause.as_str()),
            retry_after: rest.map(Ttl::as_secs_ceil),
            minute: source.minute.map(Plan::from),
            month: source.month.map(Plan::from),
        }
    }
}

impl SourceState {
    /// Why it is left alone, in words.
    fn trouble(&self) -> Option<String> {
        let (name, cause) = (&self.name, self.cause?);
        Some(match self.retry_after {
            Some(secs) => format!("{name}: {cause}, asked again in {secs} s"),
            None => format!("{name}: {cause}"),
        })
    }

    fn is_demo(&self) -> bool {
        self.name == SourceName::Demo.as_str()
    }
}

impl App {
    /// The metered sources, in the order in which they are asked.
    pub(super) fn sources(&self) -> Vec<SourceState> {
        self.cache().provider().status().into_iter().map(SourceState::from).collect()
    }

    /// Why the service does less than it could: a configuration that was kept out, a source that is
    /// left alone.
    pub(super) fn trouble(&self) -> Option<String> {
        let fault = self.live().fault.clone();
        fault.or_else(|| self.sources().iter().find_map(SourceState::trouble))
    }

    /// The sources as people read it; nothing where none is metered.
    pub(super) fn sources_check(&self) -> Option<String> {
        let sources = self.sources();
        let troubles: Vec<String> = sources.iter().filter_map(SourceState::trouble).collect();
        let names = self.cache().provider().name().replace('+', ", ");
        match sources.is_empty() {
            true => None,
            false if !troubles.is_empty() => Some(format!("❌ {}", troubles.join("; "))),
            false if sources.iter().any(SourceState::is_demo) => {
                Some("⚠️ DEMO: every record is invented".to_owned())
            }
            false => Some(format!("✅ {names}")),
        }
    }

    /// What the sources have counted, for the metrics.
    pub(super) fn source_readings(&self) -> Vec<ProviderReading> {
        let reading = |source: SourceStatus| {
            let mut reading = ProviderReading::default();
            reading.name = source.name.to_string();
            reading.calls =
                source.calls.iter().map(|(result, count)| (result.as_str(), *count)).collect();
            reading.quota = source
                .month
                .map(|month| Quota { remaining: month.remaining(), limit: month.limit });
            reading
        };
        self.cache().provider().status().into_iter().map(reading).collect()
    }

    /// What a look-up of many would cost.
    pub(super) fn told_quote(&self, quote: LookupQuote) -> BatchQuote {
        let status = self.cache().provider().status();
        let left = |name: &str| {
            let source = status.iter().find(|source| *source.name == *name)?;
            source.month.map(Allowance::remaining)
        };
        BatchQuote {
            total: quote.total,
            invalid: quote.invalid,
            cached: quote.cached,
            calls: quote.calls(),
            sources: quote
                .sources
                .into_iter()
                .map(|quote| SourceQuote {
                    month_remaining: left(&quote.source),
                    source: quote.source.to_string(),
                    numbers: quote.numbers,
                    calls: quote.calls,
                })
                .collect(),
        }
    }
}

/// What a look-up of many would cost, as clients are told.
#[derive(Debug, Serialize)]
pub(super) struct BatchQuote {
    total: usize,
    invalid: usize,
    cached: usize,
    calls: u64,
    sources: Vec<SourceQuote>,
}

#[derive(Debug, Serialize)]
struct SourceQuote {
    source: String,
    numbers: usize,
    calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    month_remaining: Option<u64>,
}
