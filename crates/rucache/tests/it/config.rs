//! Every fault of a configuration is told with place, key, value and expected form.

use std::path::PathBuf;

use rucache::{Config, Origin, without_password};

/// Writes `text` into a file of its own.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}-{}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[track_caller]
fn refused(name: &str, text: &str) -> String {
    let path = file(name, text);
    let error = Config::layers().file(&path).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "rucache.toml")
}

/// Whether a setting is one of a look-up API, which a build may not have.
fn is_of_an_api(key: &str) -> bool {
    let apis = ["migo.", "decolecta.", "apis_net_pe.", "apiperu."];
    apis.iter().any(|api| key.starts_with(api))
}

#[test]
fn every_setting_is_read_and_shown() {
    let path = file(
        "whole",
        r#"
            backend = "memory://?capacity=64MiB"
            local = "32MiB"
            key_prefix = "shop"
            default_ttl = "10min"
            ruc_services = ["migo", "sunat"]
            profile = "register"
            max_value_len = 5000
            [source]
            register = "padron.zip"
            coverage = "full"
            [timing]
            soft_timeout = "250ms"
            hard_timeout = 3
            load_deadline = "1min"
            back_off = "2s"
            max_back_off = "1min"
            [ttl]
            estadisticas_ventas = 300
            "user_profile_*" = "1h"
            [[rules]]
            entity = "producto"
            actions = ["saved", "deleted"]
            remove.keys = ["electro:lista_productos", "electro:producto_{id}"]
        "#,
    );
    let mut layers = Config::layers();
    layers.file(&path).unwrap();
    let shown: Vec<(&str, String)> = layers
        .settings()
        .iter()
        .filter(|setting| !is_of_an_api(setting.key()))
        .map(|setting| (setting.key(), setting.show(layers.config())))
        .collect();
    let mut expected = vec![
        ("backend", "memory://?capacity=64MiB"),
        ("local", "32MiB"),
        ("key_prefix", "shop"),
        ("default_ttl", "10min"),
        ("rules", "1 of the configuration"),
        ("ttl", "estadisticas_ventas = 5min, user_profile_* = 1h"),
        ("ruc_services", "[\"migo\",\"sunat\"]"),
        ("profile", "register"),
        ("source.register", "padron.zip"),
        ("source.coverage", "full"),
        ("max_value_len", "5000"),
        ("timing.soft_timeout", "250ms"),
        ("timing.hard_timeout", "3s"),
        ("timing.load_deadline", "1min"),
        ("timing.back_off", "2s"),
        ("timing.max_back_off", "1min"),
    ];
    if cfg!(feature = "providers") {
        let register = expected.iter().position(|(key, _)| *key == "source.register").unwrap();
        expected.insert(register, ("sources", "auto"));
    }
    let shown: Vec<(&str, &str)> = shown.iter().map(|(key, value)| (*key, &**value)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn later_layers_win_and_the_origin_is_known() {
    let path = file("origin", "profile = \"register\"\n\n[timing]\nback_off = \"5s\"\n");
    let mut layers = Config::layers();
    layers.file(&path).unwrap();
    let variables = [
        ("RUCACHE_TIMING_BACK_OFF".to_owned(), "7s".to_owned()),
        ("RUCACHE_PORT_8080_TCP".to_owned(), "tcp://10.0.0.1".to_owned()),
        ("RUCACHE_SERVER".to_owned(), "http://localhost".to_owned()),
        ("PATH".to_owned(), "/bin".to_owned()),
    ];
    let strangers = layers.environment(variables, &["RUCACHE_SERVER"]).unwrap();
    assert_eq!(strangers, ["RUCACHE_PORT_8080_TCP"]);
    layers.flag("--backend", "backend", "memory://?capacity=1MiB").unwrap();
    let origin = |key: &str| {
        let setting = layers.settings().iter().find(|setting| setting.key() == key).unwrap();
        (layers.origin(setting).clone(), setting.show(layers.config()))
    };
    assert_eq!(origin("profile"), (Origin::File { path, line: 1 }, "register".into()));
    let variable = "RUCACHE_TIMING_BACK_OFF".to_owned();
    assert_eq!(origin("timing.back_off"), (Origin::Environment { variable }, "7s".into()));
    let flag = Origin::Flag { name: "--backend" };
    assert_eq!(origin("backend"), (flag, "memory://?capacity=1MiB".into()));
    assert_eq!(origin("max_value_len"), (Origin::Default, "1000000".into()));
}

#[test]
fn wrong_value_names_file_line_key_value_and_form() {
    assert_eq!(
        refused("value", "\n[timing]\nsoft_timeout = \"fast\"\n"),
        "rucache.toml:3: timing.soft_timeout = \"fast\": \"fast\" is not a TTL; write seconds, or \
         a number with ms, s, min, h or d, as in 15min; expected a duration such as 500ms, 10s or \
         1min"
    );
    assert_eq!(
        refused("number", "max_value_len = -1"),
        "rucache.toml:1: max_value_len = \"-1\": not a whole number; expected a whole number of \
         bytes, at least 1"
    );
    assert_eq!(
        refused("array", "profile = [1]"),
        "rucache.toml:1: profile = \"[1]\": there is no such profile; expected reference or \
         register"
    );
}

#[test]
fn unknown_key_names_the_nearest() {
    assert_eq!(
        refused("nearest", "[timing]\nsoft_timout = \"1s\"\n"),
        "rucache.toml:2: there is no setting \"timing.soft_timout\"; did you mean \
         \"timing.soft_timeout\"?"
    );
    assert_eq!(refused("far", "zzz = 1"), "rucache.toml:1: there is no setting \"zzz\"");
    assert_eq!(
        refused("table", "[tming]\nback_off = 1"),
        "rucache.toml:1: there is no setting \"tming\""
    );
}

#[test]
fn broken_toml_names_its_line() {
    let error = refused("broken", "profile = \"reference\"\nbackend =\n");
    assert!(error.starts_with("rucache.toml:2: not valid TOML: "), "{error}");
}

#[test]
fn missing_file_says_what_to_check() {
    let error = Config::layers().file("no/such/rucache.toml".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read configuration file no/such/rucache.toml; check the path and its permissions"
    );
}

#[test]
fn password_of_a_url_is_never_shown() {
    for (url, shown) in [
        ("redis://user:s3cret@host:6379/1", "redis://user:***@host:6379/1"),
        ("redis://:s3cret@host", "redis://:***@host"),
        ("redis://user:s3cr@et@host/1", "redis://user:***@host/1"),
        ("redis://user:s3cr/et@host/1", "redis://user:***@host/1"),
        (
            "redis://h1/?sentinel_password=s3cret&prefix=a",
            "redis://h1/?sentinel_password=***&prefix=a",
        ),
        (
            "redis://:s3cret@h1/m?sentinel_password=s3cret",
            "redis://:***@h1/m?sentinel_password=***",
        ),
        ("default:s3cret@redis:6379", "***@redis:6379"),
        ("memory://?capacity=1MiB", "memory://?capacity=1MiB"),
    ] {
        assert_eq!(without_password(url), shown);
        if url.contains("s3cr") {
            let sign = if url.contains('?') { '&' } else { '?' };
            let error = refused("password", &format!("backend = \"{url}{sign}nonsense=1\""));
            assert!(!error.contains("s3cr") && !error.contains("et@"), "{error}");
        }
    }
    let odd = without_password("redis://user:s3cr?et@host/1");
    assert!(!odd.contains("et@"), "{odd}");
}

#[test]
fn wrong_rule_and_wrong_life_are_told_with_their_line() {
    let told = refused("rule", "\n[[rules]]\nentity = \"producto\"\nactions = [\"saved\"]\n");
    assert!(
        told.starts_with("rucache.toml:2: rules = ") && told.contains("it has no effect"),
        "{told}"
    );
    let told =
        refused("unknown", "[[rules]]\nentity = \"a\"\nactions = [\"b\"]\nremvoe.keys = []\n");
    assert!(told.contains("unknown field `remvoe`"), "{told}");
    let told = refused("life", "[ttl]\nventas = \"soon\"\n");
    assert!(told.starts_with("rucache.toml:1: ttl = ") && told.contains("soon"), "{told}");
}

#[test]
fn tables_and_lists_are_json_in_the_environment() {
    let mut layers = Config::layers();
    let variables = [
        ("RUCACHE_TTL".to_owned(), r#"{"ventas": "5min"}"#.to_owned()),
        (
            "RUCACHE_RULES".to_owned(),
            r#"[{"entity":"pedido","actions":["saved"],"remove":{"keys":["ventas"]}}]"#.to_owned(),
        ),
    ];
    layers.environment(variables, &[]).unwrap();
    let config = layers.into_config();
    assert_eq!(config.ttls.patterns(), [("ventas".to_owned(), rucache::Ttl::secs(300))]);
    assert_eq!(config.rules.len(), 1);
    assert_eq!(config.rule_set().unwrap().rules().last(), Some(&config.rules[0]));
}

#[tokio::test]
async fn configured_lives_and_rules_are_the_caches() {
    let mut layers = Config::layers();
    let rule = r#"[{"entity":"pedido","actions":["saved"],"remove":{"keys":["ventas"]}}]"#;
    let variables = [("RUCACHE_TTL", r#"{"ventas": 300}"#), ("RUCACHE_RULES", rule)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    layers.environment(variables, &[]).unwrap();
    let cache = rucache::open_with(layers.into_config()).await.unwrap();
    let life = |key| cache.life_of(&rucache::Key::parse(key).unwrap()).as_secs_ceil();
    assert_eq!((life("default:ventas"), life("default:others")), (300, 900));
    let _ = cache.set("ventas", &1, rucache::Ttl::SHORT).await.unwrap();
    let event = rucache::core::rule::Event::new("pedido", "created", "7");
    assert_eq!(cache.publish(&event).await.len(), 1);
    assert_eq!(cache.get::<i32>("ventas").await.unwrap(), None);
}

#[test]
fn prefix_of_names_that_breaks_its_form_is_refused() {
    let told = refused("prefix", "key_prefix = \"a b\"");
    assert!(told.contains("character 2 does not fit"), "{told}");
}
