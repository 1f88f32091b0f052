//! Names of entries, and the injective codec between a name and its bytes in a store.

mod codec;
mod decode;
mod text;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use text::Text;

pub use codec::{KeyCodec, KeyPrefix, MAX_WIRE_LEN, WireKey};
pub use decode::SlotName;

/// Longest name inside a service, in bytes of UTF-8.
pub const MAX_NAME_LEN: usize = 64 * 1024;

/// Longest service name, in bytes.
pub const MAX_SERVICE_LEN: usize = 32;

/// Why a text cannot be a key, a service name or a deployment prefix.
///
/// The text itself is not repeated: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The service name breaks `[a-z0-9][a-z0-9._-]{0,31}`.
    #[error(
        "service name must be 1 to 32 of a-z, 0-9, '.', '_', '-' and start with a letter or digit; \
         character {position} does not fit"
    )]
    Service {
        /// Position of the first character that does not fit, from 1; one past the end when it is
        /// too short, 33 when it is too long.
        position: usize,
    },
    /// The name is empty.
    #[error("key name is empty; give it at least one byte")]
    EmptyName,
    /// The name is longer than [`MAX_NAME_LEN`].
    #[error("key name has {len} bytes; at most 65536 are allowed")]
    NameTooLong {
        /// Length of the refused name, in bytes.
        len: usize,
    },
    /// A text that should be `service:name` has no separator.
    #[error("key has no ':' between service and name")]
    NoSeparator,
    /// The deployment prefix breaks `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`.
    #[error(
        "key prefix must be 1 to 32 of A-Z, a-z, 0-9, '.', '_', '-' and start with a letter or \
         digit; character {position} does not fit"
    )]
    Prefix {
        /// Position of the first character that does not fit, from 1.
        position: usize,
    },
}

/// The namespace of a key: `migo`, `nubefact`, `default`.
///
/// `[a-z0-9][a-z0-9._-]{0,31}`. Cloning never allocates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName(Text);

impl ServiceName {
    /// Checks `text` against the form of a service name.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::Service`] with the position of the first character that does not fit.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        let fits = |at: usize, byte: u8| match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'.' | b'_' | b'-' => at > 0,
            _ => false,
        };
        match first_misfit(text, MAX_SERVICE_LEN, fits) {
            None => Ok(Self(text.into())),
            Some(position) => Err(InvalidKey::Service { position }),
        }
    }

    /// The service that the program itself calls `text`.
    ///
    /// # Panics
    ///
    /// When `text` breaks the form of a service name; meant for literals.
    #[must_use]
    pub fn from_static(text: &'static str) -> Self {
        match Self::new(text) {
            Ok(service) => service,
            Err(error) => panic!("{text:?}: {error}"),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Default for ServiceName {
    /// `default`, the home of keys that name no service.
    fn default() -> Self {
        Self("default".into())
    }
}

impl FromStr for ServiceName {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::hash::Hash for ServiceName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // As a text hashes, which it can be looked up by.
        self.as_str().hash(state);
    }
}

impl Borrow<str> for ServiceName {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

impl serde::Serialize for ServiceName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for ServiceName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// The full name of an entry: service and name, canonical text `{service}:{name}`.
///
/// A name is any UTF-8 of 1 byte to 64 KiB. Up to 38 bytes of canonical text live inside the key;
/// longer ones are shared, so cloning never copies them. A service holds no `:`, hence the
/// canonical texts of two different keys differ.
///
/// `Debug` shows the service only: a name may be personal data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Text);

impl Key {
    /// The key `name` in `service`.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::EmptyName`] or [`InvalidKey::NameTooLong`].
    pub fn new(service: &ServiceName, name: &str) -> Result<Self, InvalidKey> {
        check_name_len(name.len())?;
        Ok(Self(Text::join(&[service.as_str(), ":", name])))
    }

    /// The key `{kind}_{id}` in `service`: `migo:ruc_20131312955`, `nubefact:invoice_INV-001`.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::NameTooLong`] when kind and id together pass 64 KiB.
    pub fn of_kind(
        service: &ServiceName,
        kind: &str,
        id: impl fmt::Display,
    ) -> Result<Self, InvalidKey> {
        let id = id.to_string();
        check_name_len(kind.len() + 1 + id.len())?;
        Ok(Self(Text::join(&[service.as_str(), ":", kind, "_", &id])))
    }

    /// The key `{kind}_{number}` in `service`, which always fits: `migo:ruc_20131312955`.
    #[must_use]
    pub fn of_number(service: &ServiceName, kind: KeyKind, number: u64) -> Self {
        Self(Text::numbered(&service.0, kind.0, number))
    }

    /// Reads canonical text: everything before the first `:` is the service.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] for a missing separator or a part that breaks its form.
    pub fn parse(canonical: &str) -> Result<Self, InvalidKey> {
        let (service, name) = canonical.split_once(':').ok_or(InvalidKey::NoSeparator)?;
        Self::new(&ServiceName::new(service)?, name)
    }

    /// The canonical text `{service}:{name}`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The service part as text.
    #[must_use]
    pub fn service(&self) -> &str {
        self.parts().0
    }

    /// The service part as a name of its own.
    #[must_use]
    pub fn service_name(&self) -> ServiceName {
        ServiceName(self.service().into())
    }

    /// The name inside the service.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().1
    }

    /// Bytes on the heap that this key keeps alive: 0 for the usual lengths.
    #[must_use]
    pub fn heap_len(&self) -> usize {
        self.0.heap_len()
    }

    fn parts(&self) -> (&str, &str) {
        // The separator is there by construction.
        self.as_str().split_once(':').unwrap_or_default()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}:[{} bytes])", self.service(), self.name().len())
    }
}

/// The kind in a key `{kind}_{number}`: `ruc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyKind(&'static str);

impl KeyKind {
    /// The kind called `kind`; meant for constants.
    ///
    /// # Panics
    ///
    /// When `kind` is empty or longer than 32 bytes; in a constant, that does not compile.
    #[must_use]
    pub const fn new(kind: &'static str) -> Self {
        assert!(!kind.is_empty() && kind.len() <= 32, "a kind of key has 1 to 32 bytes");
        Self(kind)
    }
}

fn check_name_len(len: usize) -> Result<(), InvalidKey> {
    match len {
        0 => Err(InvalidKey::EmptyName),
        len if len > MAX_NAME_LEN => Err(InvalidKey::NameTooLong { len }),
        _ => Ok(()),
    }
}

/// Position, from 1, of the first byte of `text` that does not fit; `None` when all of 1 to `max`
/// bytes do.
fn first_misfit(text: &str, max: usize, fits: impl Fn(usize, u8) -> bool) -> Option<usize> {
    if text.is_empty() {
        return Some(1);
    }
    text.bytes().enumerate().find(|&(at, byte)| at >= max || !fits(at, byte)).map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests;
