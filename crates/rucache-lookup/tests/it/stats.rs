//! Statistics of the process and of the fleet's days.

use std::time::Duration;

use rucache_core::{Runtime, Ttl};
use rucache_lookup::{LookupOptions, Scope, Stats, TtlTable};
use rucache_ruc::{LimaDate, Profile, Reason};

use crate::lab::{Home, Lab, SUNAT, number, record, ruc};

impl Lab {
    fn stats(&self) -> Stats {
        self.run(self.lookups.stats(Scope::Process))
    }

    fn today(&self) -> LimaDate {
        LimaDate::at(self.runtime.wall())
    }
}

#[test]
fn test_of_the_documents_holds() {
    for home in Home::ALL {
        let lab = Lab::home(home);
        for _ in 0..2 {
            lab.run(lab.lookups.clear_all()).unwrap();
            lab.run(lab.cache.set("key1", "value1", Ttl::DEFAULT)).unwrap();
            assert!(lab.run(lab.cache.get::<String>("key1")).unwrap().is_some());
            assert!(lab.run(lab.cache.get::<String>("key2")).unwrap().is_none());
            let stats = lab.stats();
            assert_eq!((stats.hits, stats.misses, stats.hit_rate), (1, 1, 50.0), "{home:?}");
        }
    }
}

#[test]
fn json_is_that_of_the_documents() {
    let lab = Lab::home(Home::Process);
    lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).unwrap();
    for number in ["20999999999", "20000000000"] {
        lab.run(lab.rucs.mark_invalid(number, Reason::new("INVALID_FORMAT"), None)).unwrap();
    }
    let _ = lab.lookup(SUNAT);
    assert!(lab.run(lab.rucs.is_invalid("20999999999")));
    assert!(!lab.run(lab.rucs.is_invalid("20123456789")));
    lab.run(lab.rucs.delete(&ruc(SUNAT))).unwrap();
    let json = serde_json::to_value(lab.stats()).unwrap();
    let expected = serde_json::json!({
        "timestamp": "2026-01-28T15:00:00.000Z",
        "backend": "local_memory",
        "hits": 2, "misses": 1, "hit_rate": 66.6,
        "total_keys": 2, "total_keys_approximate": false,
        "invalidations": 1,
        "last_updated": "2026-01-28T15:00:00.000Z",
        "service_breakdown": {"migo": {"hits": 2, "misses": 1}},
        "invalid_rucs": {"total_count": 2, "breakdown_by_reason": {"FORMATO_INVALIDO": 2}},
        "timeouts": {
            "default": "15min", "ruc_valid": "1h", "ruc_invalid": "24h", "ruc_invalid_record": "7d",
            "exchange_rate": "24h", "rate_limit": "1min", "statistics": "24h",
        },
    });
    assert_eq!(json, expected);
}

#[test]
fn timeouts_are_those_that_are_set() {
    let table = TtlTable::new([("ruc_*", Ttl::secs(7_200)), ("ventas", Ttl::secs(300))]).unwrap();
    let mut options = LookupOptions::default().with_profile(Profile::Register).with_ttls(table);
    options.default_ttl = Ttl::SHORT;
    let lab = Lab::at(Home::Process, 1, Duration::ZERO, options);
    let timeouts = lab.stats().timeouts;
    for (name, text) in [
        ("default", "1min"),
        ("ruc_valid", "2h"),
        ("exchange_rate", "30d"),
        ("ruc_*", "2h"),
        ("ventas", "5min"),
    ] {
        assert_eq!(timeouts[name], text, "{name}");
    }
    lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).unwrap();
    assert_eq!(lab.get(SUNAT).unwrap().outcome.ttl, Duration::from_secs(7_200));
}

#[test]
fn unreachable_server_leaves_its_numbers_out() {
    let lab = Lab::home(Home::Both);
    lab.run(lab.rucs.set(record(SUNAT, "SUNAT"), None)).unwrap();
    assert!(lab.get(SUNAT).is_some());
    lab.store.set_down(true);
    assert!(lab.get(SUNAT).is_some());
    let stats = lab.stats();
    assert_eq!((stats.hits, stats.invalid_rucs, stats.total_keys), (2, None, None));
    assert_eq!(stats.backend, "map");
}

#[test]
fn days_of_the_fleet_are_added_up() {
    for home in [Home::Server, Home::Both] {
        let lab = Lab::home(home);
        let other = lab.beside(home);
        for lab in [&lab, &other] {
            lab.knows(&[number(1)]);
            let _ = lab.lookup(&number(1).to_string());
            let _ = lab.lookup(&number(1).to_string());
        }
        let today = lab.today();
        lab.run(lab.lookups.flush_stats()).unwrap();
        lab.run(lab.lookups.flush_stats()).unwrap();
        let day = lab.run(lab.lookups.daily(today)).unwrap();
        assert_eq!((day.all.hits, day.all.misses, day.all.loads), (1, 1, 1), "{home:?}");
        // The other process sees both, itself included.
        let stats = other.run(other.lookups.stats(Scope::Fleet));
        let fleet = stats.fleet.unwrap();
        assert_eq!((fleet.all.hits + fleet.all.misses, fleet.all.loads), (4, 1));
        assert_eq!(fleet.services.keys().map(|s| s.as_str()).collect::<Vec<_>>(), ["migo"]);
        let json = serde_json::to_value(&fleet).unwrap();
        assert_eq!((&json["date"], &json["hit_rate"]), (&"2026-01-28".into(), &75.0.into()));
        assert_eq!(json["services"]["migo"]["misses"], 1);
    }
}

#[test]
fn days_begin_at_midnight_in_lima_and_are_kept_for_seven() {
    let lab = Lab::home(Home::Server);
    let first = lab.today();
    let _ = lab.lookup(SUNAT);
    lab.lookups.start();
    lab.lookups.start();
    // 15:00 in UTC is 10:00 in Lima.
    lab.runtime.advance(Duration::from_secs(14 * 3_600));
    let second = lab.today();
    assert_ne!(first, second);
    let _ = lab.lookup(&number(1).to_string());
    lab.runtime.advance(Duration::from_secs(60));
    let misses = |on| lab.run(lab.lookups.daily(on)).unwrap().all.misses;
    assert_eq!((misses(first), misses(second)), (1, 1));
    lab.runtime.advance(Duration::from_secs(6 * 86_400 + 3_600));
    assert_eq!((misses(first), misses(second)), (1, 1));
    lab.runtime.advance(Duration::from_secs(2 * 86_400));
    assert_eq!((misses(first), misses(second)), (0, 0));
}

#[test]
fn what_could_not_be_added_is_added_later() {
    let lab = Lab::home(Home::Server);
    let _ = lab.lookup(SUNAT);
    lab.store.set_down(true);
    assert!(lab.run(lab.lookups.flush_stats()).is_err());
    lab.store.set_down(false);
    lab.run(lab.lookups.stop());
    assert_eq!(lab.run(lab.lookups.daily(lab.today())).unwrap().all.misses, 1);
}
