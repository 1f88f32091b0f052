//! A counter or a marker as bytes: `rN`, 1, value u64, last millisecond u64, big-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Timestamp;

const MAGIC: [u8; 3] = *b"rN\x01";

/// A number with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: u64,
    /// The last millisecond at which it is alive.
    pub(super) until: Timestamp,
}

impl Number {
    pub(super) fn encode(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(MAGIC.len() + 16);
        bytes.put_slice(&MAGIC);
        bytes.put_u64(self.value);
        bytes.put_u64(self.until.as_millis());
        bytes.freeze()
    }

    /// The number that `bytes` are; `None` when nothing of this version wrote them.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut magic = [0; MAGIC.len()];
        bytes.try_copy_to_slice(&mut magic).ok()?;
        let value = bytes.try_get_u64().ok()?;
        let until = Timestamp::from_millis(bytes.try_get_u64().ok()?);
        (magic == MAGIC && bytes.is_empty()).then_some(Self { value, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_bytes_are_no_number() {
        let number = Number { value: 7, until: Timestamp::from_millis(9) };
        let bytes = number.encode();
        assert_eq!(Number::decode(&bytes), Some(number));
        assert_eq!(Number::decode(&bytes[..18]), None);
        assert_eq!(Number::decode(&[&bytes[..], b"x"].concat()), None);
        assert_eq!(Number::decode(b"0000000000000000000"), None);
    }
}
