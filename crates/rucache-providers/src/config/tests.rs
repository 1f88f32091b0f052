//! Tests of `config`.

use super::*;

#[test]
fn little_is_enough_and_the_rest_has_defaults() {
    let config: SourceConfig = toml::from_str(r#"api = "migo""#).unwrap();
    assert_eq!(config, SourceConfig::new(ApiKind::Migo));
    assert_eq!(config.token_variable(), "RUCACHE_MIGO_TOKEN");
    assert!(config.check().is_ok());
}

#[test]
fn every_setting_is_read() {
    let text = r#"
        api = "apis_net_pe"
        name = "old-one"
        base_url = "https://proxy.example/apis"
        token_env = "TOKEN"
        ca = "/etc/ca.pem"
        coverage = "legal_entities"
        connect_timeout = "500ms"
        timeout = "1s"
        deadline = "2s"
        retries = 0
        gather = "0ms"
        confirm = 0
        connections = 4
        plan = { per_minute = 60, per_month = 40000, reserve_percent = 20, alone_percent = 50 }
    "#;
    let config: SourceConfig = toml::from_str(text).unwrap();
    assert_eq!((config.name(), config.token_variable().as_str()), ("old-one", "TOKEN"));
    assert_eq!((config.gather, config.deadline), (Duration::ZERO, Duration::from_secs(2)));
    assert_eq!(config.coverage, Coverage::LegalEntities);
    assert_eq!(config.plan.per_minute.map(NonZeroU32::get), Some(60));
    assert_eq!((config.plan.reserve_percent, config.plan.alone_percent), (20, 50));
}

#[test]
fn unknown_keys_and_values_out_of_range_are_errors() {
    assert!(toml::from_str::<SourceConfig>("api = \"migo\"\ntoken = \"x\"").is_err());
    assert!(toml::from_str::<SourceConfig>("api = \"migo\"\ntimeout = 3").is_err());
    let mut config = SourceConfig::new(ApiKind::Migo);
    config.plan.reserve_percent = 101;
    let error = config.check().unwrap_err().to_string();
    assert_eq!(error, "plan.reserve_percent of source migo must be 0 to 100");
}
