//! Numbers: the vectors, the property of the check digit, hostile texts.

use proptest::prelude::*;
use rucache_ruc::{InvalidRuc, LimaDate, Prefix, PrefixPolicy, Ruc, Rule};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/ruc_vectors.json")).expect("a JSON file")
}

fn list<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    vectors[name].as_array().expect("a list of vectors")
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().expect("a text in the vector")
}

fn refused(text: &str) -> InvalidRuc {
    text.parse::<Ruc>().expect_err("a text that is no RUC")
}

#[test]
fn every_real_and_synthetic_number_is_accepted_and_comes_back() {
    let vectors = vectors();
    let numbers = [list(&vectors, "valid"), list(&vectors, "synthetic_well_formed")].concat();
    assert_eq!(numbers.len(), 50);
    for vector in &numbers {
        let digits = text(vector, "ruc");
        let ruc: Ruc = digits.parse().expect("a valid vector");
        assert_eq!(ruc.to_string(), digits);
        assert_eq!(ruc.to_ascii(), digits.as_bytes());
        assert_eq!(Ruc::try_from(ruc.as_u64()), Ok(ruc));
        assert_eq!(Ruc::from_first_ten(ruc.as_u64() / 10), Ok(ruc));
        assert_eq!(serde_json::to_value(ruc).expect("JSON"), Value::from(digits));
        assert_eq!(serde_json::from_value::<Ruc>(Value::from(digits)).expect("a RUC"), ruc);
        assert_eq!(serde_json::from_value::<Ruc>(ruc.as_u64().into()).expect("a RUC"), ruc);
    }
}

#[test]
fn every_invalid_vector_breaks_the_rule_that_it_states() {
    let vectors = vectors();
    let invalid = list(&vectors, "invalid");
    assert_eq!(invalid.len(), 36);
    for vector in invalid {
        let why = text(vector, "why");
        let error = refused(text(vector, "ruc"));
        let rule = match text(vector, "class") {
            "length" => Rule::Length,
            "format" => Rule::Digits,
            "prefix" => Rule::Prefix,
            "checksum" => Rule::CheckDigit,
            other => panic!("unknown class {other}"),
        };
        assert_eq!(error.rule(), rule, "{why}");
        let expected = why.split_once("expected ").map(|(_, rest)| rest.as_bytes()[0] - b'0');
        assert_eq!(error.expected(), expected, "{why}");
    }
}

#[test]
fn separators_are_refused_by_strict_and_ignored_by_lenient_parsing() {
    let vectors = vectors();
    let sunat: Ruc = "20131312955".parse().expect("a RUC");
    let mut inputs: Vec<&str> =
        list(&vectors, "separator_forms").iter().map(|vector| text(vector, "input")).collect();
    inputs.extend([
        "\u{feff}20131312955",
        "20-13131295-5",
        "20.131.312.955",
        "\u{a0}20131312955 ",
        "20131312955.",
    ]);
    for input in inputs {
        assert_eq!(refused(input).rule(), Rule::Length, "{input:?}");
        assert_eq!(Ruc::parse_lenient(input), Ok(sunat), "{input:?}");
    }
}

#[test]
fn some_changes_of_one_digit_pass_the_check() {
    for vector in list(&vectors(), "undetected_errors") {
        assert!(text(vector, "corrupted").parse::<Ruc>().is_ok());
        assert_ne!(text(vector, "corrupted"), text(vector, "real"));
    }
}

#[test]
fn spreadsheet_damage_is_named_and_not_repaired() {
    for (damaged, word) in [
        ("20131312955.0", "decimal"),
        (" 20131312955.00\n", "decimal"),
        ("20131312955,0", "decimal"),
        ("2.0131312955E10", "scientific"),
        ("2.0131312955e+10", "scientific"),
        ("2,01313E+10", "scientific"),
    ] {
        let error = Ruc::parse_lenient(damaged).expect_err("a damaged number");
        assert_eq!(error.rule(), Rule::Length, "{damaged}");
        assert!(error.hint().is_some_and(|hint| hint.contains(word)), "{damaged}");
        assert_eq!(refused(damaged).hint(), error.hint(), "{damaged}");
    }
    for sound in ["", "abc", "2013131295", "20131312956", "20131312956.", "1.5E"] {
        assert_eq!(Ruc::parse_lenient(sound).expect_err("no RUC").hint(), None, "{sound}");
    }
}

#[test]
fn digits_of_other_scripts_are_never_accepted() {
    for digits in ["٢٠١٣١٣١٢٩٥٥", "２０１３１３１２９５５", "2013131295５"] {
        assert_eq!(refused(digits).rule(), Rule::Digits);
        assert_eq!(Ruc::parse_lenient(digits).map_err(|e| e.rule()), Err(Rule::Digits));
    }
}

