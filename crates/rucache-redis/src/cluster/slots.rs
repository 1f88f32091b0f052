//! The slot of a key: CRC-16 of what stands in its braces, as the Redis Cluster specification has it.

/// Number of slots.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of `key`.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(hashed_part(key)) % SLOTS
}

/// What stands between the first `{` and the `}` after it, where that is not empty.
fn hashed_part(key: &[u8]) -> &[u8] {
    let braced = || {
        let open = key.iter().position(|byte| *byte == b'{')?;
        let inside = key.get(open + 1..)?;
        let close = inside.iter().position(|byte| *byte == b'}')?;
        inside.get(..close).filter(|inside| !inside.is_empty())
    };
    braced().unwrap_or(key)
}

/// CRC-16/XMODEM: polynomial 0x1021, no reflection, nothing added.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        let at = (crc >> 8) ^ u16::from(*byte);
        (crc << 8) ^ TABLE[usize::from(at & 0xff)]
    })
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut at: u16 = 0;
    while at < 256 {
        let mut crc = at << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[at as usize] = crc;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // As `CLUSTER KEYSLOT` answers.
        assert_eq!(slot_of(b"migo:ruc_20131312955"), 8485);
        assert_eq!(slot_of(b"~r"), 13699);
        assert_eq!(slot_of(b"~s:migo"), 7567);
        assert_eq!(slot_of(b"~e:migo"), 2794);
    }

    #[test]
    fn an_entrys_own_slots_are_together() {
        for name in ["~l:{migo:ruc_20131312955}", "~m:{migo:ruc_20131312955}:x"] {
            assert_eq!(slot_of(name.as_bytes()), 8485, "{name}");
        }
    }

    #[test]
    fn empty_and_open_braces_are_part_of_the_name() {
        assert_eq!(hashed_part(b"a{}b"), b"a{}b");
        assert_eq!(hashed_part(b"a{b"), b"a{b");
        assert_eq!(hashed_part(b"{a}{b}"), b"a");
    }
}
