//! The trail of cache events in the log: hits and misses by name, as far as it is asked for.

use std::fmt;

use rucache::Ttl;
use rucache::core::Key;
use rucache::ruc::Ruc;

use super::app::App;
use crate::config::CacheEvents;

/// Where cache events go in the log.
pub(crate) const TARGET: &str = "rucache::events";

/// Digits of a RUC.
const DIGITS: usize = 11;

/// Something that happened to an entry at a client's request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event<'a> {
    /// It was there: its JSON.
    Hit(&'a [u8]),
    /// It was not there.
    Miss,
    /// It was stored: its JSON, and for how long.
    Stored(&'a [u8], Ttl),
    /// It was deleted or expired.
    Invalidated,
}

impl App {
    /// Logs what happened to `key`, if that is asked for.
    pub(super) fn log(&self, key: &Key, event: Event<'_>) {
        let level = self.live().cache_events;
        if level == CacheEvents::Off {
            return;
        }
        let name = Masked(key.as_str());
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
            Event::Miss => tell!("Cache MISS: {name}"),
            Event::Stored(value, ttl) => {
                tell!(size = value.len(), r#type = kind(value), ttl = %ttl, "Cache SET: {name}");
            }
            Event::Invalidated => tell!("Cache DELETE: {name}"),
        }
    }
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

/// A name without the numbers of natural persons: of those the prefix is shown only.
pub(super) struct Masked<'a>(pub(super) &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            write!(f, "{}", before.escape_debug())?;
            let len = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(len);
            match is_personal(digits) {
                true => write!(f, "{}*********", &digits[..2])?,
                false => f.write_str(digits)?,
            }
            rest = after;
        }
        // Whatever else a name holds, it stays on one line.
        write!(f, "{}", rest.escape_debug())
    }
}

/// Whether eleven digits in a row are, or begin like, the number of a natural person.
fn is_personal(digits: &str) -> bool {
    digits.len() == DIGITS
        && match digits.parse::<Ruc>() {
            Ok(ruc) => ruc.is_personal(),
            Err(_) => ["10", "15", "17"].iter().any(|prefix| digits.starts_with(prefix)),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_masked_and_others_are_not() {
        for (name, shown) in [
            ("migo:ruc_10000000016", "migo:ruc_10*********"),
            ("migo:ruc_15000000012", "migo:ruc_15*********"),
            ("migo:ruc_20131312955", "migo:ruc_20131312955"),
            ("a:10000000016:b_17000000001", "a:10*********:b_17*********"),
            ("a:100000000160", "a:100000000160"),
            ("a:b\nc", "a:b\\nc"),
        ] {
            assert_eq!(Masked(name).to_string(), shown);
        }
    }

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
