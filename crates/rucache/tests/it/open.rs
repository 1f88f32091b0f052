//! Opening a cache, and the faults of opening one.

use std::path::PathBuf;

use rucache::ruc::{Cause, Outcome};
use rucache::{Config, Ttl};

fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// A configuration file with `source.register` at `register`.
fn with_register(name: &str, register: &PathBuf, coverage: &str) -> PathBuf {
    let path = temporary(&format!("{name}.toml"));
    let text = format!("[source]\nregister = {register:?}\n{coverage}");
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn default_cache_knows_the_sample_and_covers_nothing_else() {
    let cache = rucache::open_default().await.unwrap();
    let ruc = cache.ruc("migo");
    let Outcome::Found(found) = ruc.lookup(&"20131312955".parse().unwrap()).await else {
        panic!("not found")
    };
    let name = found.record.nombre_o_razon_social().unwrap();
    assert!(name.starts_with("SUPERINTENDENCIA NACIONAL"), "{name}");
    assert_eq!(found.source.as_deref(), Some("sample"));
    let entries = cache.usage().unwrap().entries;
    let unknown = ruc.lookup(&"20100038146".parse().unwrap()).await;
    let Outcome::Unavailable(unanswered) = unknown else { panic!("{unknown:?}") };
    assert_eq!(unanswered.cause, Cause::NotCovered);
    assert_eq!(cache.usage().unwrap().entries, entries);
}

#[tokio::test]
async fn register_file_answers_with_the_coverage_that_is_stated() {
    let register = temporary("register.zip");
    std::fs::write(&register, rucache::padron::SAMPLE_ZIP).unwrap();
    let path = with_register("full", &register, "coverage = \"full\"\n");
    let cache = rucache::open_config(&path).await.unwrap();
    let ruc = cache.ruc("migo");
    let known = ruc.lookup(&"20131312955".parse().unwrap()).await;
    assert!(matches!(known, Outcome::Found(_)), "{known:?}");
    let absent = ruc.lookup(&"20100038146".parse().unwrap()).await;
    assert!(matches!(absent, Outcome::NotFound(_)), "{absent:?}");
}

#[tokio::test]
async fn register_without_coverage_says_what_to_state() {
    let path = with_register("unset", &temporary("register.zip"), "");
    let error = rucache::open_config(&path).await.unwrap_err().to_string();
    assert!(error.starts_with("source.register is set without source.coverage; say full"));
}

#[tokio::test]
async fn missing_or_damaged_register_is_named() {
    let missing = temporary("missing.zip");
    let damaged = temporary("damaged.zip");
    let half = rucache::padron::SAMPLE_ZIP.len() / 2;
    std::fs::write(&damaged, &rucache::padron::SAMPLE_ZIP[..half]).unwrap();
    for register in [missing, damaged] {
        let path = with_register("fault", &register, "coverage = \"partial\"\n");
        let error = rucache::open_config(&path).await.unwrap_err();
        assert_eq!(error.to_string(), "source.register cannot be used");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(&register.display().to_string()), "{cause}");
        assert!(!cause.contains('\n'), "{cause}");
    }
}

#[tokio::test]
async fn wrong_url_is_told_without_its_password() {
    let error = rucache::open("gopher://user:s3cret@host").await.unwrap_err().to_string();
    let start = "backend \"gopher://user:***@host\": this program has no backend \"gopher\"";
    assert!(error.starts_with(start), "{error}");
    let error = rucache::open("memory://?capacity=lots").await.unwrap_err().to_string();
    assert!(error.contains("\"lots\" is not a size"), "{error}");
}

#[tokio::test]
async fn capacity_of_the_url_is_kept() {
    let cache = rucache::open("memory://?capacity=2MiB").await.unwrap();
    assert_eq!(cache.usage().unwrap().capacity_bytes, 2 << 20);
}

#[tokio::test]
async fn clones_and_services_share_the_entries() {
    let cache = rucache::open_with(Config::default()).await.unwrap();
    cache.clone().set("key", "value", Ttl::SHORT).await.unwrap();
    assert_eq!(cache.get::<String>("key").await.unwrap().as_deref(), Some("value"));
}
