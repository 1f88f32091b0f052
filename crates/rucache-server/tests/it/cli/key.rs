//! `rucache key`.

use super::program::rucache;

#[test]
fn usual_key_is_its_own_wire_form() {
    let run = rucache(&["key", "migo", "ruc_20131312955"]).run();
    assert_eq!(run.stdout, "key   migo:ruc_20131312955\nwire  migo:ruc_20131312955\n");
    assert_eq!(run.code, Some(0));
}

#[test]
fn other_bytes_are_percent_encoded() {
    let run = rucache(&["key", "migo", "a:b ñ\u{1b}"]).run();
    assert_eq!(
        run.stdout,
        "key   migo:a:b ñ\u{fffd}\nwire  migo:a%3Ab%20%C3%B1%1B  (percent-encoded)\n"
    );
}

#[test]
fn long_key_is_shortened_and_says_so() {
    let run = rucache(&["key", "migo", &"x".repeat(300)]).run();
    let wire = run.stdout.lines().nth(1).expect("a second line");
    let (wire, remark) = wire.split_once("  (").expect("a remark");
    assert_eq!(remark, "shortened; what follows # is the SHA-256 of the key)");
    assert_eq!(wire.trim_start_matches("wire  ").len(), 240);
}

#[test]
fn broken_rule_is_named() {
    rucache(&["key", "Migo", "x"]).run().fails(
        1,
        "service name must be 1 to 32 of a-z, 0-9, '.', '_', '-' and start with a letter or \
         digit; character 1 does not fit",
    );
    rucache(&["key", "migo", ""]).run().fails(1, "key name is empty; give it at least one byte");
}