#[test]
fn rules_are_checked_in_order() {
    assert_eq!(refused("9A").rule(), Rule::Length);
    assert_eq!(refused("9A000000000").rule(), Rule::Digits);
    assert_eq!(refused("99000000000").rule(), Rule::Prefix);
    assert_eq!(refused("20000000000").rule(), Rule::CheckDigit);
    let names =
        ["9A", "9A000000000", "99000000000", "20000000000"].map(|t| refused(t).rule().as_str());
    assert_eq!(names, ["length", "digits", "prefix", "check_digit"]);
}

#[test]
fn historic_prefix_is_a_matter_of_policy() {
    let historic = "16000000004";
    let ruc = Ruc::parse(historic, PrefixPolicy::AcceptHistoric).expect("accepted by default");
    assert_eq!(ruc.prefix(), Prefix::Historic);
    let refused = Ruc::parse(historic, PrefixPolicy::RefuseHistoric).expect_err("refused");
    assert_eq!(refused.rule(), Rule::Prefix);
    assert!(Ruc::parse("20131312955", PrefixPolicy::RefuseHistoric).is_ok());
}

#[test]
fn numbers_of_persons_are_masked_in_debug_only() {
    for (digits, personal) in [
        ("10000000006", true),
        ("15000000008", true),
        ("16000000004", false),
        ("17000000009", true),
        ("20131312955", false),
    ] {
        let ruc = Ruc::from_first_ten(digits[..10].parse().expect("ten digits")).expect("a RUC");
        assert_eq!(ruc.is_personal(), personal, "{digits}");
        assert_eq!(format!("{ruc:?}").contains(&digits[2..10]), !personal, "{digits}");
        assert_eq!(ruc.prefix().as_str(), &digits[..2]);
        assert_eq!(ruc.prefix().code().to_string(), digits[..2]);
    }
}

#[test]
fn integers_of_another_length_are_refused() {
    for number in [0, 9, 2_013_131_295, 9_999_999_999, 100_000_000_000, u64::MAX] {
        assert_eq!(Ruc::try_from(number).map_err(|e| e.rule()), Err(Rule::Length), "{number}");
    }
    assert_eq!(Ruc::from_first_ten(u64::MAX).map_err(|e| e.rule()), Err(Rule::Length));
    assert_eq!(Ruc::from_first_ten(9_900_000_000).map_err(|e| e.rule()), Err(Rule::Prefix));
}

#[test]
fn errors_never_hold_the_number() {
    for json in
        ["\"10000000007\"", "10000000007", "10000000007.5", "-10000000007", "\"1000000000\""]
    {
        let error = serde_json::from_str::<Ruc>(json).expect_err("no RUC").to_string();
        assert!(!error.contains("1000000000"), "{error}");
    }
    let error = refused("10000000007");
    assert_eq!(
        error.to_string(),
        "not a RUC: the last digit must be 6; check the number for a typing error"
    );
    assert!(!format!("{error:?}").contains("1000000000"));
}

proptest! {
    #[test]
    fn exactly_one_last_digit_fits_any_first_ten(
        prefix in prop::sample::select(Prefix::ALL.to_vec()),
        eight in 0_u64..100_000_000,
    ) {
        let ten = u64::from(prefix.code()) * 100_000_000 + eight;
        let fitting: Vec<u64> =
            (0..10).filter(|last| Ruc::try_from(ten * 10 + last).is_ok()).collect();
        prop_assert_eq!(fitting, vec![u64::from(Ruc::check_digit(ten))]);
        for last in 0..10 {
            let parsed = format!("{ten}{last}").parse::<Ruc>();
            prop_assert_eq!(parsed, Ruc::try_from(ten * 10 + last));
            if let Err(error) = parsed {
                prop_assert_eq!(error.expected(), Some(Ruc::check_digit(ten)));
            }
        }
    }

    #[test]
    fn no_text_makes_parsing_panic_or_leak(text in "\\PC*|[0-9.,eE+ -]{0,24}|[12][05679][0-9]{9}") {
        for result in [text.parse::<Ruc>(), Ruc::parse_lenient(&text)] {
            match result {
                Ok(ruc) => prop_assert_eq!(ruc.to_string().parse::<Ruc>(), Ok(ruc)),
                // Short texts can be part of the message by chance.
                Err(error) if text.len() > 8 => prop_assert!(!error.to_string().contains(&text)),
                Err(_) => {}
            }
        }
        let _: Result<LimaDate, _> = text.parse();
    }

    #[test]
    fn lenient_parsing_accepts_whatever_strict_parsing_does(text in "[12][05679][0-9]{9}") {
        prop_assert_eq!(Ruc::parse_lenient(&text), text.parse());
    }
}
