//! rucache, with its statistics as always.

use std::hint::black_box;
use std::sync::Arc;

use rucache_core::{Key, Ttl};
use rucache_engine::{Accept, Cache, Loaded, Written};
use rucache_memory::{LocalStore, MemoryConfig};
use tokio::runtime::Handle;

use crate::reader::Reader;
use crate::record::{Taxpayer, keys, of_key};

pub(crate) fn all(runtime: &Handle) -> Vec<Reader> {
    vec![by_key(runtime), tagged(runtime), by_text(runtime), or_load(runtime)]
}

/// A cache filled with the records, each with `tags`.
fn filled(runtime: &Handle, tags: &[&str]) -> (Cache, Vec<Key>) {
    let local = Arc::new(LocalStore::new(&MemoryConfig::default()));
    let cache = {
        let _entered = runtime.enter();
        Cache::builder(local).build().expect("a cache")
    };
    let keys: Vec<Key> = keys().iter().map(|key| Key::parse(key).expect("a key")).collect();
    for key in &keys {
        let loaded = Loaded::new(of_key(&key.to_string())).with_tags(tags.iter().copied());
        let done = runtime.block_on(cache.put(key, loaded, Ttl::MEDIUM)).expect("stored");
        assert_eq!(done, Written::Done);
    }
    (cache, keys)
}

fn by_key(runtime: &Handle) -> Reader {
    peek("rucache: `peek`, statistics on", runtime, &[])
}

fn tagged(runtime: &Handle) -> Reader {
    peek("rucache: `peek`, statistics on, two tags", runtime, &["lima", "activos"])
}

fn peek(name: &'static str, runtime: &Handle, tags: &[&str]) -> Reader {
    let (cache, keys) = filled(runtime, tags);
    Reader::plain(name, move |at| {
        let hit = cache.peek::<Taxpayer>(&keys[at], Accept::Fresh).expect("a key");
        black_box(hit.expect("a hit"));
    })
}

fn by_text(runtime: &Handle) -> Reader {
    let (cache, _) = filled(runtime, &[]);
    let keys = keys();
    Reader::plain("rucache: the same by the key's text", move |at| {
        let key = Key::parse(&keys[at]).expect("a key");
        let hit = cache.peek::<Taxpayer>(&key, Accept::Fresh).expect("a key");
        black_box(hit.expect("a hit"));
    })
}

fn or_load(runtime: &Handle) -> Reader {
    let (cache, keys) = filled(runtime, &[]);
    Reader::waiting("rucache: `read_or_load`", runtime, async move |at: usize| {
        let load = || async { Err::<Loaded<Taxpayer>, _>("never asked") };
        let hit = cache.read_or_load(&keys[at], Ttl::MEDIUM, load).await;
        black_box(hit.expect("a hit"));
    })
}
