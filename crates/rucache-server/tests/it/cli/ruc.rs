//! `rucache ruc check`.

use serde_json::json;

use super::program::rucache;

#[test]
fn rules_and_kinds_are_told_in_a_table() {
    let numbers = ["20131312955", "20131312956", "30131312955", "2013131295x", "20-13131295-5"];
    let run = rucache(&[&["ruc", "check"][..], &numbers].concat()).run();
    assert_eq!(
        run.stdout,
        "\
TEXT           VALID  WHY
20131312955    yes    legal entity (20)
20131312956    no     check_digit: the last digit must be 5; check the number for a typing error
30131312955    no     prefix: it must start with 10, 15, 17 or 20 (historic: 16)
2013131295x    no     digits: character 11 is not one of the digits 0 to 9
20-13131295-5  yes    legal entity (20); read as 20131312955
"
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(11), ""));
}

#[test]
fn text_far_from_a_number_does_not_widen_the_table() {
    let run = rucache(&["ruc", "check"]).stdin(vec![b'7'; 100_000]).run();
    let row = run.stdout.lines().nth(1).expect("a row");
    assert_eq!(
        row,
        format!(
            "{}…  no     length: it must have 11 digits, not 100000 characters",
            "7".repeat(39)
        )
    );
}

#[test]
fn valid_numbers_alone_end_with_zero() {
    let run = rucache(&["ruc", "check"]).stdin("# socios\n20131312955\r\n\n20100070970").run();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.stdout.lines().count(), 3);
}

#[test]
fn json_has_the_same_fields_for_every_text() {
    let run =
        rucache(&["ruc", "check", "--json", "20131312955", "20131312955.0", "20131312956"]).run();
    assert_eq!(run.code, Some(11));
    let hint = "a spreadsheet turned the number into a decimal; format the column as text and \
                export it again";
    assert_eq!(
        run.json(),
        json!({
            "counts": { "valid": 1, "invalid": 2 },
            "results": [
                { "input": "20131312955", "valid": true, "ruc": "20131312955", "prefix": "20",
                  "personal": false, "rule": null, "expected": null, "hint": null, "detail": null },
                { "input": "20131312955.0", "valid": false, "ruc": null, "prefix": null,
                  "personal": null, "rule": "length", "expected": null, "hint": hint,
                  "detail": format!("not a RUC: it must have 11 digits, not 13 characters; {hint}") },
                { "input": "20131312956", "valid": false, "ruc": null, "prefix": null,
                  "personal": null, "rule": "check_digit", "expected": 5, "hint": null,
                  "detail": "not a RUC: the last digit must be 5; check the number for a typing error" },
            ],
        })
    );
}

#[test]
fn nothing_given_is_said_and_is_no_failure() {
    let run = rucache(&["ruc", "check", "--json"]).stdin("\n# none\n").run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "rucache: no number was given\n"));
    assert_eq!(run.json(), json!({ "counts": { "valid": 0, "invalid": 0 }, "results": [] }));
}

#[test]
fn misspelt_option_is_not_taken_for_a_number() {
    let run = rucache(&["ruc", "check", "--jsn", "20131312955"]).run();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("unexpected argument '--jsn'"), "{}", run.stderr);
}
