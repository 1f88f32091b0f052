//! What counts as a use of a key, for a local tier that keeps what is used often.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rucache_core::{Key, Local, LocalEntry, MapLocal, TestRuntime, Usage};
use rucache_engine::{Accept, Cache, Loaded, Only};

use crate::site::{Site, Told, key};
use crate::{HOUR, Lab, with_stale};

/// A local tier that counts uses.
#[derive(Default)]
struct Counting {
    inner: MapLocal,
    uses: AtomicUsize,
}

impl Counting {
    /// Uses since the last time.
    fn uses(&self) -> usize {
        self.uses.swap(0, Ordering::Relaxed)
    }
}

impl Local for Counting {
    fn get(&self, key: &Key) -> Option<Arc<LocalEntry>> {
        self.uses.fetch_add(1, Ordering::Relaxed);
        self.inner.get(key)
    }

    fn peek(&self, key: &Key) -> Option<Arc<LocalEntry>> {
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

/// Carries out `check` on a local tier alone, and on one over a shared tier.
fn everywhere(check: impl Fn(&Lab, &Counting)) {
    let local = Arc::new(Counting::default());
    check(&Lab::of(&TestRuntime::new(1), Cache::builder(local.clone())), &local);
    let local = Arc::new(Counting::default());
    let process = Site::new().process_with(Told::Never, |builder| builder.local(local.clone()));
    check(&process, &local);
}

#[test]
fn a_read_is_one_use_however_often_it_looks() {
    everywhere(|lab, local| {
        for brings in [Loaded::negative("none"), Loaded::from("there is".to_owned())] {
            lab.source.brings(brings);
            drop(lab.now(HOUR));
            assert_eq!(local.uses(), 1, "a load");
            drop(lab.now(HOUR));
            assert_eq!(local.uses(), 1, "an answer");
            lab.delete();
        }
        assert_eq!(lab.get(), None);
        assert_eq!(local.uses(), 1, "a read without a load");
        assert!(lab.stale().is_none());
        assert_eq!(local.uses(), 1, "a read that takes stale values");
        assert_eq!(lab.peek(), None);
        assert_eq!(local.uses(), 1, "a peek");
        let keys = [key(), Key::parse("default:other").unwrap()];
        lab.runtime.block_on(lab.cache.look_many::<String>(&keys, Accept::Fresh));
        assert_eq!(local.uses(), 2, "a read of two");
        let load = |keys: Vec<Key>| async move {
            keys.iter().map(|_| Ok::<_, String>(Loaded::<String>::negative("none"))).collect()
        };
        let at_once = std::num::NonZeroUsize::MAX;
        lab.runtime.block_on(lab.cache.read_or_load_many(&keys, HOUR, at_once, load));
        assert_eq!(local.uses(), 2, "a load of two");
    });
}

#[test]
fn a_refresh_of_a_stale_value_is_no_use_besides_the_read_that_began_it() {
    everywhere(|lab, local| {
        lab.source.gives("old");
        lab.now(with_stale()).unwrap();
        lab.runtime.advance(std::time::Duration::from_secs(3_600));
        local.uses();
        lab.source.gives("new");
        assert_eq!(*lab.now(with_stale()).unwrap(), "new");
        assert_eq!(local.uses(), 1);
    });
}

#[test]
fn a_change_is_no_use() {
    everywhere(|lab, local| {
        let cache = &lab.cache;
        lab.runtime.block_on(async {
            let _ = cache.set("name", "value", HOUR).await.unwrap();
            let _ = cache.set("name", "newer", HOUR).await.unwrap();
            let _ = cache.put("name", Loaded::<String>::negative("none"), HOUR).await.unwrap();
            let _ = cache.expire("name").await.unwrap();
            let _ = cache.delete_only("name", Only::Verdict).await.unwrap();
            let _ = cache.delete("name").await.unwrap();
        });
        assert_eq!(local.uses(), 0);
    });
}
