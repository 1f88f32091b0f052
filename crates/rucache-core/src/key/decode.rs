//! The way back from a name in a store to what it is the name of.

use super::codec::{KeyCodec, KeyPrefix};
use super::{Key, ServiceName};
use crate::backend::Marker;

/// What a name in a store is the name of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotName {
    /// An entry.
    Entry(Key),
    /// A marker.
    Marker(Marker),
    /// An entry or a tag of this service whose name was too long: its hash has no way back.
    Hashed(ServiceName),
    /// A lease, a counter or a map.
    Own,
}

impl KeyCodec {
    /// What `wire` is the name of; `None` for a name that this codec does not write: another
    /// deployment's, or another program's.
    #[must_use]
    pub fn decode(&self, wire: &str) -> Option<SlotName> {
        let Some(own) = wire.strip_prefix('~') else { return self.decode_entry(wire) };
        let (letter, rest) = own.split_at_checked(1)?;
        let marker = match (letter, rest.strip_prefix(':')) {
            ("r", rest) if rest.unwrap_or_default() == self.prefix_text() => Marker::Root,
            ("s", Some(rest)) => Marker::Service(self.decode_service(rest)?),
            ("e", Some(rest)) => Marker::TagEpoch(self.decode_service(rest)?),
            ("t", Some(rest)) => match self.decode_entry(rest)? {
                SlotName::Entry(tag) => Marker::Tag(tag),
                hashed => return Some(hashed),
            },
            ("l" | "n" | "m", Some(rest)) => {
                let name = rest.strip_prefix('{')?.split('}').next()?;
                return self.decode_entry(name).map(|_| SlotName::Own);
            }
            _ => return None,
        };
        (self.marker(&marker).as_str() == wire).then_some(SlotName::Marker(marker))
    }

    fn decode_entry(&self, wire: &str) -> Option<SlotName> {
        let (service, name) = self.without_prefix(wire)?.split_once(':')?;
        let service = ServiceName::new(service).ok()?;
        if name.contains('#') {
            return Some(SlotName::Hashed(service));
        }
        let key = Key::new(&service, &percent_decoded(name)?).ok()?;
        // Only the one form that encoding gives is ours.
        (self.entry(&key).as_str() == wire).then_some(SlotName::Entry(key))
    }

    fn decode_service(&self, text: &str) -> Option<ServiceName> {
        ServiceName::new(self.without_prefix(text)?).ok()
    }

    fn without_prefix<'w>(&self, wire: &'w str) -> Option<&'w str> {
        match self.prefix() {
            None => Some(wire),
            Some(prefix) => wire.strip_prefix(prefix.as_str())?.strip_prefix(':'),
        }
    }

    fn prefix_text(&self) -> &str {
        self.prefix().map_or("", KeyPrefix::as_str)
    }
}

fn percent_decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}
