//! `rucache config show` and `config check`.

use serde_json::{Value, json};

use super::program::{Run, file, rucache};

/// Checks a configuration file with `content`; its path and what the program says.
fn check(name: &str, content: &str) -> (String, Run) {
    let path = file(name, content).display().to_string();
    let run = rucache(&["config", "check", &path]).run();
    (path, run)
}

fn setting<'a>(document: &'a Value, key: &str) -> &'a Value {
    let settings = document["settings"].as_array().expect("a list");
    settings.iter().find(|setting| setting["key"] == key).expect(key)
}

/// How many settings there are.
fn settings() -> usize {
    let shown = rucache(&["config", "show", "--json"]).run().json();
    shown["settings"].as_array().expect("a list").len()
}

#[test]
fn every_setting_is_shown_with_its_origin() {
    let path = file("shown.toml", "max_value_len = 5000\n\n[timing]\nback_off = \"2s\"\n");
    let path = path.display().to_string();
    let arguments = ["--config", &path, "--backend", "memory://?capacity=1MiB", "config", "show"];
    let run = rucache(&[&arguments[..], &["--json"]].concat())
        .env("RUCACHE_LISTEN", "127.0.0.1:9090")
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let document = run.json();
    assert_eq!(
        setting(&document, "listen"),
        &json!({
            "key": "listen",
            "value": "127.0.0.1:9090",
            "origin": "RUCACHE_LISTEN",
            "variable": "RUCACHE_LISTEN",
            "form": "an address and port such as 127.0.0.1:8080",
            "about": "where the service answers HTTP; beyond this machine with a token only",
        })
    );
    let value_and_origin = |key| {
        let setting = setting(&document, key);
        (setting["value"].as_str().expect("text"), setting["origin"].as_str().expect("text"))
    };
    assert_eq!(value_and_origin("backend"), ("memory://?capacity=1MiB", "--backend"));
    assert_eq!(value_and_origin("max_value_len"), ("5000", &*format!("{path}:1")));
    assert_eq!(value_and_origin("timing.back_off"), ("2s", &*format!("{path}:4")));
    assert_eq!(value_and_origin("profile"), ("reference", "default"));

    let table = rucache(&arguments).run().stdout;
    let row = table.lines().find(|row| row.starts_with("backend ")).expect("a row");
    let columns: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(
        columns,
        [
            "backend",
            "memory://?capacity=1MiB",
            "--backend",
            "RUCACHE_BACKEND",
            "where entries live"
        ]
    );
}

