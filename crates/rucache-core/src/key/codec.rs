//! The injective codec between a key and its bytes in a store.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::text::Text;
use super::{InvalidKey, Key, first_misfit};
use crate::backend::Marker;

/// Longest name that any slot has in any store, in bytes: memcached's limit.
pub const MAX_WIRE_LEN: usize = 250;

/// Room kept free for the decoration of the cache's own slots: `~m:{…}` and a bucket's `:fff`.
const DECORATION_LEN: usize = 10;

/// Longest encoded key; longer ones are hashed.
const MAX_ENTRY_LEN: usize = MAX_WIRE_LEN - DECORATION_LEN;

/// `#` and the 256-bit hash of the full key in hexadecimal.
const HASH_LEN: usize = 1 + 64;

/// A slot's name in a store: at most 250 bytes of printable ASCII without space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireKey(Text);

impl WireKey {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for WireKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A wire key may hold personal data.
        write!(f, "WireKey([{} bytes])", self.0.as_bytes().len())
    }
}

/// A deployment's prefix before every key: `electro_isla` gives `electro_isla:migo:ruc_…`.
///
/// `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`, so that no prefix can imitate one of the cache's own slots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPrefix(Text);

impl KeyPrefix {
    /// Checks `text` against the form of a prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::Prefix`] with the position of the first character that does not fit.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        let fits = |at: usize, byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => true,
            b'.' | b'_' | b'-' => at > 0,
            _ => false,
        };
        match first_misfit(text, 32, fits) {
            None => Ok(Self(text.into())),
            Some(position) => Err(InvalidKey::Prefix { position }),
        }
    }

    /// The prefix as text, without the separator.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for KeyPrefix {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

/// Turns keys and the cache's own slots into names in a store.
///
/// - An entry: `[prefix:]service:name`, where every byte of the name outside `[A-Za-z0-9._~-]` is
///   percent-encoded. What passes 240 bytes becomes a readable head, `#`, and the SHA-256 of the
///   canonical key, 240 bytes or less. Two different keys never share a slot: `:` separates parts
///   only, and `#` appears in hashed names only.
/// - The cache's own slots begin with `~`, which no entry does. The entry's name stands in braces,
///   so that a Redis Cluster keeps a lease in its entry's slot.
#[derive(Debug, Clone, Default)]
pub struct KeyCodec {
    prefix: Option<KeyPrefix>,
}

impl KeyCodec {
    /// A codec that puts `prefix` before every key.
    #[must_use]
    pub fn with_prefix(prefix: KeyPrefix) -> Self {
        Self { prefix: Some(prefix) }
    }

    /// The deployment's prefix, where there is one.
    #[must_use]
    pub fn prefix(&self) -> Option<&KeyPrefix> {
        self.prefix.as_ref()
    }

    /// The slot of an entry.
    #[must_use]
    pub fn entry(&self, key: &Key) -> WireKey {
        if self.prefix.is_none() && key.as_str().len() <= MAX_ENTRY_LEN && is_plain(key.name()) {
            // The usual key is its own wire form; sharing it allocates nothing.
            return WireKey(key.0.clone());
        }
        let mut text = String::with_capacity(MAX_ENTRY_LEN);
        let mut len = 0;
        let mut head_len = 0;
        let mut push = |piece: &str| {
            if len + piece.len() <= MAX_ENTRY_LEN - HASH_LEN {
                head_len = len + piece.len();
            }
            len += piece.len();
            if len <= MAX_ENTRY_LEN {
                text.push_str(piece);
            }
        };
        if let Some(prefix) = &self.prefix {
            push(prefix.as_str());
            push(":");
        }
        push(key.service());
        push(":");
        for byte in key.name().bytes() {
            push(encode(byte, &mut [0; 3]));
        }
        if len > MAX_ENTRY_LEN {
            text.truncate(head_len);
            text.push('#');
            for byte in Sha256::digest(key.as_str().as_bytes()) {
                text.push(hex_digit(byte >> 4));
                text.push(hex_digit(byte & 0xf));
            }
        }
        WireKey(text.as_str().into())
    }

    /// The slot of an entry's lease: `~l:{entry}`.
    #[must_use]
    pub fn lease(&self, key: &Key) -> WireKey {
        self.decorated("l", key)
    }

    /// The slot of a counter: `~n:{counter}`.
    #[must_use]
    pub fn counter(&self, key: &Key) -> WireKey {
        self.decorated("n", key)
    }

    /// The slot of a map: `~m:{map}`. An adapter that spreads a map over several slots appends to it.
    #[must_use]
    pub fn map(&self, key: &Key) -> WireKey {
        self.decorated("m", key)
    }

    /// The slot of a marker: `~r` for the root, `~s:`, `~e:`, `~t:` for a service, its tag epoch
    /// and its tags.
    #[must_use]
    pub fn marker(&self, marker: &Marker) -> WireKey {
        let prefix = self.prefix.as_ref().map_or("", KeyPrefix::as_str);
        let colon = if prefix.is_empty() { "" } else { ":" };
        WireKey(match marker {
            Marker::Root => Text::join(&["~r", colon, prefix]),
            Marker::Service(service) => Text::join(&["~s:", prefix, colon, service.as_str()]),
            Marker::TagEpoch(service) => Text::join(&["~e:", prefix, colon, service.as_str()]),
            Marker::Tag(tag) => Text::join(&["~t:", self.entry(tag).as_str()]),
        })
    }

    fn decorated(&self, letter: &str, key: &Key) -> WireKey {
        WireKey(Text::join(&["~", letter, ":{", self.entry(key).as_str(), "}"]))
    }
}

const fn is_literal(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'~' | b'-')
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(is_literal)
}

fn encode(byte: u8, triple: &mut [u8; 3]) -> &str {
    *triple = if is_literal(byte) {
        [byte, 0, 0]
    } else {
        [b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]
    };
    let len = if is_literal(byte) { 1 } else { 3 };
    std::str::from_utf8(&triple[..len]).unwrap_or_default()
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn hex_digit(nibble: u8) -> char {
    char::from(HEX[usize::from(nibble & 0xf)].to_ascii_lowercase())
}
