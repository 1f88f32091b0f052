//! Tests of `key`.

use proptest::prelude::*;

use super::*;
use crate::backend::Marker;

fn key(service: &str, name: &str) -> Key {
    Key::new(&ServiceName::new(service).unwrap(), name).unwrap()
}

fn wire(service: &str, name: &str) -> String {
    KeyCodec::default().entry(&key(service, name)).as_str().to_owned()
}

#[test]
fn usual_key_is_its_own_wire_form() {
    assert_eq!(wire("migo", "ruc_20131312955"), "migo:ruc_20131312955");
    assert_eq!(wire("nubefact", "invoice_INV-001"), "nubefact:invoice_INV-001");
    const RUC: KeyKind = KeyKind::new("ruc");
    let service = ServiceName::new("migo").unwrap();
    let of_number = Key::of_number(&service, RUC, 20_131_312_955);
    assert_eq!(of_number, key("migo", "ruc_20131312955"));
    assert_eq!(Key::of_number(&service, RUC, 0).name(), "ruc_0");
    assert_eq!(Key::of_number(&service, RUC, u64::MAX).name(), "ruc_18446744073709551615");
    for len in [10, 13, 14, 15, 32] {
        // At and around the length that stays off the heap.
        let service = ServiceName::new(&"s".repeat(len)).unwrap();
        let name = "ruc_18446744073709551615";
        assert_eq!(Key::of_number(&service, RUC, u64::MAX), key(service.as_str(), name));
    }
    let of_kind = Key::of_kind(&service, "ruc", 20_131_312_955_u64).unwrap();
    assert_eq!(of_kind, key("migo", "ruc_20131312955"));
}

#[test]
fn usual_keys_stay_off_the_heap() {
    assert_eq!(key("migo", "ruc_20131312955").heap_len(), 0);
    assert_eq!(key("default", "estadisticas_usuarios").heap_len(), 0);
    assert_eq!(key("migo", "exchange_USD_2026-01-28").heap_len(), 0);
    assert_eq!(size_of::<Key>(), 40);
}

#[test]
fn everything_outside_the_plain_set_is_percent_encoded() {
    assert_eq!(wire("migo", "a b"), "migo:a%20b");
    assert_eq!(wire("migo", "a_b"), "migo:a_b");
    assert_eq!(wire("migo", "a:b%é\r\n\0"), "migo:a%3Ab%25%C3%A9%0D%0A%00");
    assert_eq!(wire("migo", "~l:{x}"), "migo:~l%3A%7Bx%7D");
}

#[test]
fn parts_cannot_be_shifted_across_the_separator() {
    let prefixed = KeyCodec::with_prefix(KeyPrefix::new("electro").unwrap());
    assert_eq!(prefixed.entry(&key("migo", "x")).as_str(), "electro:migo:x");
    assert_eq!(wire("electro", "migo:x"), "electro:migo%3Ax");
    assert_ne!(wire("migo", "ruc_1"), wire("migo_ruc", "1"));
}

#[test]
fn long_names_keep_a_readable_head_and_their_hash() {
    let longest = "n".repeat(235);
    assert_eq!(wire("migo", &longest).len(), 240);
    let hashed = wire("migo", &"n".repeat(236));
    assert_eq!(hashed.len(), 240);
    assert!(hashed.starts_with("migo:nnnn"));
    let (_, hash) = hashed.split_once('#').unwrap();
    // sha256 of "migo:" and 236 times "n", from sha256sum.
    assert_eq!(hash, "b55920aecd2e0b2a60f858d21456c8d62d588dfbee738dcb5d0e241fd541bc16");
}

#[test]
fn the_head_is_not_cut_inside_an_encoded_byte() {
    for spaces in 60..90 {
        let hashed = wire("migo", &" ".repeat(spaces));
        let Some((head, _)) = hashed.split_once('#') else {
            continue;
        };
        assert!(head.ends_with("%20"), "{head}");
    }
}

#[test]
fn every_slot_of_the_cache_fits_and_begins_with_a_tilde() {
    let codec = KeyCodec::with_prefix(KeyPrefix::new(&"p".repeat(32)).unwrap());
    let key = key(&"s".repeat(32), &"é".repeat(32 * 1024));
    let service = key.service_name();
    let entry = codec.entry(&key);
    assert!(!entry.as_str().starts_with('~'));
    let markers = [
        Marker::Root,
        Marker::Service(service.clone()),
        Marker::TagEpoch(service),
        Marker::Tag(key.clone()),
    ];
    let own = [codec.lease(&key), codec.counter(&key), codec.map(&key)];
    for slot in own.into_iter().chain(markers.iter().map(|marker| codec.marker(marker))) {
        assert!(slot.as_str().starts_with('~'), "{}", slot.as_str());
        assert!(slot.as_bytes().len() <= MAX_WIRE_LEN);
        assert!(slot.as_bytes().iter().all(u8::is_ascii_graphic));
    }
    let lease = codec.lease(&key);
    let (_, tag) = lease.as_str().split_once('{').unwrap();
    assert_eq!(tag, format!("{}}}", entry.as_str()));
}

