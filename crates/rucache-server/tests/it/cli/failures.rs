//! What goes wrong before any command has something to say: one clear line each.

use std::io::{Read, Write};

use super::program::{file, rucache};

#[test]
fn missing_configuration_file() {
    rucache(&["--config", "none/rucache.toml", "lookup", "20131312955"]).run().fails(
        1,
        "cannot read configuration file none/rucache.toml; check the path and its permissions: \
         No such file or directory (os error 2)",
    );
}

#[test]
fn register_that_cannot_be_read() {
    let half = file("half.zip", &rucache::padron::SAMPLE_ZIP[..20_000]).display().to_string();
    let other = file("other.txt", "RUC|NOMBRE\n").display().to_string();
    for command in [
        &["config", "check"][..],
        &["lookup", "20131312955"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let with = |register: &str| {
            let program = rucache(command).env("RUCACHE_SOURCE_COVERAGE", "full");
            let run = program.env("RUCACHE_SOURCE_REGISTER", register).run();
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{command:?}");
            run.stderr.lines().last().map(ToOwned::to_owned).unwrap_or_default()
        };
        assert_eq!(
            with("none.zip"),
            "rucache: source.register cannot be used: cannot open register none.zip; check the path and its \
             permissions: No such file or directory (os error 2)"
        );
        let unreadable = with(&half);
        assert!(
            unreadable.starts_with(&format!(
                "rucache: source.register cannot be used: register {half} is no readable zip: it is damaged or \
                 incomplete; download it again"
            )),
            "{unreadable}"
        );
        let changed = with(&other);
        assert!(
            changed.starts_with(&format!(
                "rucache: source.register cannot be used: register {other} has an unknown header: column 2 must \
                 be \"NOMBRE O RAZÓN SOCIAL\", but is \"NOMBRE\""
            )),
            "{changed}"
        );
    }
}

#[test]
fn register_without_its_coverage() {
    let program = rucache(&["config", "check"]).env("RUCACHE_SOURCE_REGISTER", "padron.zip");
    program.run().fails(
        1,
        "source.register is set without source.coverage; say full for the whole register, \
         legal_entities for one of prefix 20, partial for a part",
    );
}

#[test]
fn server_that_is_no_url() {
    let run = rucache(&["lookup", "--server", "localhost:8080", "20131312955"]).run();
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr.lines().next(),
        Some(
            "error: invalid value 'localhost:8080' for '--server <URL>': expected a URL such as \
             http://127.0.0.1:8080"
        )
    );
    rucache(&["lookup", "20131312955"])
        .env("RUCACHE_SERVER", "https://rucache.example")
        .run()
        .fails(
            1,
            "RUCACHE_SERVER: https is not spoken; expected a URL such as http://127.0.0.1:8080",
        );
}

#[test]
fn backend_on_the_command_line_goes_before_a_server_in_the_environment() {
    let run = rucache(&["lookup", "--backend", "memory://", "20131312955"])
        .env("RUCACHE_SERVER", "http://127.0.0.1:1")
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let run =
        rucache(&["--backend", "memory://", "--server", "http://127.0.0.1:1", "health"]).run();
    assert_eq!(run.code, Some(2));
}

#[test]
fn reader_that_has_enough_is_no_failure() {
    let mut child = rucache(&["ruc", "check"]).spawn();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"20131312955\n").expect("the program reads");
    drop(stdin);
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn exit_codes_stand_in_the_help() {
    let run = rucache(&["--help"]).run();
    assert_eq!(run.code, Some(0));
    for code in ["   0  ", "   1  ", "   2  ", "   3  ", "  10  ", "  11  ", "  12  "] {
        assert!(run.stdout.contains(&format!("\n{code}")), "{code:?} in {}", run.stdout);
    }
    assert_eq!(rucache(&[]).run().code, Some(2));
}

#[test]
fn every_command_has_examples_in_its_help() {
    for command in [
        &["serve"][..],
        &["lookup"],
        &["key"],
        &["ruc", "check"],
        &["config", "show"],
        &["config", "check"],
        &["health"],
        &["get"],
        &["set"],
        &["delete"],
        &["clear"],
        &["invalidate"],
        &["event"],
        &["rules", "check"],
        &["stats"],
        &["maintain"],
        &["warm"],
        &["bulk"],
        &["invalid", "add"],
        &["invalid", "show"],
        &["invalid", "remove"],
        &["invalid", "list"],
        &["invalid", "clear"],
        &["completions"],
        &["man"],
    ] {
        let help = rucache(&[command, &["--help"]].concat()).run().stdout;
        let example = format!("\n  rucache {}", command.join(" "));
        assert!(help.contains("\nExamples:\n") && help.contains(&example), "{help}");
    }
}
