//! Several sources: who answers, and who is asked when one does not.

use rucache_testkit::{ProviderFake, ProviderFault, ProviderShape};

use super::stand::{Asker, asking, over, ruc};
use crate::cli::program::{Service, file};

#[test]
fn register_answers_first_and_an_api_the_rest() {
    let register = file("ordered.zip", rucache::padron::SAMPLE_ZIP).display().to_string();
    let fake = ProviderFake::start(ProviderShape::Migo);
    let program = over(&fake, ProviderShape::Migo, &[])
        .env("RUCACHE_SOURCE_REGISTER", &register)
        .env("RUCACHE_SOURCE_COVERAGE", "partial");
    let service = Service::of(program);
    let sources: Vec<_> =
        service.greeting.lines().filter_map(|line| line.strip_prefix("  source        ")).collect();
    let api = format!("migo at {}; no limit set", fake.url());
    assert_eq!(sources, [&*format!("register {register}; numbers it lacks are not covered"), &api]);
    let asker = Asker::of(&service);
    let told = asker.get("/v1/ruc/20131312955");
    assert_eq!((told.status, told.source.as_str()), (200, "register"));
    assert!(fake.calls().is_empty());
    let told = asker.lookup(ruc(1));
    assert_eq!((told.status, told.source.as_str()), (200, "migo"));
    assert_eq!(asker.get("/health").json()["checks"]["sources"], "✅ register, migo");
    let published = asker.metric("rucache_register_timestamp_seconds{cache=\"rucache\"}");
    let now = super::stand::now_millis() / 1_000;
    let published: u64 = published.to_string().parse().expect("whole seconds");
    assert!((now - 3_600..=now).contains(&published), "{published}");
    let told = asker.get("/health").json()["register"].clone();
    let told: jiff::Timestamp = told.as_str().expect("text").parse().expect("a time");
    assert_eq!(u64::try_from(told.as_second()), Ok(published));
}

#[test]
fn next_one_answers_in_time_while_one_hangs() {
    let migo = ProviderFake::start(ProviderShape::Migo);
    let decolecta = ProviderFake::start(ProviderShape::Decolecta);
    migo.set_fault(Some(ProviderFault::Hang));
    let program = over(&migo, ProviderShape::Migo, &[]);
    let program = asking(program, &decolecta, ProviderShape::Decolecta)
        .env("RUCACHE_SOURCES", r#"["migo","decolecta"]"#)
        // Each gets the half of four fifths of it, whatever its own deadline.
        .env("RUCACHE_TIMING_LOAD_DEADLINE", "5s");
    let service = Service::of(program);
    let asker = Asker::of(&service);
    let told = asker.lookup(ruc(1));
    assert_eq!((told.status, told.source.as_str()), (200, "decolecta"), "{told:?}");
    assert!(asker.calls("migo", "timeout") >= 1.0);
    assert_eq!(asker.calls("decolecta", "answered").to_string(), "1");
}

#[test]
fn word_of_a_source_without_authority_is_not_the_last() {
    let migo = ProviderFake::start(ProviderShape::Migo);
    let decolecta = ProviderFake::start(ProviderShape::Decolecta);
    migo.remove(&ruc(1).to_string());
    let start = |coverage| {
        let program = over(&migo, ProviderShape::Migo, &[]).env("RUCACHE_MIGO_COVERAGE", coverage);
        Service::of(asking(program, &decolecta, ProviderShape::Decolecta))
    };
    let told = Asker::of(&start("full")).lookup(ruc(1));
    assert_eq!((told.status, decolecta.calls().len()), (404, 0));
    let told = Asker::of(&start("partial")).lookup(ruc(1));
    assert_eq!((told.status, told.source.as_str()), (200, "decolecta"));
}
