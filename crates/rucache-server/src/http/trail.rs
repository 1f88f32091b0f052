//! The trail of cache events in the log: hits and misses by name, as far as it is asked for.

use rucache::Ttl;
use rucache::core::{Key, ServiceName};
use rucache::engine::ServedFrom;
use rucache::lookup::Lookup;
use rucache::ruc::{Outcome, Ruc, Taxpayer, ruc_key};
use tracing::field::display;

use super::app::App;
use crate::config::CacheEvents;

/// Where cache events go in the log.
pub(crate) const TARGET: &str = "rucache::events";

/// Something that happened to an entry at a client's request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event<'a> {
    /// It was there: its JSON.
    Hit(&'a [u8]),
    /// The verdict was there that there is none.
    Refused,
    /// It was not there.
    Miss,
    /// It was stored: its JSON, and for how long where that is known.
    Stored(&'a [u8], Option<Ttl>),
    /// The verdict was stored that there is none.
    Marked,
    /// It was deleted or expired.
    Invalidated,
}

/// The type of what is no JSON.
const VERDICT: &str = "verdict";

impl App {
    /// Logs what happened to `key`, if that is asked for.
    pub(super) fn log(&self, key: &Key, event: Event<'_>) {
        if !self.tells_events() {
            return;
        }
        let level = self.live().cache_events;
        // On one line whatever it holds; numbers are masked where lines are written.
        let name = key.as_str().escape_debug();
        macro_rules! tell {
            ($($field:tt)*) => {
                match level {
                    CacheEvents::Info => tracing::info!(target: TARGET, $($field)*),
                    _ => tracing::debug!(target: TARGET, $($field)*),
                }
            };
        }
        match event {
            Event::Hit(value) => {
                tell!(size = value.len(), r#type = kind(value), "Cache HIT: {name}");
            }
            Event::Refused => tell!(r#type = VERDICT, "Cache HIT: {name}"),
            Event::Miss => tell!("Cache MISS: {name}"),
            Event::Stored(value, ttl) => {
                let (size, ttl) = (value.len(), ttl.map(display));
                tell!(size, r#type = kind(value), ttl, "Cache SET: {name}");
            }
            Event::Marked => tell!(r#type = VERDICT, "Cache SET: {name}"),
            Event::Invalidated => tell!("Cache DELETE: {name}"),
        }
    }

    /// As [`log_look_up`](Self::log_look_up) of a text; of what is no RUC nothing is asked.
    pub(super) fn log_look_up_of(&self, service: &ServiceName, text: &str, lookup: &Lookup) {
        if let Ok(ruc) = text.parse() {
            self.log_look_up(service, ruc, lookup);
        }
    }

    /// Logs what happened to the verdict on `text` in `service`, if that is asked for.
    pub(super) fn log_verdict(&self, service: &ServiceName, text: &str, event: Event<'_>) {
        if let Ok(key) = Key::of_kind(service, "ruc", text.trim()) {
            self.log(&key, event);
        }
    }

    /// Logs how the cache answered a look-up of `ruc` in `service`, if that is asked for.
    pub(super) fn log_look_up(&self, service: &ServiceName, ruc: Ruc, lookup: &Lookup) {
        if !self.tells_events() {
            return;
        }
        let key = ruc_key(service, ruc);
        let record = lookup.outcome.record().map(|record| json(record));
        let hit = record.as_deref().map_or(Event::Refused, Event::Hit);
        let Some(served) = lookup.served else { return self.log(&key, Event::Miss) };
        if served.from != ServedFrom::Load {
            return self.log(&key, hit);
        }
        self.log(&key, Event::Miss);
        match (&record, &lookup.outcome) {
            (Some(record), _) if served.stored => {
                self.log(&key, Event::Stored(record, Ttl::try_from(served.ttl).ok()));
            }
            (None, Outcome::NotFound(_)) => self.log(&key, Event::Marked),
            _ => {}
        }
    }
}

fn json(record: &Taxpayer) -> Vec<u8> {
    // A record always has a JSON form.
    serde_json::to_vec(record).unwrap_or_default()
}

/// What kind of JSON a text is, by its first byte.
fn kind(json: &[u8]) -> &'static str {
    match json.trim_ascii_start().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_of_a_value_is_told_by_its_beginning() {
        for (json, expected) in [
            ("{}", "object"),
            (" [1]", "array"),
            ("\"a\"", "string"),
            ("true", "boolean"),
            ("null", "null"),
            ("-1", "number"),
        ] {
            assert_eq!(kind(json.as_bytes()), expected);
        }
    }
}
