//! What look-ups would cost, asked for by `--dry-run`.

use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::json;
use ureq::http::Method;

use super::Output;
use super::cache::{Cache, target};
use super::exit::Failure;
use super::table::{Table, terminal_width};

/// What look-ups would cost, as the service tells it and as `--json` prints it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Quote {
    total: usize,
    invalid: usize,
    cached: usize,
    calls: u64,
    sources: Vec<Source>,
}

/// What is asked of one source.
#[derive(Debug, Serialize, Deserialize)]
struct Source {
    source: String,
    numbers: usize,
    calls: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    month_remaining: Option<u64>,
}

impl Quote {
    /// Adds what the look-up of `texts`, one request, would cost.
    pub(super) fn add(
        &mut self,
        cache: &Cache,
        service: Option<&str>,
        texts: &[String],
    ) -> Result<(), Failure> {
        let target = target("/v1/ruc:batch", &[("service", service), ("dry_run", Some("true"))]);
        let told = cache.done(Method::POST, &target, Some(&json!({ "rucs": texts })))?;
        let more: Self = serde_json::from_value(told)
            .map_err(|error| Failure::new(format!("an answer is not understood: {error}")))?;
        self.total += more.total;
        self.invalid += more.invalid;
        self.cached += more.cached;
        self.calls += more.calls;
        for source in more.sources {
            match self.sources.iter_mut().find(|known| known.source == source.source) {
                None => self.sources.push(source),
                Some(known) => {
                    known.numbers += source.numbers;
                    known.calls += source.calls;
                    known.month_remaining = source.month_remaining;
                }
            }
        }
        Ok(())
    }

    /// Writes it for people, or as one JSON document.
    pub(super) fn write(&self, out: &mut Output, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return super::write_json(out, self);
        }
        let Self { total, invalid, cached, calls, sources } = self;
        writeln!(
            out,
            "{total} numbers: {invalid} not a RUC, {cached} answered by the cache; about {calls} \
             calls for the others"
        )?;
        if sources.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["SOURCE", "NUMBERS", "CALLS", "LEFT THIS MONTH"]);
        for source in sources {
            let left = source.month_remaining.map_or_else(|| "-".to_owned(), |it| it.to_string());
            table.push([
                source.source.as_str().into(),
                source.numbers.to_string().as_str().into(),
                source.calls.to_string().as_str().into(),
                left.as_str().into(),
            ]);
        }
        Ok(table.write(out, terminal_width())?)
    }
}
