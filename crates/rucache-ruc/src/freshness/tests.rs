//! Tests of the freshness table, row by row.

use super::*;
use crate::field::Field;

const REGISTER: Profile = Profile::Register;

fn hours(fresh: u64, stale: u64) -> Freshness {
    Freshness::new(Duration::from_secs(fresh * 3_600), Duration::from_secs(stale * 3_600))
}

fn record(estado: &str, condicion: &str) -> Taxpayer {
    dated(estado, condicion, "")
}

fn dated(estado: &str, condicion: &str, updated: &str) -> Taxpayer {
    Taxpayer::builder("20131312955".parse().expect("a valid RUC"))
        .set(Field::EstadoDelContribuyente, estado)
        .set(Field::CondicionDeDomicilio, condicion)
        .set(Field::ActualizadoEn, updated)
        .build()
}

fn day(text: &str) -> LimaDate {
    text.parse().expect("a date")
}

/// 2026-01-28, nine in the morning in Lima.
fn now() -> Timestamp {
    day("2026-01-28").at_hour(9)
}

#[test]
fn reference_profile_knows_one_life() {
    for record in [record("ACTIVO", "HABIDO"), record("BAJA DEFINITIVA", "-"), record("", "")] {
        assert_eq!(Profile::Reference.record(&record, None, now()), hours(1, 24));
    }
    assert_eq!(Profile::default(), Profile::Reference);
}

#[test]
fn register_profile_follows_its_table() {
    for (estado, condicion, expected) in [
        ("ACTIVO", "HABIDO", hours(24, 168)),
        ("ACTIVO", "NO HALLADO", hours(6, 24)),
        ("ACTIVO", "NO HALLADO SE MUDO D", hours(6, 24)),
        ("ACTIVO", "PENDIENTE", hours(6, 24)),
        ("ACTIVO", "POR VERIFICAR", hours(6, 24)),
        ("ACTIVO", "NO HABIDO", hours(4, 12)),
        ("SUSPENSION TEMPORAL", "HABIDO", hours(12, 24)),
        ("BAJA PROVISIONAL", "NO HABIDO", hours(12, 24)),
        ("BAJA PROV. POR OFICI", "", hours(12, 24)),
        ("BAJA DE OFICIO", "-", hours(12, 24)),
        ("BAJA DEFINITIVA", "HABIDO", hours(168, 720)),
        ("BAJA MULT.INSCR. Y O", "", hours(168, 720)),
        ("ANULACION - ERROR SU", "", hours(168, 720)),
        ("ANULACION - ACTO ILI", "", hours(168, 720)),
        ("ANUL.PROVI.-ACTO ILI", "", hours(12, 24)),
    ] {
        let freshness = REGISTER.record(&record(estado, condicion), None, now());
        assert_eq!(freshness, expected, "{estado}, {condicion}");
    }
}

#[test]
fn what_the_table_does_not_class_is_a_record_like_any_other() {
    for (estado, condicion) in
        [("", ""), ("", "HABIDO"), ("ACTIVO", ""), ("ACTIVO", "NO APLICABLE"), ("NUEVO", "HABIDO")]
    {
        let freshness = REGISTER.record(&record(estado, condicion), None, now());
        assert_eq!(freshness, hours(1, 24), "{estado}, {condicion}");
    }
}

#[test]
fn good_record_is_fresh_until_the_source_has_newer_data() {
    let fresh = |updated| REGISTER.record(&dated("ACTIVO", "HABIDO", updated), None, now());
    assert_eq!(fresh("2026-01-28 05:00:00"), hours(20, 168));
    assert_eq!(fresh("2026-01-27 19:00:00"), hours(10, 168));
    assert_eq!(fresh("2026-01-28"), hours(21, 168));
}

#[test]
fn lagging_source_is_asked_once_an_hour() {
    let fresh = |updated| REGISTER.record(&dated("ACTIVO", "HABIDO", updated), None, now());
    assert_eq!(fresh("2026-01-27 08:30:00"), hours(1, 168));
    assert_eq!(fresh("2019-03-01"), hours(1, 168));
}

#[test]
fn data_from_the_future_or_without_a_readable_date_is_taken_for_new() {
    let fresh = |updated| REGISTER.record(&dated("ACTIVO", "HABIDO", updated), None, now());
    assert_eq!(fresh("2030-01-01"), hours(24, 168));
    assert_eq!(fresh("ayer"), hours(24, 168));
}

#[test]
fn date_stated_by_the_source_goes_before_the_record_s_own() {
    let record = dated("ACTIVO", "HABIDO", "2026-01-28 05:00:00");
    let stated = day("2026-01-28").at_hour(8);
    assert_eq!(REGISTER.record(&record, Some(stated), now()), hours(23, 168));
}

#[test]
fn exchange_rate_of_a_past_day_is_final() {
    let past = day("2026-01-27");
    assert_eq!(REGISTER.exchange_rate(past, now()), hours(30 * 24, 24));
    assert_eq!(Profile::Reference.exchange_rate(past, now()), hours(24, 0));
}

#[test]
fn exchange_rate_of_today_is_fresh_until_six_in_lima() {
    let today = day("2026-01-28");
    let at = |moment| REGISTER.exchange_rate(today, moment).fresh;
    assert_eq!(at(today.at_hour(0)), HOUR * 6);
    assert_eq!(at(today.at_hour(5)), HOUR);
    assert_eq!(at(today.at_hour(6)), DAY);
    assert_eq!(at(today.at_hour(23)), HOUR * 7);
    assert_eq!(REGISTER.exchange_rate(day("2026-01-29"), now()).fresh, HOUR * 21);
}

#[test]
fn today_of_lima_counts_and_not_that_of_utc() {
    // In UTC it is the 29th already.
    let evening = day("2026-01-28").at_hour(22);
    assert_eq!(REGISTER.exchange_rate(day("2026-01-28"), evening).fresh, HOUR * 8);
}

#[test]
fn nothing_is_fresh_for_no_time_at_all() {
    let today = day("2026-01-28");
    for minute in 0..3 * 24 * 60 {
        let moment = Timestamp::from_millis(today.at_hour(0).as_millis() + minute * 60_000);
        assert!(!REGISTER.exchange_rate(today, moment).fresh.is_zero());
        let record = dated("ACTIVO", "HABIDO", "2026-01-28 00:00:00");
        assert!(REGISTER.record(&record, None, moment).fresh >= HOUR);
    }
}

#[test]
fn verdict_of_a_caller_lasts_a_day_and_that_of_a_failure_five_minutes() {
    assert_eq!(Freshness::marked(ReasonKind::NoExisteSunat), hours(24, 144));
    assert_eq!(Freshness::marked(ReasonKind::Otro), hours(24, 144));
    let failure = Freshness::marked(ReasonKind::ErrorApi);
    assert_eq!(failure.fresh, MINUTE * 5);
    assert_eq!(failure.fresh + failure.stale, DAY * 7);
}

#[test]
fn learned_verdict_grows_with_each_confirmation_up_to_a_day() {
    for (attempts, expected) in
        [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (40, 24), (u64::MAX, 24)]
    {
        assert_eq!(Freshness::learned(attempts), hours(expected, 168 - expected), "{attempts}");
    }
}

#[test]
fn profiles_have_the_names_of_the_configuration() {
    for profile in [Profile::Reference, Profile::Register] {
        let name = serde_json::to_value(profile).expect("JSON");
        assert_eq!(name, profile.as_str());
    }
    assert!(serde_json::from_str::<Profile>("\"Register\"").is_err());
}
