//! The registry under many hands.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use rucache::lookup::RucCache;
use rucache::ruc::{Outcome, Reason, Ruc};

use super::{Stand, on_each};

impl Stand {
    fn rucs(&self, at: usize) -> RucCache {
        let (lookups, _) = &self.caches[at % self.caches.len()];
        lookups.ruc(&"migo".parse().unwrap())
    }
}

async fn mark(rucs: &RucCache, text: &str) {
    let marked = rucs.mark_invalid(text, Reason::new("TEST"), None).await.unwrap();
    assert_eq!(marked.written, rucache::engine::Written::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_marks_at_once_are_all_there_and_all_counted() {
    on_each(Duration::ZERO, async |backend, stand| {
        let marks: Vec<_> = (0..1_000_usize)
            .map(|n| {
                let rucs = stand.rucs(n);
                // Half of them of different numbers, half of ten numbers again and again.
                let text = match n % 2 {
                    0 => format!("N{n}"),
                    _ => format!("M{}", n / 2 % 10),
                };
                tokio::spawn(async move { mark(&rucs, &text).await })
            })
            .collect();
        for mark in marks {
            mark.await.unwrap();
        }
        let listed: HashMap<String, u64> = stand
            .rucs(1)
            .all_invalid()
            .map(|record| record.map(|record| (record.ruc, record.attempts)).unwrap())
            .collect()
            .await;
        assert_eq!(listed.len(), 510, "{backend}");
        assert_eq!(stand.rucs(2).invalid_count().await.unwrap(), 510);
        assert!((0..10).all(|m| listed[&format!("M{m}")] == 50), "{backend}");
        assert_eq!(stand.rucs(3).clear_invalid().await.unwrap(), 510);
        assert_eq!(stand.rucs(0).invalid_count().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hundred_thousand_are_listed_by_pages_while_others_write() {
    on_each(Duration::ZERO, async |backend, stand| {
        // A pool of memcached writes a bucket of members at a time: as many would take minutes in a
        // build that is not optimised.
        let count = if backend == "memcached" { 20_000 } else { 100_000 };
        // The quickest way to so many: numbers of which the source says that they do not exist.
        let numbers: Vec<Ruc> = (0..)
            .map(|n| Ruc::from_first_ten(2_000_000_000 + n).unwrap())
            .filter(|ruc| ruc.as_u64() % 2 == 1)
            .take(count)
            .collect();
        let lookups = stand.rucs(0).lookup_many(&numbers).await;
        assert!(lookups.iter().all(|l| matches!(l.outcome, Outcome::NotFound(_))), "{backend}");
        let (done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writers: Vec<_> = (1..4)
            .map(|at| {
                let (rucs, done, written) = (stand.rucs(at), done.clone(), written.clone());
                tokio::spawn(async move {
                    for n in 0.. {
                        if done.load(Ordering::Relaxed) {
                            return;
                        }
                        let text = format!("W{at}-{n}");
                        mark(&rucs, &text).await;
                        if n % 2 == 0 {
                            assert!(rucs.unmark_invalid(&text).await.unwrap().existed);
                        }
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let (mut told, mut cursor) = (HashSet::new(), None);
        loop {
            let page = stand.rucs(0).invalid_page(cursor.as_deref(), 1_000).await.unwrap();
            told.extend(page.items.into_iter().map(|record| record.ruc));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(numbers.iter().all(|ruc| told.contains(&ruc.to_string())), "{backend}");
        assert!(written.load(Ordering::Relaxed) > 0, "{backend}");
    })
    .await;
}
