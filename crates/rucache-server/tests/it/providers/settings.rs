//! Settings of look-up APIs: a token is enough, faults are told with their place, secrets never.

use rucache_testkit::ProviderFake;

use crate::cli::program::{Run, Service, file, rucache};

const TOKEN: &str = ProviderFake::TOKEN;

/// Checks a configuration file; what is wrong with it, after its path.
fn wrong(name: &str, content: &str) -> String {
    let path = file(name, content).display().to_string();
    let Run { code, stdout, stderr } = rucache(&["config", "check", &path]).run();
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(!stderr.contains(TOKEN), "{stderr}");
    stderr.trim_end().trim_start_matches("rucache: ").replace(&path, "it")
}

#[test]
fn token_in_the_environment_is_enough() {
    let program = rucache(&["serve", "--listen", "127.0.0.1:0"]);
    let service = Service::of(program.env("RUCACHE_MIGO_TOKEN", TOKEN));
    let line = "  source        migo at https://api.migo.pe; no limit set";
    assert!(service.greeting.lines().any(|told| told == line), "{}", service.greeting);
    assert!(!service.greeting.contains(TOKEN));
    let file = file("migo-token", format!("{TOKEN}\n")).display().to_string();
    let run = rucache(&["config", "check"]).env("RUCACHE_MIGO_TOKEN_FILE", &file).run();
    assert!(run.stdout.contains("  source    migo at https://api.migo.pe"), "{run:?}");
}

#[test]
fn token_is_shown_by_no_command() {
    for arguments in [&["config", "show"][..], &["config", "show", "--json"], &["config", "check"]]
    {
        let run = rucache(arguments)
            .env("RUCACHE_MIGO_TOKEN", TOKEN)
            .env("RUCACHE_MIGO_PER_MINUTE", "60")
            .env("RUCACHE_DECOLECTA_TOKEN", TOKEN)
            .run();
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!run.stdout.contains(TOKEN) && !run.stderr.contains(TOKEN), "{run:?}");
        assert!(run.stdout.contains("migo"), "{}", run.stdout);
    }
}

#[test]
fn settings_of_apis_that_nobody_set_are_left_out_of_the_table() {
    let run = rucache(&["config", "show"]).env("RUCACHE_MIGO_PER_MONTH", "40000").run();
    let row = run.stdout.lines().find(|line| line.starts_with("migo.per_month ")).expect("a row");
    assert!(row.contains("40000"), "{row}");
    assert!(!run.stdout.contains("apiperu."));
    assert_eq!(
        run.stderr,
        "rucache: note: nothing is set of decolecta, apis_net_pe, apiperu; --json shows their \
         settings too\n"
    );
}

#[test]
fn faults_name_place_key_value_and_form() {
    assert_eq!(
        wrong("minute.toml", "[migo]\nper_minut = 60\n"),
        "it:2: there is no setting \"migo.per_minut\"; did you mean \"migo.per_minute\"?"
    );
    assert_eq!(
        wrong("plan.toml", "[migo]\n\nper_minute = 0\n"),
        "it:3: migo.per_minute = \"0\": nothing would be asked; expected a whole number from 1 to \
         100000, or none"
    );
    assert_eq!(
        wrong("reserve.toml", "[decolecta]\nreserve = 101\n"),
        "it:2: decolecta.reserve = \"101\": it must be 0 to 100; expected a percentage from 0 to \
         100"
    );
    assert_eq!(
        wrong("connect.toml", "[migo]\nconnect_timeout = \"20s\"\n"),
        "it:2: migo.connect_timeout = \"20s\": it must be more than zero and at most 10s; expected \
         a duration such as 500ms or 3s"
    );
    assert_eq!(
        wrong("order.toml", "sources = [\"register\", \"nigo\"]\n"),
        "it:1: sources = \"[\\\"register\\\",\\\"nigo\\\"]\": there is no source \"nigo\"; known \
         are register, sample, migo, decolecta, apis_net_pe, apiperu, demo; expected auto, or a \
         list such as [\"register\", \"migo\"] of register, sample, migo, decolecta, apis_net_pe, \
         apiperu, demo"
    );
    assert_eq!(
        wrong("url.toml", &format!("[migo]\nbase_url = \"http://migo.pe/?token={TOKEN}\"\n")),
        "it:2: migo.base_url = \"***\": it holds a query; write scheme, host, port and path only; \
         expected a URL such as https://host/path; http to this machine only"
    );
    assert_eq!(
        wrong("token.toml", &format!("[migo]\ntoken = \"{TOKEN} x\"\n")),
        "it:2: migo.token = \"***\": the token in this place is empty, too long, or holds other \
         than visible ASCII characters; write the token alone; expected the token alone, of \
         visible ASCII characters"
    );
}

#[test]
fn sources_that_cannot_be_asked_are_told() {
    assert_eq!(
        wrong("untold.toml", "sources = [\"migo\"]\n"),
        "sources names migo, and there is no token for it; set RUCACHE_MIGO_TOKEN, or \
         migo.token_file to the path of a file that holds it"
    );
    assert_eq!(
        wrong("unnamed.toml", "sources = [\"register\"]\n"),
        "sources names the register, and source.register is not set; give the path of its file"
    );
}
