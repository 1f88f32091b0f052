//! The register's character encoding: ISO-8859-1, with the cp1252 bytes that stray into it.

use std::borrow::Cow;

/// What the bytes 0x80–0x9F mean in cp1252; the five it leaves undefined become U+FFFD.
const CP1252: [char; 32] = [
    '€', '\u{FFFD}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{FFFD}', 'Ž',
    '\u{FFFD}', '\u{FFFD}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{FFFD}',
    'ž', 'Ÿ',
];

/// The text of register bytes.
///
/// ISO-8859-1 gives 0x80–0x9F to control characters no name contains, so those bytes are read as
/// cp1252. A carriage return inside a line becomes a space.
/// ASCII, which most fields are, is borrowed.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() && !bytes.contains(&b'\r') => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|&byte| character(byte)).collect()),
    }
}

/// The bytes of a text in the register's encoding, or nothing if a character has none there.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(byte).collect()
}

/// How many bytes are cp1252's and not ISO-8859-1's.
pub(crate) fn count_cp1252(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return 0;
    }
    bytes.iter().filter(|&&byte| is_cp1252(byte)).count()
}

fn is_cp1252(byte: u8) -> bool {
    (0x80..=0x9F).contains(&byte)
}

fn character(byte: u8) -> char {
    match byte {
        b'\r' => ' ',
        0x80..=0x9F => CP1252[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

fn byte(character: char) -> Option<u8> {
    if let Some(place) = CP1252.iter().position(|&known| known == character)
        && character != char::REPLACEMENT_CHARACTER
    {
        return u8::try_from(0x80 + place).ok();
    }
    u8::try_from(u32::from(character)).ok().filter(|&byte| !is_cp1252(byte))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{count_cp1252, decode, encode};

    #[test]
    fn ascii_is_borrowed() {
        assert!(matches!(decode(b"AV. LIMA 123"), Cow::Borrowed("AV. LIMA 123")));
    }

    #[test]
    fn latin_1_and_cp1252_bytes_are_read() {
        assert_eq!(decode(b"COMPA\xD1IA \x93SUR\x94 \x80"), "COMPAÑIA “SUR” €");
        assert_eq!(decode(b"\x81\x8D\x8F\x90\x9D"), "\u{FFFD}".repeat(5));
    }

    #[test]
    fn utf_8_bytes_are_not_taken_for_utf_8() {
        assert_eq!(decode("Ñ".as_bytes()), "Ã‘");
    }

    #[test]
    fn bare_carriage_return_becomes_a_space() {
        assert_eq!(decode(b"LIMA\rSUR"), "LIMA SUR");
    }

    #[test]
    fn every_defined_byte_round_trips() {
        let undefined = [0x81, 0x8D, 0x8F, 0x90, 0x9D];
        for byte in (0..=255).filter(|byte| *byte != b'\r' && !undefined.contains(byte)) {
            assert_eq!(encode(&decode(&[byte])), Some(vec![byte]), "byte {byte:#04x}");
        }
        assert_eq!(encode("水"), None);
        assert_eq!(encode("\u{81}"), None);
    }

    #[test]
    fn cp1252_bytes_are_counted() {
        assert_eq!(count_cp1252(b"plain"), 0);
        assert_eq!(count_cp1252(b"\xD1\x80\x9F\xA0"), 2);
    }
}
