//! Four processes' worth of handles on real threads, over one store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use rucache_engine::TokioRuntime;
use rucache_lookup::{Include, LookupOptions, Lookups, RucCache};
use rucache_ruc::{Answer, Coverage, Provider, Reason, Ruc, Taxpayer};

use crate::lab::{Home, migo, number};
use crate::map_store::MapStore;

struct Register;

#[async_trait]
impl Provider for Register {
    fn name(&self) -> &str {
        "register"
    }

    fn coverage(&self) -> Coverage {
        Coverage::Full
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        Answer::found(Taxpayer::builder(ruc).build())
    }
}

/// As many processes on one store; entries in one process are one process's.
fn processes(home: Home) -> Vec<RucCache> {
    let store = MapStore::default();
    let one = |_| {
        let runtime = Arc::new(TokioRuntime::current().unwrap());
        let cache = home.builder(&store, runtime).build().unwrap();
        let options = LookupOptions::default();
        Lookups::new(cache, Arc::new(Register), options).unwrap().ruc(&migo())
    };
    let mut all: Vec<RucCache> = (0..4).map(one).collect();
    if home == Home::Process {
        all = vec![all[0].clone(); 4];
    }
    all
}

fn reason() -> Reason {
    Reason::new("TEST")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_marks_of_four_processes_are_all_there_and_all_counted() {
    for home in Home::ALL {
        let processes = processes(home);
        let marks = (0..1_000_u64).map(|n| {
            let rucs = processes[usize::try_from(n % 4).unwrap()].clone();
            // Half of them of different numbers, half of ten numbers again and again.
            let text = if n % 2 == 0 { format!("N{n}") } else { format!("M{}", n / 2 % 10) };
            tokio::spawn(async move { rucs.mark_invalid(&text, reason(), None).await })
        });
        let marks: Vec<_> = marks.collect();
        for mark in marks {
            mark.await.unwrap().unwrap();
        }
        let listed: HashMap<String, u64> = processes[1]
            .all_invalid()
            .map(|record| record.map(|record| (record.ruc, record.attempts)).unwrap())
            .collect()
            .await;
        assert_eq!(listed.len(), 510, "{home:?}");
        assert_eq!(processes[2].invalid_count().await.unwrap(), 510);
        assert!((0..10).all(|m| listed[&format!("M{m}")] == 50), "{home:?}");
        assert_eq!(listed.values().sum::<u64>(), 1_000);
        assert_eq!(processes[3].clear_invalid().await.unwrap(), 510);
        assert_eq!(processes[0].invalid_count().await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_rest_the_listing_is_what_stands() {
    for home in Home::ALL {
        let processes = processes(home);
        // Everybody marks, unmarks, sets and lists the same few numbers.
        let tasks: Vec<_> = (0..8_u64)
            .map(|task| {
                let rucs = processes[usize::try_from(task % 4).unwrap()].clone();
                tokio::spawn(async move {
                    for round in 0..60 {
                        let ruc = number((task + round) % 5);
                        match (task + round * 7) % 4 {
                            0 | 1 => {
                                rucs.mark_invalid(&ruc.to_string(), reason(), None).await.unwrap();
                            }
                            2 => {
                                let record = Taxpayer::builder(ruc).build();
                                let _ = rucs.set(record, None).await.unwrap();
                            }
                            _ => {
                                rucs.unmark_invalid(&ruc.to_string()).await.unwrap();
                                rucs.invalid_page(None, 10).await.unwrap();
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let listed: Vec<String> =
            processes[0].all_invalid().map(|record| record.unwrap().ruc).collect().await;
        for n in 0..5 {
            let text = number(n).to_string();
            let stands = processes[0].invalid_info(&text, Include::Active).await.unwrap();
            assert_eq!(stands.is_some(), listed.contains(&text), "{home:?} {n}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn large_registry_is_listed_while_others_write() {
    let processes = processes(Home::Process);
    let (rucs, other) = (processes[0].clone(), processes[1].clone());
    let mark = |n: u64| {
        let rucs = rucs.clone();
        async move { rucs.mark_invalid(&format!("N{n}"), reason(), None).await.unwrap() }
    };
    stream::iter(0..5_000).map(mark).buffer_unordered(64).for_each(|_| async {}).await;
    let done = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let done = done.clone();
        async move {
            let mut n = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let text = format!("W{n}");
                other.mark_invalid(&text, reason(), None).await.unwrap();
                if n.is_multiple_of(2) {
                    other.unmark_invalid(&text).await.unwrap();
                }
                n += 1;
            }
            n
        }
    });
    let (mut told, mut cursor) = (std::collections::HashSet::new(), None);
    loop {
        let page = rucs.invalid_page(cursor.as_deref(), 100).await.unwrap();
        told.extend(page.items.into_iter().map(|record| record.ruc));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    let written = writing.await.unwrap();
    assert!((0..5_000).all(|n| told.contains(&format!("N{n}"))));
    assert!(written > 0);
}
