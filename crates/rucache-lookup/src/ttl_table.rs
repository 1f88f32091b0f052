//! How long entries live by their names: exact names, and prefixes.

use std::collections::HashMap;
use std::fmt;

use rucache_core::{Key, ServiceName, Ttl};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use thiserror::Error;

/// Lives of entries by name: `estadisticas_ventas = 300`, `"user_profile_*" = "1h"`.
///
/// A pattern is a name, or the beginning of names with a `*` after it; `service:` in front binds it
/// to one service. An exact name wins over a prefix, a longer prefix over a shorter one, and where
/// they are equal the one that is bound to the service.
///
/// ```
/// use rucache_core::{Key, Ttl};
/// use rucache_lookup::TtlTable;
///
/// let table = TtlTable::new([("user_profile_*", Ttl::MEDIUM), ("user_*", Ttl::SHORT)])?;
/// assert_eq!(table.ttl(&Key::parse("shop:user_profile_7")?), Some(Ttl::MEDIUM));
/// assert_eq!(table.ttl(&Key::parse("shop:users")?), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TtlTable {
    names: HashMap<String, Lives>,
    /// The longest first.
    prefixes: Vec<(String, Lives)>,
}

/// The lives of one name or prefix: of any service, and of some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lives {
    any: Option<Ttl>,
    of: HashMap<ServiceName, Ttl>,
}

impl Lives {
    fn in_service(&self, service: &str) -> Option<Ttl> {
        self.of.get(service).copied().or(self.any)
    }

    fn set(&mut self, service: Option<ServiceName>, ttl: Ttl) -> bool {
        match service {
            Some(service) => self.of.insert(service, ttl).is_none(),
            None => self.any.replace(ttl).is_none(),
        }
    }
}

/// Why a text cannot be a pattern of a [`TtlTable`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{pattern:?} is no pattern of names; write a name or the beginning of names and *, \
     each once, as in user_profile_*"
)]
pub struct InvalidPattern {
    pattern: String,
}

impl TtlTable {
    /// The table of these patterns.
    ///
    /// # Errors
    ///
    /// [`InvalidPattern`] for one that is empty, has a `*` that is not its end, or stands twice.
    pub fn new<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = (P, Ttl)>,
    ) -> Result<Self, InvalidPattern> {
        let mut table = Self::default();
        let mut prefixes: HashMap<String, Lives> = HashMap::new();
        for (pattern, ttl) in patterns {
            let pattern = pattern.as_ref();
            let invalid = || InvalidPattern { pattern: pattern.to_owned() };
            let (service, name) = match pattern.split_once(':') {
                Some((service, name)) => {
                    (Some(ServiceName::new(service).map_err(|_| invalid())?), name)
                }
                None => (None, pattern),
            };
            let (place, name) = match name.strip_suffix('*') {
                Some(prefix) => (&mut prefixes, prefix),
                None if name.is_empty() => return Err(invalid()),
                None => (&mut table.names, name),
            };
            let is_new = place.entry(name.to_owned()).or_default().set(service, ttl);
            if name.contains('*') || !is_new {
                return Err(invalid());
            }
        }
        table.prefixes = prefixes.into_iter().collect();
        table.prefixes.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Ok(table)
    }

    /// The life of the entry `key`; none where no pattern fits.
    #[must_use]
    pub fn ttl(&self, key: &Key) -> Option<Ttl> {
        let (service, name) = (key.service(), key.name());
        let exact = self.names.get(name).and_then(|lives| lives.in_service(service));
        let mut prefixes = self.prefixes.iter().filter(|(prefix, _)| name.starts_with(&**prefix));
        exact.or_else(|| prefixes.find_map(|(_, lives)| lives.in_service(service)))
    }

    /// Every pattern with its life, in order.
    #[must_use]
    pub fn patterns(&self) -> Vec<(String, Ttl)> {
        let written = |name: &str, end: &str, lives: &Lives| {
            let bound =
                lives.of.iter().map(|(service, ttl)| (format!("{service}:{name}{end}"), *ttl));
            bound.chain(lives.any.map(|ttl| (format!("{name}{end}"), ttl))).collect::<Vec<_>>()
        };
        let names = self.names.iter().flat_map(|(name, lives)| written(name, "", lives));
        let prefixes = self.prefixes.iter().flat_map(|(name, lives)| written(name, "*", lives));
        let mut patterns: Vec<_> = names.chain(prefixes).collect();
        patterns.sort();
        patterns
    }
}

