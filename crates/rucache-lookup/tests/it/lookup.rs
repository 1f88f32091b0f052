//! Look-ups, one and many: what is asked, what is answered, what is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rucache_core::{Runtime, Ttl};
use rucache_engine::{Policy, ServedFrom, StaleReason};
use rucache_lookup::CachedRecord;
use rucache_ruc::{Answer, Cause, Outcome, Reason, Ruc, Unavailable};

use crate::lab::{CONTINENTAL, Lab, SUNAT, record, ruc};

#[test]
fn first_look_up_asks_and_the_second_is_a_hit() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let first = lab.lookup(SUNAT);
    assert_eq!(first.served.unwrap().from, ServedFrom::Load);
    lab.runtime.advance(Duration::from_secs(59));
    let second = lab.lookup(SUNAT);
    let Outcome::Found(found) = second.outcome else { panic!("{second:?}") };
    assert_eq!(found.record.nombre_o_razon_social(), Some("SUNAT"));
    assert_eq!(found.source.as_deref(), Some("scripted"));
    let served = second.served.unwrap();
    assert_eq!((served.from, served.ttl), (ServedFrom::Local, Duration::from_secs(3541)));
    assert_eq!(lab.calls(), [1]);
}

#[test]
fn certain_absence_is_not_found_with_its_reason() {
    let lab = Lab::instant();
    let Outcome::NotFound(not_found) = lab.lookup(SUNAT).outcome else { panic!("found") };
    assert_eq!(not_found.reason, Reason::NO_EXISTE_SUNAT);
    assert_eq!((not_found.attempts, not_found.since), (1, lab.runtime.wall()));
}

#[test]
fn authoritative_absence_replaces_a_stale_record() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let _ = lab.lookup(SUNAT);
    lab.runtime.advance(Duration::from_secs(3600));
    lab.answers(SUNAT, Answer::NotFound);
    assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::NotFound(_)));
}

#[test]
fn failure_is_unavailable_and_never_not_found() {
    let causes = [Cause::Timeout, Cause::Failed, Cause::RateLimited, Cause::Denied];
    for cause in causes {
        let lab = Lab::instant();
        let unavailable = Unavailable::new(cause).retry_after(Duration::from_secs(30));
        lab.answers(SUNAT, Answer::Unavailable(unavailable));
        let Outcome::Unavailable(unanswered) = lab.lookup(SUNAT).outcome else {
            panic!("{cause:?}")
        };
        assert_eq!(unanswered.cause, cause);
        assert_eq!(unanswered.retry_after, Some(Duration::from_secs(30)));
        assert_eq!(lab.cache.usage().unwrap().entries, 0);
    }
}

#[test]
fn number_that_the_source_does_not_cover_is_unavailable_and_leaves_nothing() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::NotCovered);
    let Outcome::Unavailable(unanswered) = lab.lookup(SUNAT).outcome else { panic!("answered") };
    assert_eq!(unanswered.cause, Cause::NotCovered);
    assert_eq!(lab.cache.usage().unwrap().entries, 0);
}

#[test]
fn failure_serves_the_stale_record_for_a_day() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let _ = lab.lookup(SUNAT);
    lab.answers(SUNAT, Answer::Unavailable(Unavailable::new(Cause::Failed)));
    lab.runtime.advance(Duration::from_secs(3600 + 86_399));
    let stale = lab.lookup(SUNAT);
    assert!(matches!(stale.outcome, Outcome::Found(_)) && stale.is_stale());
    assert_eq!(stale.served.unwrap().from, ServedFrom::Stale(StaleReason::LoadError));
    lab.runtime.advance(Duration::from_secs(1));
    assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::Unavailable(_)));
}

#[test]
fn provider_that_never_answers_is_a_timeout() {
    let lab = Lab::new(1, Duration::MAX);
    let result = Arc::new(Mutex::new(None));
    let (rucs, slot) = (lab.rucs.clone(), result.clone());
    lab.runtime.spawn(Box::pin(async move {
        *slot.lock().unwrap() = Some(rucs.lookup(&ruc(SUNAT)).await);
    }));
    lab.runtime.advance(Duration::from_secs(10));
    let outcome = result.lock().unwrap().take().unwrap();
    let Outcome::Unavailable(unanswered) = outcome else { panic!("{outcome:?}") };
    assert_eq!(unanswered.cause, Cause::Timeout);
}

#[test]
fn record_of_another_number_is_no_answer() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(CONTINENTAL, "CONTINENTAL S.A.C.")));
    let Outcome::Unavailable(unanswered) = lab.lookup(SUNAT).outcome else { panic!("found") };
    assert_eq!(unanswered.cause, Cause::Failed);
}

#[test]
fn many_keep_their_order_and_ask_once_for_each_in_full_batches() {
    let lab = Lab::new(2, Duration::ZERO);
    let numbers: Vec<Ruc> =
        (0..5).map(|n| Ruc::from_first_ten(2_000_000_000 + n).unwrap()).collect();
    for number in &numbers {
        let text = number.to_string();
        lab.answers(&text, Answer::found(record(&text, &text)));
    }
    let _ = lab.lookup(&numbers[1].to_string());
    let asked = [numbers[3], numbers[0], numbers[3], numbers[1], numbers[2], numbers[4]];
    let lookups = lab.runtime.block_on(lab.rucs.lookup_many(&asked));
    let found: Vec<Ruc> =
        lookups.iter().map(|lookup| lookup.outcome.record().unwrap().ruc()).collect();
    assert_eq!(found, asked);
    assert_eq!(lookups[3].served.unwrap().from, ServedFrom::Local);
    assert_eq!(lab.calls(), [1, 2, 2]);
}

