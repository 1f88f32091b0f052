//! The registry of invalid numbers: marks, their records, their listing.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use rucache_core::{Runtime, Timestamp, Ttl};
use rucache_engine::Written;
use rucache_lookup::{Include, InvalidRecord, LookupOptions, RegistryError};
use rucache_ruc::{Answer, Outcome, Reason};

use crate::lab::{CONTINENTAL, Home, Lab, SUNAT, record, ruc};

impl Lab {
    fn mark(&self, text: &str, reason: &'static str) -> InvalidRecord {
        let marked = self.run(self.rucs.mark_invalid(text, Reason::new(reason), None)).unwrap();
        assert_eq!(marked.written, Written::Done);
        marked.record
    }

    fn is_invalid(&self, text: &str) -> bool {
        self.run(self.rucs.is_invalid(text))
    }

    fn info(&self, text: &str, include: Include) -> Option<InvalidRecord> {
        self.run(self.rucs.invalid_info(text, include)).unwrap()
    }

    fn listed(&self) -> BTreeSet<String> {
        let all: Vec<_> = self.run(self.rucs.all_invalid().collect());
        all.into_iter().map(|record| record.unwrap().ruc).collect()
    }

    fn count(&self) -> u64 {
        self.run(self.rucs.invalid_count()).unwrap()
    }

    fn ahead(&self, secs: u64) -> Timestamp {
        self.runtime.wall().after(Ttl::secs(secs))
    }
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

#[test]
fn examples_of_the_documents_hold() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let begun = lab.runtime.wall();
        for (number, reason) in [
            ("20999999999", "NO_EXISTE_SUNAT"),
            ("20000000000", "INVALID_FORMAT"),
            ("20123456789", "TEST"),
            ("20000000000", "INVALID_FORMAT"),
        ] {
            lab.mark(number, reason);
        }
        assert!(lab.is_invalid("20999999999") && lab.is_invalid("20000000000"), "{home:?}");
        assert!(!lab.is_invalid(CONTINENTAL));
        let info = lab.info("20000000000", Include::Active).unwrap();
        assert_eq!((info.reason.as_str(), info.attempts), ("INVALID_FORMAT", 2));
        assert_eq!((info.first_seen, info.timestamp), (begun, begun));
        assert_eq!(info.expires_at, lab.ahead(86_400));
        assert_eq!(lab.listed(), set(["20000000000", "20123456789", "20999999999"]));
        let counts = lab.run(lab.rucs.invalid_breakdown()).unwrap();
        assert_eq!(counts.total_count, 3);
        let by_reason = counts.breakdown_by_reason.into_iter().collect::<Vec<_>>();
        let expected = [("FORMATO_INVALIDO", 1), ("NO_EXISTE_SUNAT", 1), ("OTRO", 1)];
        assert_eq!(by_reason, expected.map(|(reason, count)| (reason.to_owned(), count)));
        assert!(lab.run(lab.rucs.unmark_invalid("20999999999")).unwrap().existed);
        assert!(!lab.run(lab.rucs.unmark_invalid("20999999999")).unwrap().existed);
        assert!(!lab.is_invalid("20999999999"));
        assert_eq!(lab.run(lab.rucs.clear_invalid()).unwrap(), 2);
        assert_eq!((lab.listed(), lab.count()), (BTreeSet::new(), 0));
        assert!(lab.info("20123456789", Include::Lapsed).is_none());
    }
}

#[test]
fn record_is_json_as_the_documents_have_it() {
    let lab = Lab::instant();
    let json = serde_json::to_value(lab.mark("20999999999", "NOT_FOUND")).unwrap();
    let expected = serde_json::json!({
        "ruc": "20999999999", "reason": "NOT_FOUND", "attempts": 1,
        "timestamp": "2026-01-28T15:00:00.000Z", "first_seen": "2026-01-28T15:00:00.000Z",
        "expires_at": "2026-01-29T15:00:00.000Z",
    });
    assert_eq!(json, expected);
}

#[test]
fn record_shows_no_person_s_number_to_a_log() {
    let lab = Lab::instant();
    let person = rucache_ruc::Ruc::from_first_ten(1_000_000_001).unwrap().to_string();
    for (text, shown) in [(person.as_str(), person.as_str()), ("12345678", "12345678")] {
        let marked = lab.run(lab.rucs.mark_invalid(text, Reason::new("TEST"), None)).unwrap();
        assert!(!format!("{marked:?}").contains(shown), "{marked:?}");
    }
    assert!(format!("{:?}", lab.mark(SUNAT, "TEST")).contains(SUNAT));
}

