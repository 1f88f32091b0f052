//! Writing an envelope.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    EncodeError, Envelope, KIND_NEGATIVE, KIND_VALUE, MAGIC, MAX_REASON_LEN, MAX_TAG_LEN, MAX_TAGS,
    VERSION,
};
use crate::Key;

/// Everything but key, tags, reason and payload.
const FIXED_LEN: usize = 100;

impl Envelope {
    /// What an envelope of `key` without tags needs besides its payload, in bytes, at most.
    #[must_use]
    pub fn overhead(key: &Key) -> usize {
        FIXED_LEN + key.as_str().len()
    }

    /// The bytes to store for `key`. Never empty.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when a tag, the reason or the payload passes its limit.
    pub fn encode(&self, key: &Key) -> Result<Bytes, EncodeError> {
        let tags_len: usize = self.tags.iter().map(|tag| tag.tag.len() + 10).sum();
        let len = FIXED_LEN + key.as_str().len() + tags_len + self.payload.len();
        let mut out = BytesMut::with_capacity(len);
        out.put_slice(&MAGIC);
        out.put_u8(VERSION);
        out.put_u8(!VERSION);
        out.put_u8(if self.negative.is_some() { KIND_NEGATIVE } else { KIND_VALUE });
        out.put_bytes(0, 3);
        out.put_u32_le(self.schema);
        out.put_u64_le(self.loaded_at.as_millis());
        out.put_u64_le(self.soft.as_millis());
        out.put_u64_le(self.hard.max(self.soft).as_millis());
        out.put_u64_le(self.root.as_raw());
        out.put_u64_le(self.service.as_raw());
        put_long(&mut out, key.as_str().as_bytes())?;
        self.put_tags(&mut out)?;
        if let Some(negative) = &self.negative {
            let len = negative.reason.len();
            let short = u16::try_from(len).ok().filter(|_| len <= MAX_REASON_LEN);
            out.put_u16_le(short.ok_or(EncodeError::ReasonLength { len })?);
            out.put_slice(negative.reason.as_bytes());
            out.put_u64_le(negative.first_seen.as_millis());
            out.put_u64_le(negative.last_seen.as_millis());
            out.put_u32_le(negative.attempts);
        }
        put_long(&mut out, &self.payload)?;
        let checksum = crc32fast::hash(&out);
        out.put_u32_le(checksum);
        Ok(out.freeze())
    }

    fn put_tags(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let count = self.tags.len();
        let short = u8::try_from(count).ok().filter(|_| count <= MAX_TAGS);
        out.put_u8(short.ok_or(EncodeError::TooManyTags { count })?);
        for tag in &self.tags {
            let len = tag.tag.len();
            let short = u16::try_from(len).ok().filter(|_| (1..=MAX_TAG_LEN).contains(&len));
            out.put_u16_le(short.ok_or(EncodeError::TagLength { len })?);
            out.put_slice(tag.tag.as_bytes());
            out.put_u64_le(tag.version.as_raw());
        }
        Ok(())
    }
}

fn put_long(out: &mut BytesMut, bytes: &[u8]) -> Result<(), EncodeError> {
    let len = bytes.len();
    out.put_u32_le(u32::try_from(len).map_err(|_| EncodeError::PayloadLength { len })?);
    out.put_slice(bytes);
    Ok(())
}
