//! Tests of `envelope`.

use proptest::prelude::*;

use super::*;
use crate::Key;

fn key() -> Key {
    Key::parse("migo:ruc_20131312955").unwrap()
}

fn value() -> Envelope {
    Envelope {
        schema: 7,
        loaded_at: Timestamp::from_millis(1_769_612_400_000),
        soft: Timestamp::from_millis(1_769_616_000_000),
        hard: Timestamp::from_millis(1_769_702_400_000),
        root: MarkerVersion::from_raw(1),
        service: MarkerVersion::from_raw(2),
        tags: vec![TagVersion {
            tag: "estado_activo".to_owned(),
            version: MarkerVersion::from_raw(3),
        }],
        negative: None,
        payload: Bytes::from_static(br#"{"ruc":"20131312955"}"#),
    }
}

fn negative() -> Envelope {
    Envelope {
        tags: Vec::new(),
        negative: Some(Negative {
            reason: "NO_EXISTE_SUNAT".to_owned(),
            first_seen: Timestamp::from_millis(1_769_000_000_000),
            last_seen: Timestamp::from_millis(1_769_612_400_000),
            attempts: 5,
        }),
        payload: Bytes::new(),
        ..value()
    }
}

/// The bytes of a version are for ever: stores hold them while programs change.
#[test]
fn version_1_stays_byte_for_byte() {
    let golden: [(&str, Envelope, &[u8]); 2] = [
        ("value", value(), include_bytes!("../../tests/golden/envelope-v1-value.bin")),
        ("negative", negative(), include_bytes!("../../tests/golden/envelope-v1-negative.bin")),
    ];
    for (name, envelope, bytes) in golden {
        assert_eq!(envelope.encode(&key()).unwrap(), bytes, "{name}");
        assert_eq!(Envelope::decode(&Bytes::from_static(bytes), &key()), Ok(envelope), "{name}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = negative().encode(&key()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let decoded = Envelope::decode(&flipped.into(), &key());
        assert!(
            matches!(decoded, Err(DecodeFailure::Magic | DecodeFailure::Checksum)),
            "bit {bit}: {decoded:?}"
        );
    }
}

#[test]
fn every_cut_is_found() {
    let bytes = value().encode(&key()).unwrap();
    for len in 0..bytes.len() {
        assert!(Envelope::decode(&bytes.slice(..len), &key()).is_err(), "{len} bytes");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(Envelope::decode(&longer.into(), &key()), Err(DecodeFailure::Checksum));
}

#[test]
fn envelope_of_another_key_is_told_apart() {
    let bytes = value().encode(&Key::parse("migo:ruc_20100038146").unwrap()).unwrap();
    assert_eq!(Envelope::decode(&bytes, &key()), Err(DecodeFailure::KeyMismatch));
}

#[test]
fn newer_format_is_told_apart_from_garbage() {
    let mut bytes = value().encode(&key()).unwrap().to_vec();
    bytes[4] = 2;
    assert_eq!(Envelope::decode(&bytes.clone().into(), &key()), Err(DecodeFailure::Magic));
    bytes[5] = !2;
    assert_eq!(Envelope::decode(&bytes.into(), &key()), Err(DecodeFailure::Newer));
    for foreign in [&b""[..], b"{}", b"\xCARUC", b"\xCARUC\x01\xFE"] {
        let decoded = Envelope::decode(&Bytes::from_static(foreign), &key());
        assert!(decoded.is_err(), "{foreign:?}");
    }
}

#[test]
fn reserved_bits_and_unknown_kinds_are_no_entry() {
    for at in 6..10 {
        let mut bytes = value().encode(&key()).unwrap().to_vec();
        bytes[at] = 9;
        let content = bytes.len() - 4;
        let checksum = crc32fast::hash(&bytes[..content]);
        bytes[content..].copy_from_slice(&checksum.to_le_bytes());
        let decoded = Envelope::decode(&bytes.into(), &key());
        assert_eq!(decoded, Err(DecodeFailure::Malformed), "byte {at}");
    }
}

#[test]
fn hard_deadline_is_never_before_the_soft_one() {
    let envelope = Envelope { hard: Timestamp::from_millis(0), ..value() };
    let read = Envelope::decode(&envelope.encode(&key()).unwrap(), &key()).unwrap();
    assert_eq!(read.hard, envelope.soft);
}

#[test]
fn limits_are_refused_with_the_number() {
    let tag = |tag: String| TagVersion { tag, version: MarkerVersion::from_raw(0) };
    let mut envelope = value();
    envelope.tags = (0..17).map(|n| tag(n.to_string())).collect();
    assert_eq!(envelope.encode(&key()), Err(EncodeError::TooManyTags { count: 17 }));
    envelope.tags = vec![tag("x".repeat(257))];
    assert_eq!(envelope.encode(&key()), Err(EncodeError::TagLength { len: 257 }));
    envelope.tags = vec![tag(String::new())];
    assert_eq!(envelope.encode(&key()), Err(EncodeError::TagLength { len: 0 }));
    let mut envelope = negative();
    if let Some(negative) = &mut envelope.negative {
        negative.reason = "x".repeat(257);
    }
    assert_eq!(envelope.encode(&key()), Err(EncodeError::ReasonLength { len: 257 }));
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    let tags = proptest::collection::vec(("[a-z]{1,20}", any::<u64>()), 0..=16);
    let negative = proptest::option::of((".{0,60}", any::<u64>(), any::<u64>(), any::<u32>()));
    let payload = proptest::collection::vec(any::<u8>(), 0..200);
    let stamps = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (any::<u32>(), stamps, tags, negative, payload).prop_map(
        |(schema, (loaded, soft, hard, root, service), tags, negative, payload)| Envelope {
            schema,
            loaded_at: Timestamp::from_millis(loaded),
            soft: Timestamp::from_millis(soft),
            hard: Timestamp::from_millis(soft.max(hard)),
            root: MarkerVersion::from_raw(root),
            service: MarkerVersion::from_raw(service),
            tags: tags
                .into_iter()
                .map(|(tag, raw)| TagVersion { tag, version: MarkerVersion::from_raw(raw) })
                .collect(),
            negative: negative.map(|(reason, first, last, attempts)| Negative {
                reason,
                first_seen: Timestamp::from_millis(first),
                last_seen: Timestamp::from_millis(last),
                attempts,
            }),
            payload: payload.into(),
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back(envelope in any_envelope()) {
        let bytes = envelope.encode(&key()).unwrap();
        prop_assert!(!bytes.is_empty());
        prop_assert_eq!(Envelope::decode(&bytes, &key()), Ok(envelope));
    }

    #[test]
    fn any_bytes_are_an_envelope_or_a_reason(bytes: Vec<u8>) {
        let _ = Envelope::decode(&bytes.into(), &key());
    }

    /// Past the checksum too: the content is garbage, the frame is right.
    #[test]
    fn any_framed_bytes_are_an_envelope_or_a_reason(content: Vec<u8>) {
        let mut bytes = [&MAGIC[..], &[VERSION, !VERSION], &content].concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let _ = Envelope::decode(&bytes.into(), &key());
    }
}