#[test]
fn any_text_is_marked_trimmed_and_a_long_one_by_its_hash() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let long = "9".repeat(65);
        for text in [" ABC/123\u{feff}", "ñandú café", "#", long.as_str()] {
            lab.mark(text, "FORMATO_INVALIDO");
            assert!(lab.is_invalid(text), "{home:?} {text}");
        }
        assert!(lab.is_invalid("ABC/123") && !lab.is_invalid(&long[1..]));
        let listed = lab.listed();
        assert_eq!(listed.len(), 4);
        assert!(listed.contains("ABC/123") && listed.contains("ñandú café"));
        assert_eq!(listed.iter().filter(|ruc| ruc.starts_with('#') && ruc.len() == 63).count(), 2);
        let empty = lab.run(lab.rucs.mark_invalid("  ", Reason::ERROR_API, None));
        assert!(matches!(empty, Err(RegistryError::Empty)));
    }
}

#[test]
fn verdict_lapses_and_its_record_counts_on_for_seven_days() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let first = lab.mark("20999999999", "NOT_FOUND");
        lab.runtime.advance(Duration::from_secs(86_400));
        assert!(!lab.is_invalid("20999999999"), "{home:?}");
        assert!(lab.info("20999999999", Include::Active).is_none());
        assert_eq!((lab.listed(), lab.count()), (BTreeSet::new(), 0));
        let lapsed = lab.info("20999999999", Include::Lapsed).unwrap();
        assert!(lapsed.is_lapsed);
        assert_eq!((lapsed.attempts, lapsed.expires_at), (1, first.expires_at));
        let again = lab.mark("20999999999", "NO_EXISTE_SUNAT");
        assert_eq!((again.attempts, again.first_seen), (2, first.first_seen));
        assert_eq!((again.timestamp, again.is_lapsed), (lab.runtime.wall(), false));
        lab.runtime.advance(Duration::from_secs(7 * 86_400));
        assert!(lab.info("20999999999", Include::Lapsed).is_none());
        assert_eq!(lab.mark("20999999999", "NO_EXISTE_SUNAT").attempts, 1);
    }
}

#[test]
fn mark_lasts_as_long_as_its_caller_says_or_its_reason() {
    let lab = Lab::instant();
    assert_eq!(lab.mark("A", "ERROR_API").expires_at, lab.ahead(300));
    let mark = |ttl| lab.run(lab.rucs.mark_invalid("B", Reason::ERROR_API, Some(ttl))).unwrap();
    assert_eq!(mark(Ttl::secs(7)).record.expires_at, lab.ahead(7));
    assert_eq!(mark(Ttl::secs(8 * 86_400)).record.expires_at, lab.ahead(8 * 86_400));
    let mut options = LookupOptions::default();
    options.mark_ttl = Ttl::secs(60);
    let lab = Lab::at(Home::Process, 1, Duration::ZERO, options);
    assert_eq!(lab.mark("C", "TEST").expires_at, lab.ahead(60));
}

#[test]
fn value_and_mark_share_one_slot() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let store = || lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).unwrap();
        // A mark replaces a value; delete leaves a mark.
        let _ = store();
        lab.mark(SUNAT, "TEST");
        assert!(lab.get(SUNAT).is_none(), "{home:?}");
        assert!(!lab.run(lab.rucs.delete(&ruc(SUNAT))).unwrap().existed);
        assert!(lab.is_invalid(SUNAT));
        // A value replaces a mark; unmark leaves a value.
        let _ = store();
        assert!(!lab.is_invalid(SUNAT));
        assert_eq!((lab.count(), lab.listed()), (0, BTreeSet::new()));
        assert!(!lab.run(lab.rucs.unmark_invalid(SUNAT)).unwrap().existed);
        assert_eq!(lab.get(SUNAT).unwrap().record.nombre_o_razon_social(), Some("SUNAT"));
        assert!(lab.run(lab.rucs.delete(&ruc(SUNAT))).unwrap().existed);
        assert!(lab.get(SUNAT).is_none());
        // A value has no past: attempts begin anew.
        assert_eq!(lab.mark(SUNAT, "TEST").attempts, 1);
    }
}

#[test]
fn look_up_of_a_marked_number_asks_nobody() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.answers(SUNAT, Answer::found(record(SUNAT, "SUNAT")));
        let since = lab.runtime.wall();
        lab.mark(SUNAT, "CLIENTE MOROSO");
        lab.mark(SUNAT, "CLIENTE MOROSO");
        let lookup = lab.lookup(SUNAT);
        let Outcome::NotFound(not_found) = lookup.outcome else { panic!("{lookup:?}") };
        assert_eq!((not_found.reason.as_str(), not_found.attempts), ("CLIENTE MOROSO", 2));
        assert_eq!(not_found.since, since);
        assert!(lookup.served.is_some());
        lab.mark(SUNAT, "ERROR_API");
        let many = lab.run(lab.rucs.lookup_many(&[ruc(SUNAT)]));
        let Outcome::Unavailable(unanswered) = &many[0].outcome else { panic!("{many:?}") };
        assert_eq!(unanswered.retry_after, Some(Duration::from_secs(300)));
        assert_eq!(lab.calls(), [0_usize; 0]);
        lab.runtime.advance(Duration::from_secs(300));
        assert!(matches!(lab.lookup(SUNAT).outcome, Outcome::Found(_)));
    }
}