#[test]
fn number_on_which_the_provider_hangs_or_panics_spoils_no_other() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let (hangs, panics) = (ruc(CONTINENTAL), ruc("20100070970"));
    lab.provider.hangs_on(hangs);
    lab.provider.panics_on(panics);
    let lookups = lab.apart(&[hangs, ruc(SUNAT), panics]);
    lab.runtime.advance(Duration::from_millis(7_200));
    let lookups = lookups.lock().unwrap().take().expect("the look-ups have ended");
    let causes: Vec<_> = lookups
        .iter()
        .map(|lookup| match &lookup.outcome {
            Outcome::Unavailable(unanswered) => Some(unanswered.cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, [Some(Cause::Timeout), None, Some(Cause::Failed)]);
}

#[test]
fn texts_that_are_no_ruc_are_told_in_their_place_without_asking() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let texts = ["abc", SUNAT, "20131312956"];
    let lookups = lab.runtime.block_on(lab.rucs.lookup_texts(&texts));
    let outcomes: Vec<_> = lookups.iter().map(|lookup| lookup.outcome.as_str()).collect();
    assert_eq!(outcomes, ["invalid", "found", "invalid"]);
    assert_eq!(lab.calls(), [1]);
}

#[test]
fn a_hundred_with_twenty_missing_take_as_long_as_one_call() {
    let lab = Lab::new(1, Duration::from_millis(500));
    let numbers: Vec<Ruc> =
        (0..100).map(|n| Ruc::from_first_ten(2_000_000_000 + n).unwrap()).collect();
    for number in &numbers {
        let text = number.to_string();
        lab.answers(&text, Answer::found(record(&text, &text)));
        if number.as_u64() / 10 % 5 != 0 {
            let known = record(&text, &text);
            lab.runtime.block_on(lab.rucs.set(known, None)).unwrap();
        }
    }
    let lookups = lab.apart(&numbers);
    lab.runtime.advance(Duration::from_millis(500));
    let lookups = lookups.lock().unwrap().take().expect("the look-ups have ended");
    assert!(lookups.iter().all(|lookup| lookup.outcome.record().is_some()));
    assert_eq!(lab.calls().len(), 20);
}

#[test]
fn set_get_and_delete_agree() {
    let lab = Lab::instant();
    let continental = record(CONTINENTAL, "CONTINENTAL S.A.C.");
    lab.runtime.block_on(lab.rucs.set(continental.clone(), None)).unwrap();
    let hit = lab.get(CONTINENTAL).unwrap();
    assert_eq!(*hit.record, continental);
    assert_eq!(hit.outcome.ttl, Duration::from_secs(3600));
    assert!(lab.runtime.block_on(lab.rucs.delete(&ruc(CONTINENTAL))).unwrap().existed);
    assert!(lab.get(CONTINENTAL).is_none());
    assert!(!lab.runtime.block_on(lab.rucs.delete(&ruc(CONTINENTAL))).unwrap().existed);
    let life = Some(Policy::from(Ttl::SHORT));
    lab.runtime.block_on(lab.rucs.set(continental, life)).unwrap();
    assert_eq!(lab.get(CONTINENTAL).unwrap().outcome.ttl, Duration::from_secs(60));
    assert_eq!(lab.calls(), [0_usize; 0]);
}

#[test]
fn record_written_by_its_plain_name_is_the_record() {
    let lab = Lab::instant();
    let migo = lab.cache.service(&"migo".parse().unwrap());
    let json = serde_json::json!({"ruc": CONTINENTAL, "nombre_o_razon_social": "CONTINENTAL"});
    let name = format!("ruc_{CONTINENTAL}");
    lab.runtime.block_on(migo.set(&name, &json, Ttl::MEDIUM)).unwrap();
    let hit = lab.get(CONTINENTAL).unwrap();
    assert_eq!(hit.record.nombre_o_razon_social(), Some("CONTINENTAL"));
}

#[test]
fn record_of_another_number_under_a_name_is_no_record() {
    let lab = Lab::instant();
    lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
    let migo = lab.cache.service(&"migo".parse().unwrap());
    let poison = || {
        let json = serde_json::json!({"ruc": CONTINENTAL, "nombre_o_razon_social": "CONTINENTAL"});
        let name = format!("ruc_{SUNAT}");
        lab.runtime.block_on(migo.set(&name, &json, Ttl::MEDIUM)).unwrap();
    };
    poison();
    assert!(lab.get(SUNAT).is_none());
    assert_eq!(lab.lookup(SUNAT).outcome.record().unwrap().ruc(), ruc(SUNAT));
    poison();
    let many = lab.runtime.block_on(lab.rucs.lookup_many(&[ruc(SUNAT)]));
    assert_eq!(many[0].outcome.record().unwrap().ruc(), ruc(SUNAT));
}

#[test]
fn cached_record_reads_as_the_record_and_back() {
    let cached = CachedRecord {
        record: Arc::new(record(SUNAT, "SUNAT")),
        as_of: Some(rucache_core::Timestamp::from_millis(1)),
        source: Some("scripted".into()),
    };
    let json = serde_json::to_value(&cached).unwrap();
    let expected = serde_json::json!({
        "ruc": SUNAT, "nombre_o_razon_social": "SUNAT", "_as_of": 1, "_source": "scripted",
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<CachedRecord>(json).unwrap(), cached);
}
