//! How long entries live by their names.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rucache_core::{Key, Ttl};
use serde::de::{Deserialize, Deserializer, Error as _};

/// Lives by name or by the beginning of a name: `estadisticas_ventas`, `user_profile_*`.
///
/// A pattern stands for names in every service, or, written `electro:lista_*`, for those of one. An
/// exact name goes before a beginning, a longer beginning before a shorter one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ttls {
    names: BTreeMap<String, Ttl>,
    /// The longest first.
    beginnings: Vec<(String, Ttl)>,
}

impl Ttls {
    /// The life of what is stored as `key` by somebody who does not say how long; none where no
    /// pattern fits.
    #[must_use]
    pub fn of(&self, key: &Key) -> Option<Ttl> {
        let forms = [key.as_str(), key.name()];
        let exact = forms.iter().find_map(|form| self.names.get(*form));
        let begins = |(start, _): &&(String, Ttl)| {
            forms.iter().any(|form| form.starts_with(start.as_str()))
        };
        exact.or_else(|| self.beginnings.iter().find(begins).map(|(_, ttl)| ttl)).copied()
    }

    /// Every pattern with its life, in the order of the patterns.
    pub fn iter(&self) -> impl Iterator<Item = (String, Ttl)> {
        let names = self.names.iter().map(|(name, ttl)| (name.clone(), *ttl));
        let beginnings = self.beginnings.iter().map(|(start, ttl)| (format!("{start}*"), *ttl));
        let all: BTreeMap<_, _> = names.chain(beginnings).collect();
        all.into_iter()
    }

    fn add(&mut self, pattern: &str, ttl: Ttl) -> Result<(), String> {
        match pattern.strip_suffix('*') {
            Some(start) if start.contains('*') => {
                return Err(format!("{pattern:?} has a * before its end"));
            }
            Some(start) => self.beginnings.push((start.to_owned(), ttl)),
            None if pattern.is_empty() => return Err("a name is empty".to_owned()),
            None => drop(self.names.insert(pattern.to_owned(), ttl)),
        }
        self.beginnings.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Ok(())
    }
}

impl FromStr for Ttls {
    type Err = String;

    /// Reads a JSON object of patterns and lives: `{"lista_*": "5min", "perfil": 3600}`.
    fn from_str(text: &str) -> Result<Self, String> {
        let lives: BTreeMap<String, Life> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut ttls = Self::default();
        for (pattern, Life(ttl)) in lives {
            ttls.add(&pattern, ttl)?;
        }
        Ok(ttls)
    }
}

impl fmt::Display for Ttls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.iter().map(|(name, ttl)| format!("{name} = {ttl}")).collect();
        match parts.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&parts.join(", ")),
        }
    }
}

/// A life as people write it: seconds, or a text such as `15min`.
struct Life(Ttl);

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map(Life).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ttls: &Ttls, key: &str) -> Option<u64> {
        ttls.of(&Key::parse(key).expect("a key")).map(Ttl::as_secs_ceil)
    }

    #[test]
    fn exact_name_goes_before_the_longest_beginning() {
        let text = r#"{"lista_*": 300, "lista_productos_*": "10min", "lista_x": 1, "*": 7,
                       "electro:lista_*": 60}"#;
        let ttls: Ttls = text.parse().expect("a table");
        assert_eq!(of(&ttls, "shop:lista_a"), Some(300));
        assert_eq!(of(&ttls, "shop:lista_productos_a"), Some(600));
        assert_eq!(of(&ttls, "shop:lista_x"), Some(1));
        assert_eq!(of(&ttls, "shop:other"), Some(7));
        assert_eq!(of(&ttls, "electro:lista_a"), Some(60));
        assert_eq!(of(&Ttls::default(), "shop:lista_a"), None);
    }

    #[test]
    fn table_that_is_wrong_says_why() {
        for (text, why) in [
            (r#"{"a*b*": 1}"#, "has a * before its end"),
            (r#"{"": 1}"#, "empty"),
            (r#"{"a": 0}"#, "TTL"),
            (r#"{"a": "soon"}"#, "TTL"),
            ("7", "invalid type"),
        ] {
            let error = text.parse::<Ttls>().expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }
}