#[test]
fn clearing_a_service_clears_its_registry_and_no_other() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        let other = lab.lookups.ruc(&"migo2".parse().unwrap());
        lab.mark("20999999999", "TEST");
        lab.run(other.mark_invalid("20123456789", Reason::new("TEST"), None)).unwrap();
        let cursor = lab.run(lab.rucs.invalid_page(None, 1)).unwrap();
        assert_eq!(cursor.items.len(), 1);
        assert_eq!(
            lab.run(lab.rucs.lookups().cache().service(lab.rucs.service_name()).clear()).unwrap(),
            Written::Done
        );
        assert_eq!((lab.count(), lab.listed()), (0, BTreeSet::new()), "{home:?}");
        assert!(!lab.is_invalid("20999999999"));
        assert!(lab.info("20999999999", Include::Lapsed).is_none());
        assert_eq!(lab.run(other.invalid_count()).unwrap(), 1);
        assert!(lab.run(other.is_invalid("20123456789")));
        assert_eq!(lab.mark("20999999999", "TEST").attempts, 1);
    }
}

#[test]
fn pages_tell_everything_and_foreign_cursors_are_refused() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        for n in 0..100 {
            lab.mark(&format!("N{n}"), "TEST");
        }
        let (mut told, mut cursor, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let page = lab.run(lab.rucs.invalid_page(cursor.as_deref(), 10)).unwrap();
            told.extend(page.items.into_iter().map(|record| record.ruc));
            cursor = page.next;
            pages += 1;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(told.len(), 100, "{home:?}");
        assert!(pages > 3, "{pages} pages");
        for cursor in ["", "x", "zz.0"] {
            let page = lab.run(lab.rucs.invalid_page(Some(cursor), 10));
            assert!(matches!(page, Err(RegistryError::Cursor)), "{cursor:?}");
        }
    }
}

#[test]
fn to_ask_whether_one_is_invalid_costs_one_read_however_many_there_are() {
    let lab = Lab::home(Home::Server);
    // Entry and both markers: what every read of this store costs.
    let cost = |text: &str| {
        let before = lab.store.reads();
        lab.is_invalid(text);
        lab.store.reads() - before
    };
    lab.mark("N0", "TEST");
    let few = [cost("N0"), cost("M")];
    for n in 1..500 {
        lab.mark(&format!("N{n}"), "TEST");
    }
    assert_eq!([cost("N0"), cost("M")], few);
    assert!(few.iter().all(|reads| *reads <= 3), "{few:?}");
}

#[test]
fn entry_that_goes_without_its_listing_is_passed_over_and_dropped() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        lab.mark("20999999999", "TEST");
        lab.mark("20123456789", "TEST");
        // By its plain name, of which the registry hears nothing.
        let service = lab.cache.service(lab.rucs.service_name());
        assert!(lab.run(service.delete("ruc_20999999999")).unwrap().existed);
        assert_eq!(lab.count(), 2);
        assert_eq!(lab.listed(), set(["20123456789"]), "{home:?}");
        assert_eq!(lab.count(), 1);
    }
}

#[test]
fn processes_see_each_other_s_marks() {
    let (one, other) = {
        let lab = Lab::home(Home::Server);
        let other = lab.beside(Home::Both);
        (lab, other)
    };
    one.mark("20999999999", "TEST");
    assert!(other.is_invalid("20999999999"));
    assert_eq!(other.mark("20999999999", "TEST").attempts, 2);
    assert_eq!(one.info("20999999999", Include::Active).unwrap().attempts, 2);
    other.mark("20123456789", "TEST");
    assert_eq!(one.listed(), set(["20123456789", "20999999999"]));
    assert_eq!(one.run(one.rucs.clear_invalid()).unwrap(), 2);
    // Copies are good for two seconds where changes are not told.
    other.runtime.advance(Duration::from_secs(2));
    assert!(!other.is_invalid("20999999999"));
}

#[test]
fn mark_during_an_outage_is_deferred_and_questions_are_answered() {
    let lab = Lab::home(Home::Both);
    lab.mark("20123456789", "TEST");
    lab.store.set_down(true);
    let marked = lab.run(lab.rucs.mark_invalid("20999999999", Reason::new("TEST"), None)).unwrap();
    assert_eq!((marked.written, marked.record.attempts), (Written::Deferred, 1));
    assert!(lab.is_invalid("20999999999"));
    assert!(!lab.is_invalid("20000000000"));
    assert!(lab.run(lab.rucs.invalid_count()).is_err());
    assert!(lab.run(lab.rucs.invalid_page(None, 10)).is_err());
    lab.store.set_down(false);
    assert!(lab.is_invalid("20123456789"));
}
