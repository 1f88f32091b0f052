//! Reading an envelope from bytes that anybody may have written.

use bytes::{Buf, Bytes};

use super::{
    DecodeFailure, Envelope, KIND_NEGATIVE, KIND_VALUE, MAGIC, MAX_REASON_LEN, MAX_TAG_LEN,
    MAX_TAGS, Negative, TagVersion, VERSION,
};
use crate::{Key, MarkerVersion, Timestamp};

const CHECKSUM_LEN: usize = 4;

impl Envelope {
    /// Reads the envelope of `key`. The payload shares the memory of `bytes`; nothing is allocated
    /// before the checksum has been found right.
    ///
    /// # Errors
    ///
    /// [`DecodeFailure`], which a caller counts and takes for a miss.
    pub fn decode(bytes: &Bytes, key: &Key) -> Result<Self, DecodeFailure> {
        let content = checked_content(bytes)?;
        let mut reader = Reader(bytes.slice(MAGIC.len() + 2..content));
        let kind = reader.u8()?;
        if reader.u8()? != 0 || reader.u16()? != 0 {
            return Err(DecodeFailure::Malformed);
        }
        let schema = reader.u32()?;
        let loaded_at = reader.timestamp()?;
        let soft = reader.timestamp()?;
        let hard = reader.timestamp()?;
        let root = reader.marker()?;
        let service = reader.marker()?;
        if reader.long()? != key.as_str().as_bytes() {
            return Err(DecodeFailure::KeyMismatch);
        }
        let tags = reader.tags()?;
        let negative = match kind {
            KIND_VALUE => None,
            KIND_NEGATIVE => Some(reader.negative()?),
            _ => return Err(DecodeFailure::Malformed),
        };
        let payload = reader.long()?;
        if !reader.0.is_empty() {
            return Err(DecodeFailure::Length);
        }
        Ok(Self { schema, loaded_at, soft, hard, root, service, tags, negative, payload })
    }
}

/// The end of the content in `bytes`, once magic, version and checksum have been found right.
fn checked_content(bytes: &Bytes) -> Result<usize, DecodeFailure> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(DecodeFailure::Magic);
    };
    if *magic != MAGIC {
        return Err(DecodeFailure::Magic);
    }
    match rest {
        [VERSION, complement, ..] if *complement == !VERSION => {}
        [version, complement, ..] if *complement == !*version => return Err(DecodeFailure::Newer),
        _ => return Err(DecodeFailure::Magic),
    }
    let Some((content, checksum)) = bytes.split_last_chunk::<CHECKSUM_LEN>() else {
        return Err(DecodeFailure::Length);
    };
    if content.len() < MAGIC.len() + 2 {
        return Err(DecodeFailure::Length);
    }
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(DecodeFailure::Checksum);
    }
    Ok(content.len())
}

/// What is left of the content. Every read checks the length first.
struct Reader(Bytes);

impl Reader {
    fn take(&mut self, len: usize) -> Result<Bytes, DecodeFailure> {
        if self.0.len() < len {
            return Err(DecodeFailure::Length);
        }
        Ok(self.0.split_to(len))
    }

    fn u8(&mut self) -> Result<u8, DecodeFailure> {
        Ok(self.take(1)?.get_u8())
    }

    fn u16(&mut self) -> Result<u16, DecodeFailure> {
        Ok(self.take(2)?.get_u16_le())
    }

    fn u32(&mut self) -> Result<u32, DecodeFailure> {
        Ok(self.take(4)?.get_u32_le())
    }

    fn u64(&mut self) -> Result<u64, DecodeFailure> {
        Ok(self.take(8)?.get_u64_le())
    }

    fn timestamp(&mut self) -> Result<Timestamp, DecodeFailure> {
        self.u64().map(Timestamp::from_millis)
    }

    fn marker(&mut self) -> Result<MarkerVersion, DecodeFailure> {
        self.u64().map(MarkerVersion::from_raw)
    }

    /// Bytes behind a length of 4 bytes.
    fn long(&mut self) -> Result<Bytes, DecodeFailure> {
        let len = usize::try_from(self.u32()?).map_err(|_| DecodeFailure::Length)?;
        self.take(len)
    }

    /// A text of at most `max` bytes behind a length of 2 bytes.
    fn text(&mut self, max: usize) -> Result<String, DecodeFailure> {
        let len = usize::from(self.u16()?);
        if len > max {
            return Err(DecodeFailure::Malformed);
        }
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| DecodeFailure::Malformed)
    }

    fn tags(&mut self) -> Result<Vec<TagVersion>, DecodeFailure> {
        let count = usize::from(self.u8()?);
        if count > MAX_TAGS {
            return Err(DecodeFailure::Malformed);
        }
        let mut tag = || Ok(TagVersion { tag: self.text(MAX_TAG_LEN)?, version: self.marker()? });
        (0..count).map(|_| tag()).collect()
    }

    fn negative(&mut self) -> Result<Negative, DecodeFailure> {
        Ok(Negative {
            reason: self.text(MAX_REASON_LEN)?,
            first_seen: self.timestamp()?,
            last_seen: self.timestamp()?,
            attempts: self.u32()?,
        })
    }
}
