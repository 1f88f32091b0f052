//! Look-up APIs as sources: every setting of them, and the order in which they are asked.

use rucache::{Config, OpenError};

/// The configuration that these variables make.
fn of(variables: &[(&str, &str)]) -> Config {
    let mut layers = Config::layers();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    layers.environment(variables.iter().map(owned), &[]).unwrap();
    layers.into_config()
}

fn order(variables: &[(&str, &str)]) -> Vec<&'static str> {
    of(variables).source_order().into_iter().map(|name| name.as_str()).collect()
}

#[test]
fn every_setting_of_every_api_is_read_and_shown() {
    let ca = env!("CARGO_MANIFEST_DIR");
    let values = [
        ("token", "s3cret-token", "set"),
        ("base_url", "https://proxy.example/api", "https://proxy.example/api"),
        ("ca", ca, ca),
        ("coverage", "legal_entities", "legal_entities"),
        ("per_minute", "60", "60"),
        ("per_month", "40000", "40000"),
        ("reserve", "20", "20"),
        ("connect_timeout", "1s", "1s"),
        ("timeout", "1500ms", "1500ms"),
        ("deadline", "5s", "5s"),
        ("gather", "50ms", "50ms"),
        ("retries", "0", "0"),
    ];
    for api in ["migo", "decolecta", "apis_net_pe", "apiperu"] {
        let mut layers = Config::layers();
        for (name, value, _) in values {
            layers.flag("--test", &format!("{api}.{name}"), value).unwrap();
        }
        let shown = |name: &str| {
            let key = format!("{api}.{name}");
            let setting = layers.settings().iter().find(|setting| setting.key() == key).unwrap();
            setting.show(layers.config())
        };
        for (name, _, expected) in values {
            assert_eq!(shown(name), expected, "{api}.{name}");
        }
        assert!(!format!("{:?}", layers.config()).contains("s3cret"));
    }
}

#[test]
fn register_comes_first_then_who_has_a_token_and_the_sample_for_want_of_both() {
    let (migo, decolecta) = (("RUCACHE_MIGO_TOKEN", "a"), ("RUCACHE_DECOLECTA_TOKEN", "b"));
    let register = ("RUCACHE_SOURCE_REGISTER", "padron.zip");
    assert_eq!(order(&[]), ["sample"]);
    assert_eq!(order(&[("RUCACHE_MIGO_PER_MINUTE", "60")]), ["sample"]);
    assert_eq!(order(&[decolecta, migo]), ["migo", "decolecta"]);
    assert_eq!(order(&[decolecta, register]), ["register", "decolecta"]);
    assert_eq!(order(&[register]), ["register"]);
    let chosen = ("RUCACHE_SOURCES", r#"["decolecta","sample","migo"]"#);
    assert_eq!(order(&[decolecta, migo, register, chosen]), ["decolecta", "sample", "migo"]);
    assert_eq!(order(&[migo, ("RUCACHE_SOURCES", "auto")]), ["migo"]);
}

#[tokio::test]
async fn api_without_a_token_and_invented_records_for_others_are_refused() {
    let refused = async |variables: &[(&str, &str)]| {
        rucache::open_with(of(variables)).await.expect_err("it is refused")
    };
    let error = refused(&[("RUCACHE_SOURCES", r#"["apiperu"]"#)]).await;
    assert!(matches!(&error, OpenError::TokenUnset { .. }), "{error}");
    assert!(error.to_string().contains("RUCACHE_APIPERU_TOKEN"), "{error}");
    let error = refused(&[("RUCACHE_SOURCES", r#"["register"]"#)]).await;
    assert!(matches!(error, OpenError::RegisterUnnamed), "{error}");
    let nothing = env!("CARGO_MANIFEST_DIR");
    let error = refused(&[("RUCACHE_MIGO_TOKEN", "a"), ("RUCACHE_MIGO_CA", nothing)]).await;
    assert!(matches!(error, OpenError::Api(_)), "{error}");
}
