//! Verdicts that look-ups bring: the registry learns what an authority says, and nothing else.

use std::time::Duration;

use futures_util::StreamExt;
use rucache_core::Runtime;
use rucache_engine::ServedFrom;
use rucache_lookup::Include;
use rucache_ruc::{Answer, Cause, Outcome, Reason, Unavailable};

use crate::lab::{Home, Lab, SUNAT, number, record, ruc};

#[test]
fn authority_s_word_is_remembered_listed_and_grows() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let first = lab.runtime.wall();
        let lookup = lab.lookup(SUNAT);
        let Outcome::NotFound(not_found) = lookup.outcome else { panic!("{lookup:?}") };
        assert_eq!((not_found.reason, not_found.attempts), (Reason::NO_EXISTE_SUNAT, 1));
        assert_eq!(lookup.served.unwrap().from, ServedFrom::Load);
        let again = lab.lookup(SUNAT);
        assert_ne!(again.served.unwrap().from, ServedFrom::Load, "{home:?}");
        assert_eq!(lab.calls(), [1]);
        assert!(lab.run(lab.rucs.is_invalid(SUNAT)));
        let counts = lab.run(lab.rucs.invalid_breakdown()).unwrap();
        assert_eq!(counts.breakdown_by_reason["NO_EXISTE_SUNAT"], 1);
        // An hour, ± 10 %; then two.
        lab.runtime.advance(Duration::from_secs(3_600 * 11 / 10));
        assert!(!lab.run(lab.rucs.is_invalid(SUNAT)));
        let Outcome::NotFound(not_found) = lab.lookup(SUNAT).outcome else { panic!("found") };
        assert_eq!((not_found.attempts, not_found.since), (2, first));
        lab.runtime.advance(Duration::from_secs(3_600 * 3 / 2));
        assert!(lab.run(lab.rucs.is_invalid(SUNAT)));
        assert_eq!(lab.run(lab.rucs.all_invalid().count()), 1, "listed as long as it stands");
        assert_eq!(lab.calls(), [1, 1]);
    }
}

#[test]
fn record_replaces_the_verdict_and_is_not_listed() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let _ = lab.lookup(SUNAT);
        lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
        lab.runtime.advance(Duration::from_secs(3_600 * 11 / 10));
        assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::Found(_)), "{home:?}");
        assert!(!lab.run(lab.rucs.is_invalid(SUNAT)));
        assert!(lab.run(lab.rucs.invalid_info(SUNAT, Include::Lapsed)).unwrap().is_none());
        assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 0);
    }
}

#[test]
fn authority_s_word_replaces_the_record() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
        let _ = lab.lookup(SUNAT);
        lab.answers(SUNAT, Answer::NotFound);
        lab.runtime.advance(Duration::from_secs(4_000));
        assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::NotFound(_)), "{home:?}");
        assert!(lab.run(lab.rucs.is_invalid(SUNAT)));
    }
}

#[test]
fn failure_or_a_source_that_cannot_know_is_never_a_verdict() {
    let failures = Cause::ALL.map(|cause| Answer::Unavailable(Unavailable::new(cause)));
    for answer in failures.into_iter().chain([Answer::NotCovered]) {
        for home in Home::ALL {
            let lab = Lab::home(home);
            lab.answers(SUNAT, answer.clone());
            assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::Unavailable(_)));
            assert!(!lab.run(lab.rucs.is_invalid(SUNAT)), "{home:?} {answer:?}");
            assert!(lab.run(lab.rucs.invalid_info(SUNAT, Include::Lapsed)).unwrap().is_none());
            assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 0);
        }
    }
}

#[test]
fn failure_after_a_verdict_leaves_its_record() {
    let lab = Lab::home(Home::Server);
    let _ = lab.lookup(SUNAT);
    lab.runtime.advance(Duration::from_secs(4_000));
    lab.answers(SUNAT, Answer::Unavailable(Unavailable::new(Cause::Failed)));
    assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::Unavailable(_)));
    let kept = lab.run(lab.rucs.invalid_info(SUNAT, Include::Lapsed)).unwrap().unwrap();
    assert_eq!((kept.attempts, kept.is_lapsed), (1, true));
}

#[test]
fn numbers_of_a_batch_are_listed_together() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let numbers: Vec<_> = (0..250).map(number).collect();
        lab.knows(&numbers[..50]);
        let lookups = lab.run(lab.rucs.lookup_many(&numbers));
        let absent = lookups.iter().filter(|l| matches!(l.outcome, Outcome::NotFound(_))).count();
        assert_eq!(absent, 200);
        assert_eq!(lab.run(lab.rucs.invalid_count()).unwrap(), 200, "{home:?}");
        assert_eq!(lab.calls(), [100, 100, 50]);
        let again = lab.run(lab.rucs.lookup_many(&numbers));
        assert!(again.iter().all(|lookup| lookup.served.unwrap().from != ServedFrom::Load));
        assert_eq!(lab.calls().len(), 3);
    }
}

#[test]
fn mark_counts_on_after_what_was_learned() {
    let lab = Lab::home(Home::Server);
    let _ = lab.lookup(SUNAT);
    let marked = lab.run(lab.rucs.mark_invalid(SUNAT, Reason::new("TEST"), None)).unwrap();
    assert_eq!(marked.record.attempts, 2);
    assert!(lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).is_ok());
    assert!(lab.run(lab.rucs.get(&ruc(SUNAT))).is_some());
}