#[test]
fn names_have_one_byte_to_64_kib() {
    let service = ServiceName::default();
    assert_eq!(Key::new(&service, ""), Err(InvalidKey::EmptyName));
    assert!(Key::new(&service, &"x".repeat(65_536)).is_ok());
    let len = 65_537;
    assert_eq!(Key::new(&service, &"x".repeat(len)), Err(InvalidKey::NameTooLong { len }));
    assert_eq!(Key::parse("no-separator"), Err(InvalidKey::NoSeparator));
    assert_eq!(Key::parse("migo:a:b").unwrap().name(), "a:b");
}

#[test]
fn services_keep_to_their_form() {
    for right in ["migo", "0", "a.b_c-d", &"a".repeat(32)] {
        assert_eq!(ServiceName::new(right).unwrap().as_str(), right);
    }
    let wrong =
        [("", 1), ("Migo", 1), ("_a", 1), ("mi go", 3), ("mi:go", 3), (&"a".repeat(33), 33)];
    for (text, position) in wrong {
        assert_eq!(ServiceName::new(text), Err(InvalidKey::Service { position }), "{text}");
    }
}

#[test]
fn names_of_others_do_not_decode() {
    let bare = KeyCodec::default();
    let prefixed = KeyCodec::with_prefix(KeyPrefix::new("electro").unwrap());
    for wire in ["", "~", "~x:migo", "migo", "migo:", "migo:a b", "migo:%2", "migo:%61", "Migo:a"] {
        assert_eq!(bare.decode(wire), None, "{wire}");
    }
    assert_eq!(bare.decode("electro:migo:x"), None);
    assert_eq!(prefixed.decode("migo:x"), None);
    assert_eq!(prefixed.decode("~r"), None);
    assert_eq!(bare.decode("~r:electro"), None);
}

#[test]
fn debug_does_not_show_the_name() {
    let shown = format!("{:?}", key("migo", "ruc_10000000006"));
    assert_eq!(shown, "Key(migo:[15 bytes])");
}

/// Names that are likely to collide: short, from a small set of awkward characters.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(
            prop::sample::select(vec!["a", "_", " ", ":", "%", "2", "0", "~", "#", "é", "\0"]),
            1..12
        )
        .prop_map(|parts| parts.concat()),
        ("[a ]{230,245}", any::<u8>()).prop_map(|(head, tail)| format!("{head}{tail}")),
        any::<String>().prop_filter("not empty", |name| !name.is_empty()),
    ]
}

proptest! {
    #[test]
    fn different_keys_have_different_wire_forms(a in awkward(), b in awkward(), one in 0..3_usize, two in 0..3_usize) {
        let services = ["a", "a_a", "a.a"];
        let codec = KeyCodec::default();
        let (a, b) = (key(services[one], &a), key(services[two], &b));
        prop_assert_eq!(codec.entry(&a) == codec.entry(&b), a == b);
    }

    #[test]
    fn wire_forms_decode_to_what_they_name(name in awkward(), prefixed: bool) {
        let codec = if prefixed {
            KeyCodec::with_prefix(KeyPrefix::new("electro_isla").unwrap())
        } else {
            KeyCodec::default()
        };
        let key = key("migo", &name);
        let service = key.service_name();
        let hashed = codec.entry(&key).as_str().contains('#');
        let expect = |slot| if hashed { SlotName::Hashed(service.clone()) } else { slot };
        let decode = |wire: &WireKey| codec.decode(wire.as_str());
        prop_assert_eq!(decode(&codec.entry(&key)), Some(expect(SlotName::Entry(key.clone()))));
        let tag = Marker::Tag(key.clone());
        prop_assert_eq!(decode(&codec.marker(&tag)), Some(expect(SlotName::Marker(tag.clone()))));
        for marker in [
            Marker::Root,
            Marker::Service(service.clone()),
            Marker::TagEpoch(service.clone()),
        ] {
            prop_assert_eq!(decode(&codec.marker(&marker)), Some(SlotName::Marker(marker.clone())));
        }
        for own in [codec.lease(&key), codec.counter(&key), codec.map(&key)] {
            prop_assert_eq!(decode(&own), Some(SlotName::Own));
        }
    }

    #[test]
    fn what_decodes_is_the_name_of_it(wire: String, parts in "(~[rsetlnm]:?)?[a-z:%20AF{}#]{0,20}") {
        let codec = KeyCodec::default();
        for wire in [wire, parts] {
            match codec.decode(&wire) {
                Some(SlotName::Entry(key)) => {
                    prop_assert_eq!(codec.entry(&key).as_str().to_owned(), wire);
                }
                Some(SlotName::Marker(marker)) => {
                    prop_assert_eq!(codec.marker(&marker).as_str().to_owned(), wire);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn wire_forms_are_printable_and_short(name in awkward()) {
        let wire = wire("migo", &name);
        prop_assert!(wire.len() <= 240);
        prop_assert!(wire.bytes().all(|byte| byte.is_ascii_graphic()));
    }

    #[test]
    fn canonical_text_reads_back(name in awkward()) {
        let key = key("migo", &name);
        prop_assert_eq!(key.name(), &*name);
        prop_assert_eq!(key.service(), "migo");
        prop_assert_eq!(Key::parse(key.as_str()).unwrap(), key);
    }
}