impl<'de> Deserialize<'de> for TtlTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Patterns)
    }
}

/// Reads a table from a map.
struct Patterns;

impl<'de> Visitor<'de> for Patterns {
    type Value = TtlTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of names or prefixes with their TTLs")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TtlTable, M::Error> {
        let mut patterns = Vec::new();
        while let Some((pattern, Life(ttl))) = map.next_entry::<String, Life>()? {
            patterns.push((pattern, ttl));
        }
        TtlTable::new(patterns).map_err(M::Error::custom)
    }
}

/// A TTL as a number of seconds, or as text.
struct Life(Ttl);

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl Visitor<'_> for Form {
            type Value = Life;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a TTL: seconds above zero, or a text such as \"15min\"")
            }

            fn visit_u64<E: serde::de::Error>(self, secs: u64) -> Result<Life, E> {
                self.visit_str(&secs.to_string())
            }

            fn visit_i64<E: serde::de::Error>(self, secs: i64) -> Result<Life, E> {
                self.visit_str(&secs.to_string())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Life, E> {
                text.parse().map(Life).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl(table: &TtlTable, key: &str) -> Option<u64> {
        table.ttl(&Key::parse(key).unwrap()).map(Ttl::as_secs_ceil)
    }

    #[test]
    fn exact_name_wins_then_the_longest_prefix_then_the_bound_one() {
        let table: TtlTable = serde_json::from_str(
            r#"{"user_*": 1, "user_profile_*": "2s", "user_profile_7": 3,
                "shop:user_*": 4, "shop:user_profile_8": "5s", "*": "10min"}"#,
        )
        .unwrap();
        assert_eq!(ttl(&table, "a:user_profile_7"), Some(3));
        assert_eq!(ttl(&table, "a:user_profile_8"), Some(2));
        assert_eq!(ttl(&table, "shop:user_profile_8"), Some(5));
        assert_eq!(ttl(&table, "shop:user_profile_9"), Some(2));
        assert_eq!(ttl(&table, "shop:user_9"), Some(4));
        assert_eq!(ttl(&table, "a:user_9"), Some(1));
        assert_eq!(ttl(&table, "a:ventas"), Some(600));
        assert_eq!(ttl(&TtlTable::default(), "a:ventas"), None);
    }

    #[test]
    fn name_that_is_bound_elsewhere_leaves_room_for_a_prefix() {
        let table = TtlTable::new([("a:x", Ttl::SHORT), ("*", Ttl::LONG)]).unwrap();
        assert_eq!(table.ttl(&Key::parse("a:x").unwrap()), Some(Ttl::SHORT));
        assert_eq!(table.ttl(&Key::parse("b:x").unwrap()), Some(Ttl::LONG));
    }

    #[test]
    fn what_is_no_pattern_or_no_ttl_is_refused_with_its_text() {
        for pattern in ["", "a*b", "**", "A:x", "a:"] {
            let error = TtlTable::new([(pattern, Ttl::SHORT)]).unwrap_err();
            assert!(error.to_string().contains(&format!("{pattern:?}")), "{error}");
        }
        assert!(TtlTable::new([("a", Ttl::SHORT), ("a", Ttl::LONG)]).is_err());
        for json in [r#"{"a": 0}"#, r#"{"a": -1}"#, r#"{"a": "soon"}"#, r#"{"a": true}"#] {
            assert!(serde_json::from_str::<TtlTable>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn patterns_are_listed_as_they_were_given() {
        let given = [("a:x", Ttl::SHORT), ("user_*", Ttl::LONG), ("ventas", Ttl::secs(300))];
        let listed = TtlTable::new(given).unwrap().patterns();
        assert_eq!(listed, given.map(|(pattern, ttl)| (pattern.to_owned(), ttl)));
    }
}
