//! What the reference documents do, and look-ups of many, on every backend.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rucache::Ttl;
use rucache::lookup::{BatchOptions, Include, Scope};
use rucache::ruc::{Field, Outcome, Reason, Ruc, Taxpayer};

use super::on_each;

const CONTINENTAL: &str = "20100038146";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_examples_hold() {
    on_each(Duration::ZERO, async |backend, stand| {
        let (lookups, _) = &stand.caches[0];
        let rucs = lookups.ruc(&"migo".parse().unwrap());
        let ruc: Ruc = CONTINENTAL.parse().unwrap();
        let continental = Taxpayer::builder(ruc)
            .set(Field::NombreORazonSocial, "CONTINENTAL S.A.C.")
            .set(Field::EstadoDelContribuyente, "ACTIVO")
            .build();
        let _ = rucs.set(continental.clone(), None).await.unwrap();
        assert_eq!(*rucs.get(&ruc).await.unwrap().record, continental, "{backend}");
        for (number, reason) in [
            ("20999999999", "NO_EXISTE_SUNAT"),
            ("20000000000", "INVALID_FORMAT"),
            ("20123456789", "TEST"),
            ("20000000000", "INVALID_FORMAT"),
        ] {
            rucs.mark_invalid(number, Reason::new(reason), None).await.unwrap();
        }
        assert!(rucs.is_invalid("20999999999").await);
        assert!(!rucs.is_invalid(CONTINENTAL).await);
        let info = rucs.invalid_info("20000000000", Include::Active).await.unwrap().unwrap();
        assert_eq!((info.reason.as_str(), info.attempts), ("INVALID_FORMAT", 2), "{backend}");
        let stats = lookups.stats(Scope::Process).await;
        let name = if backend == "memory" { "local_memory" } else { backend };
        assert_eq!(stats.backend, name);
        let invalid = stats.invalid_rucs.unwrap();
        assert_eq!((invalid.total_count, invalid.breakdown_by_reason["OTRO"]), (3, 1));
        assert!(stats.total_keys.is_some_and(|keys| keys >= 4), "{backend} {:?}", stats.total_keys);
        assert!(rucs.unmark_invalid("20999999999").await.unwrap().existed);
        assert!(!rucs.is_invalid("20999999999").await);
        // The documents' own test.
        let _ = lookups.clear_all().await.unwrap();
        let _ = lookups.cache().set("key1", "value1", Ttl::DEFAULT).await.unwrap();
        assert!(lookups.cache().get::<String>("key1").await.unwrap().is_some());
        assert!(lookups.cache().get::<String>("key2").await.unwrap().is_none());
        let stats = lookups.stats(Scope::Fleet).await;
        assert_eq!((stats.hits, stats.misses, stats.hit_rate), (1, 1, 50.0), "{backend}");
        assert_eq!(stats.invalid_rucs.unwrap().total_count, 0);
        assert!(stats.fleet.unwrap().all.hits >= 1, "{backend}");
        assert!(rucs.get(&ruc).await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_with_eighty_cached_are_one_call_within_a_second() {
    on_each(Duration::from_millis(500), async |backend, stand| {
        let (lookups, source) = &stand.caches[0];
        let rucs = lookups.ruc(&"migo".parse().unwrap());
        let numbers: Vec<Ruc> =
            (0..100).map(|n| Ruc::from_first_ten(2_000_000_000 + n).unwrap()).collect();
        for ruc in &numbers[..80] {
            let _ = rucs.set(Taxpayer::builder(*ruc).build(), None).await.unwrap();
        }
        let texts: Vec<String> = numbers.iter().chain(&numbers).map(Ruc::to_string).collect();
        let began = lookups.uptime();
        let (record, found) = rucs.batch(&texts, BatchOptions::default()).finish().await;
        let took = lookups.uptime() - began;
        assert!(took < Duration::from_secs(1), "{backend}: {took:?}");
        assert_eq!(source.calls.load(Ordering::Relaxed), 1, "{backend}");
        for (lookup, ruc) in found.iter().zip(numbers.iter().chain(&numbers)) {
            match &lookup.outcome {
                Outcome::Found(found) => assert_eq!(found.record.ruc(), *ruc),
                Outcome::NotFound(absent) => assert_eq!(absent.reason, Reason::NO_EXISTE_SUNAT),
                other => panic!("{backend}: {other:?}"),
            }
        }
        assert_eq!(record.done, 200);
        let read = rucs.batch_record(&record.batch_id).await.unwrap();
        assert_eq!(read, Some(record), "{backend}");
        // What does not exist is listed, for every process.
        let absent = found[..100].iter().filter(|l| matches!(l.outcome, Outcome::NotFound(_)));
        let (others, _) = &stand.caches[3];
        let listed = others.ruc(&"migo".parse().unwrap()).invalid_count().await.unwrap();
        assert_eq!(listed, u64::try_from(absent.count()).unwrap(), "{backend}");
    })
    .await;
}