#[test]
fn good_configuration_says_what_it_would_do() {
    let register = file("checked.zip", rucache::padron::SAMPLE_ZIP).display().to_string();
    let text = format!(
        "listen = \"127.0.0.1:9090\"\n[source]\nregister = '{register}'\ncoverage = \"legal_entities\"\n"
    );
    let (path, run) = check("good.toml", &text);
    assert_eq!(
        run.stdout,
        format!(
            "\
configuration ok: {path}, 3 of {} settings set
  backend   memory:// (an entry was set, read and deleted)
  source    register {register}; a number of prefix 20 that it lacks does not exist, others are \
             not covered
  service   http://127.0.0.1:9090
",
            settings()
        )
    );
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn file_of_the_command_line_goes_before_that_of_the_environment() {
    let path = file("first.toml", "").display().to_string();
    let run = rucache(&["config", "check", &path]).env("RUCACHE_CONFIG", "missing.toml").run();
    assert_eq!(
        run.stdout.lines().next(),
        Some(&*format!("configuration ok: {path}, 0 of {} settings set", settings()))
    );
    let run = rucache(&["config", "check"]).env("RUCACHE_CONFIG", &path).run();
    assert_eq!(
        run.stdout.lines().next(),
        Some(&*format!("configuration ok: {path}, 0 of {} settings set", settings()))
    );
}

#[test]
fn faults_name_file_line_key_value_and_form() {
    for (name, text, expected) in [
        (
            "value.toml",
            "# one\nprofile = \"fresh\"\n",
            ":2: profile = \"fresh\": there is no such profile; expected reference or register",
        ),
        (
            "type.toml",
            "backend = 3\n",
            ":1: backend = \"3\": not a URL; expected a URL such as memory://?capacity=256MiB, redis://host:6379/1 or memcached://a,b",
        ),
        (
            "unknown.toml",
            "\n[timing]\nsoft_timout = \"1s\"\n",
            ":3: there is no setting \"timing.soft_timout\"; did you mean \"timing.soft_timeout\"?",
        ),
        (
            "syntax.toml",
            "listen = \n",
            ":1: not valid TOML: string values must be quoted, expected literal string",
        ),
        (
            "password.toml",
            "backend = \"amqp://ana:secret@host\"\n",
            ":1: backend = \"amqp://ana:***@host\": this program has no backend \"amqp\"; known \
             are memory://, redis://, memcached://; expected a URL such as memory://?capacity=256MiB, redis://host:6379/1 or memcached://a,b",
        ),
    ] {
        let (path, run) = check(name, text);
        run.fails(1, &format!("{path}{expected}"));
    }
}

#[test]
fn faulty_environment_and_flags_are_named() {
    rucache(&["config", "check"]).env("RUCACHE_TIMING_BACK_OFF", "soon").run().fails(
        1,
        "RUCACHE_TIMING_BACK_OFF: timing.back_off = \"soon\": \"soon\" is not a TTL; write \
         seconds, or a number with ms, s, min, h or d, as in 15min; expected a duration such as 500ms, 10s or 1min",
    );
    rucache(&["--backend", "memory://?capacity=much", "config", "show"]).run().fails(
        1,
        "--backend: backend = \"memory://?capacity=much\": parameter capacity of memory://: \
         \"much\" is not a size; write a whole number with KiB, MiB, GiB, KB, MB, GB or bytes, as \
         in 256MiB; expected a URL such as memory://?capacity=256MiB, redis://host:6379/1 or memcached://a,b",
    );
}

#[test]
fn variable_that_is_no_setting_is_a_warning() {
    let run = rucache(&["config", "check"])
        .env("RUCACHE_BAKEND", "memory://")
        .env("RUCACHE_PORT_8080_TCP_PROTO", "tcp")
        .run();
    assert_eq!(run.code, Some(0));
    let mut lines: Vec<_> = run.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "rucache: warning: RUCACHE_BAKEND is not a setting; did you mean RUCACHE_BACKEND?",
            "rucache: warning: RUCACHE_PORT_8080_TCP_PROTO is not a setting",
        ]
    );
}

#[test]
fn token_is_never_shown_and_a_short_one_is_refused() {
    let secret = "0123456789abcdef0123456789abcdef";
    let run = rucache(&["config", "show", "--json"]).env("RUCACHE_TOKEN", secret).run();
    let document = run.json();
    assert_eq!(setting(&document, "token")["value"], "set");
    assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret));
    rucache(&["config", "check"]).env("RUCACHE_TOKEN", "s3cret").run().fails(
        1,
        "RUCACHE_TOKEN: token = \"***\": a token of 6 bytes is too short to be safe; make one of \
         32 at least, with `openssl rand -hex 32` for example; expected a secret of at least 32 \
         bytes",
    );
    let path = file("token", format!("{secret}\n")).display().to_string();
    let run = rucache(&["config", "check"]).env("RUCACHE_TOKEN_FILE", &path).run();
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = rucache(&["config", "check"]).env("RUCACHE_TOKEN_FILE", "none").run();
    assert!(run.stderr.contains("cannot read the file: No such file"), "{run:?}");
}

#[test]
fn rules_and_lives_of_a_file_are_checked() {
    let text = "[ttl]\nestadisticas_ventas = 300\n\"user_profile_*\" = \"1h\"\n\n[[rules]]\n\
                entity = \"producto\"\nactions = [\"saved\"]\nremove.keys = [\"lista\"]\n";
    let (_, run) = check("whole.toml", text);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (path, run) = check("rule.toml", &text.replace("\"lista\"", "\"{x}\""));
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.starts_with(&format!("rucache: {path}:5: rules = "))
            && run.stderr.contains("unknown placeholder `x`"),
        "{}",
        run.stderr
    );
}
