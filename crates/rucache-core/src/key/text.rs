//! A short immutable text that lives inside its owner.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Bytes that fit inside a [`Text`]: keeps it at 40 bytes in all.
const INLINE_LEN: usize = 38;

/// An immutable text: up to 38 bytes inside, longer ones shared. Cloning never allocates.
///
/// Equal texts always have the same form, so comparing forms compares texts.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Text {
    Inline { len: u8, bytes: [u8; INLINE_LEN] },
    Shared(Arc<str>),
}

impl Text {
    /// Joins `parts`, allocating only past 38 bytes.
    pub(super) fn join(parts: &[&str]) -> Self {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut bytes = [0; INLINE_LEN];
        match u8::try_from(len) {
            Ok(short) if len <= INLINE_LEN => {
                let mut rest = &mut bytes[..];
                for part in parts {
                    let (head, tail) = rest.split_at_mut(part.len());
                    head.copy_from_slice(part.as_bytes());
                    rest = tail;
                }
                Self::Inline { len: short, bytes }
            }
            _ => Self::Shared(parts.concat().into()),
        }
    }

    /// `{service}:{kind}_{number}`.
    pub(super) fn numbered(service: &Self, kind: &str, number: u64) -> Self {
        let head = service.as_bytes();
        let kind_at = head.len() + 1;
        let digits_at = kind_at + kind.len() + 1;
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let len = digits_at + digits;
        let short = match u8::try_from(len) {
            Ok(short) if len <= INLINE_LEN => short,
            _ => return Self::join(&[service.as_str(), ":", kind, "_", &number.to_string()]),
        };
        let mut bytes = [0; INLINE_LEN];
        bytes[..head.len()].copy_from_slice(head);
        bytes[head.len()] = b':';
        bytes[kind_at..digits_at - 1].copy_from_slice(kind.as_bytes());
        bytes[digits_at - 1] = b'_';
        let mut rest = number;
        for place in bytes[digits_at..len].iter_mut().rev() {
            // A remainder of ten is a digit.
            *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Self::Inline { len: short, bytes }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // Whole UTF-8 parts went in, so this never falls back.
            Self::Inline { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Shared(text) => text,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Shared(text) => text.as_bytes(),
        }
    }

    /// Bytes on the heap that this text keeps alive.
    pub(super) fn heap_len(&self) -> usize {
        match self {
            Self::Inline { .. } => 0,
            Self::Shared(text) => text.len(),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::join(&[text])
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
        state.write_u8(0xff);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}
