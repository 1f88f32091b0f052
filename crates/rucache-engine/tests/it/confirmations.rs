//! Verdicts reached by several at once: each counts, and nobody who waits is left without one.

use std::sync::{Arc, Mutex};

use rucache_core::{Key, Local, LocalEntry, MapLocal, Operation, TestRuntime, Usage};
use rucache_engine::{Cache, Written};

use crate::negatives::{found, none, put, refused};
use crate::site::{Process, Site, Told};
use crate::{HOUR, Lab};

#[test]
fn verdicts_put_by_several_processes_are_all_counted() {
    for told in [Told::Never, Told::Always] {
        let site = Site::new();
        let processes = [site.process(told), site.process(told)];
        let puts: Vec<_> = (0..20)
            .map(|put| {
                let process: &Process = &processes[put % 2];
                let cache = process.cache.clone();
                process.apart(async move { cache.put("name", none(), HOUR).await })
            })
            .collect();
        for put in puts {
            assert_eq!(put.lock().unwrap().take().unwrap().unwrap(), Written::Done);
        }
        assert_eq!(found(&site.bare_process()), Some(20));
        site.advance(2_000);
        assert_eq!([found(&processes[0]), found(&processes[1])], [Some(20); 2], "{told:?}");
    }
}

#[test]
fn verdict_put_while_another_process_puts_one_counts_both() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Never), site.process(Told::Never));
    let gate = here.link.hold(Operation::Write);
    let cache = here.cache.clone();
    let putting = here.apart(async move { cache.put("name", none(), HOUR).await });
    put(&there, none());
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(putting.lock().unwrap().take().unwrap().unwrap(), Written::Done);
    assert_eq!(found(&site.bare_process()), Some(2));
}

#[test]
fn value_set_while_a_verdict_is_put_is_not_lost_from_its_record() {
    let site = Site::new();
    let (here, there) = (site.process(Told::Never), site.process(Told::Never));
    put(&there, none());
    let gate = here.link.hold(Operation::Write);
    let cache = here.cache.clone();
    let putting = here.apart(async move { cache.put("name", none(), HOUR).await });
    there.set("there is");
    gate.open();
    site.runtime.run_until_stalled();
    assert_eq!(putting.lock().unwrap().take().unwrap().unwrap(), Written::Done);
    // The newer verdict wins, and it is the first of its kind.
    assert_eq!(found(&site.bare_process()), Some(1));
}

/// A local tier that lets a test in between two looks at it.
struct Ajar {
    inner: MapLocal,
    between: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    looks_until: Mutex<usize>,
}

impl Local for Ajar {
    fn get(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        let due = {
            let mut left = self.looks_until.lock().unwrap();
            *left = left.saturating_sub(1);
            *left == 0
        };
        let between = if due { self.between.lock().unwrap().take() } else { None };
        if let Some(between) = between {
            between();
        }
        self.inner.get(key)
    }

    fn insert(&self, key: Key, entry: LocalEntry) {
        self.inner.insert(key, entry);
    }

    fn remove(&self, key: &Key) -> bool {
        self.inner.remove(key)
    }

    fn purge(&self, is_over: &dyn Fn(&LocalEntry) -> bool) -> u64 {
        self.inner.purge(is_over)
    }

    fn each(&self, look: &mut dyn FnMut(&Key, &LocalEntry)) {
        self.inner.each(look);
    }

    fn usage(&self) -> Usage {
        self.inner.usage()
    }
}

#[test]
fn who_joins_while_the_leader_finds_a_verdict_gets_it_too() {
    // The leader's first looks find nothing, its last one a verdict that was stored meanwhile.
    for looks in 2..=4 {
        let ajar = Arc::new(Ajar {
            inner: MapLocal::default(),
            between: Mutex::default(),
            looks_until: Mutex::new(usize::MAX),
        });
        let lab = Lab::of(&TestRuntime::new(1), Cache::builder(ajar.clone()));
        let other = Lab::new();
        put(&other, none());
        put(&lab, none());
        let verdict = ajar.inner.get(&crate::site::key()).unwrap();
        ajar.inner.remove(&crate::site::key());
        let (joining, inner) = (lab.read(HOUR), ajar.clone());
        let joined = Arc::new(Mutex::new(Some(joining)));
        let slot = joined.clone();
        *ajar.between.lock().unwrap() = Some(Box::new(move || {
            let mut joining = slot.lock().unwrap();
            let polled = futures_util::FutureExt::now_or_never(joining.as_mut().unwrap());
            if let Some(ended) = polled {
                // It came before the leader: it leads, or is answered.
                drop((ended, joining.take()));
            }
            inner.inner.insert(crate::site::key(), Arc::unwrap_or_clone(verdict));
        }));
        *ajar.looks_until.lock().unwrap() = looks;
        lab.source.brings(none());
        let led = lab.start(HOUR);
        lab.runtime.run_until_stalled();
        refused(led.ended().unwrap());
        let joining = joined.lock().unwrap().take();
        if let Some(joining) = joining {
            refused(lab.runtime.block_on(joining));
        }
    }
}
