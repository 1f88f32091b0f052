//! Any type under any name.

use rucache_core::{InvalidKey, Key, ServiceName};
use rucache_engine::{Accept, Cache, CacheError};
use serde::{Deserialize, Serialize};

use crate::{HOUR, Lab};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Company {
    ruc: String,
    name: String,
}

#[test]
fn same_type_shares_the_value() {
    let lab = Lab::new();
    lab.runtime.block_on(lab.cache.set("migo_data", "value", HOUR)).unwrap();
    let one = lab.cache.peek::<String>("migo_data", Accept::Fresh).unwrap().unwrap();
    let two = lab.cache.peek::<String>("migo_data", Accept::Fresh).unwrap().unwrap();
    assert!(std::sync::Arc::ptr_eq(&one.value, &two.value));
}

#[test]
fn another_type_converts_through_json_or_is_a_miss() {
    let lab = Lab::new();
    let company = Company { ruc: "20123456789".into(), name: "Company Inc".into() };
    lab.runtime.block_on(lab.cache.set("migo_data", &company, HOUR)).unwrap();
    let json: serde_json::Value =
        lab.runtime.block_on(lab.cache.get("migo_data")).unwrap().unwrap();
    assert_eq!(json, serde_json::json!({"ruc": "20123456789", "name": "Company Inc"}));
    let number: Option<u32> = lab.runtime.block_on(lab.cache.get("migo_data")).unwrap();
    assert_eq!(number, None);
    let back: Company = lab.runtime.block_on(lab.cache.get("migo_data")).unwrap().unwrap();
    assert_eq!(back, company);
}

#[test]
fn legal_value_null_is_a_value() {
    let lab = Lab::new();
    lab.runtime.block_on(lab.cache.set("nothing", &None::<u8>, HOUR)).unwrap();
    assert_eq!(lab.runtime.block_on(lab.cache.get::<Option<u8>>("nothing")).unwrap(), Some(None));
}

#[test]
fn services_are_apart() {
    let lab = Lab::new();
    let users = lab.cache.service(&ServiceName::new("users").unwrap());
    lab.runtime.block_on(users.set("x", &1, HOUR)).unwrap();
    assert_eq!(lab.runtime.block_on(lab.cache.get::<i32>("x")).unwrap(), None);
    let key = Key::parse("users:x").unwrap();
    assert_eq!(lab.runtime.block_on(lab.cache.get::<i32>(&key)).unwrap(), Some(1));
}

#[test]
fn name_that_is_no_key_is_an_error() {
    let lab = Lab::new();
    let error = lab.runtime.block_on(lab.cache.get::<i32>("")).unwrap_err();
    assert!(matches!(error, CacheError::Key(InvalidKey::EmptyName)), "{error:?}");
}

#[test]
fn outside_a_runtime_the_error_says_what_to_do() {
    let error = Cache::builder(std::sync::Arc::new(rucache_core::MapLocal::default())).build();
    let text = error.unwrap_err().to_string();
    assert!(text.contains("give the builder a runtime"), "{text}");
}

#[test]
fn probe_works_and_leaves_nothing() {
    let lab = Lab::new();
    assert!(lab.runtime.block_on(lab.cache.probe()).unwrap().works);
    assert_eq!(lab.cache.usage().unwrap().entries, 0);
}
