//! Under what a text stands in the registry.

use std::fmt::Write as _;

use rucache_core::{InvalidKey, Key, ServiceName};
use rucache_ruc::Ruc;
use sha2::{Digest, Sha256};

use super::RegistryError;

/// Longest text that stands for itself, in bytes: what a map takes as a member.
const MAX_LEN: usize = 64;

/// The first character of what stands for a longer text.
const HASHED: char = '#';

/// Bytes of the hash of a text: with the character before it, their digits are 63 bytes.
const HASH_LEN: usize = 31;

/// A text as a member of the registry: trimmed, a long one as its hash.
#[derive(Clone)]
pub(super) struct Member(String);

impl Member {
    pub(super) fn of(text: &str) -> Result<Self, RegistryError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() {
            return Err(RegistryError::Empty);
        }
        // What looks like a hash is hashed too: no text stands where another one does.
        if text.len() <= MAX_LEN && !text.starts_with(HASHED) {
            return Ok(Self(text.to_owned()));
        }
        let mut member = String::from(HASHED);
        for byte in Sha256::digest(text.as_bytes()).iter().take(HASH_LEN) {
            // Writing to a text does not fail.
            let _ = write!(member, "{byte:02x}");
        }
        Ok(Self(member))
    }

    /// A member as the index has it.
    pub(super) const fn listed(member: String) -> Self {
        Self(member)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The slot of the number: that of its record, where it is a RUC.
    pub(super) fn key(&self, service: &ServiceName) -> Result<Key, RegistryError> {
        let key: Result<Key, InvalidKey> = Key::of_kind(service, "ruc", &self.0);
        key.map_err(|error| RegistryError::Cache(error.into()))
    }
}

impl From<Ruc> for Member {
    fn from(ruc: Ruc) -> Self {
        Self(ruc.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(text: &str) -> String {
        Member::of(text).unwrap().0
    }

    #[test]
    fn text_stands_for_itself_once_it_is_trimmed() {
        assert_eq!(member("\u{feff} 20999999999\t\r\n"), "20999999999");
        let longest = "ñ".repeat(32);
        assert_eq!(member(&longest), longest);
    }

    #[test]
    fn longer_text_is_hashed_within_the_limit() {
        let (one, other) = (member(&"1".repeat(65)), member(&"1".repeat(66)));
        assert!(one.starts_with('#') && one.len() == 63 && one != other);
        // What looks like a hash cannot take the place of the text behind it.
        assert_ne!(member(&one), one);
    }

    #[test]
    fn empty_text_is_refused() {
        for text in ["", " \t\u{feff}"] {
            assert!(matches!(Member::of(text), Err(RegistryError::Empty)));
        }
    }

    #[test]
    fn slot_of_a_ruc_is_that_of_its_record() {
        let (service, ruc) = ("migo".parse().unwrap(), "20131312955".parse().unwrap());
        let key = Member::from(ruc).key(&service).unwrap();
        assert_eq!(key, rucache_ruc::ruc_key(&service, ruc));
        assert_eq!(member("20131312955"), Member::from(ruc).0);
    }
}
