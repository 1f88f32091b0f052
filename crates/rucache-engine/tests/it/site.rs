//! Several processes over one store, each with a local tier if the test wants one.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use rucache_core::emulation::Emulated;
use rucache_core::{Change, Key, KeyCodec, MapLocal, TestRuntime};
use rucache_engine::{Accept, Cache, CacheBuilder, Found, Hit, PushState};

use crate::Lab;
use crate::link::Link;
use crate::map_store::MapStore;

/// A store on a clock, and the processes around it.
pub(crate) struct Site {
    pub(crate) runtime: TestRuntime,
    pub(crate) store: MapStore,
    backend: Arc<Emulated<MapStore>>,
}

/// Whether a process is told what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// From its start, and it has seen that.
    Always,
    /// It could be, and is not yet.
    NotYet,
    /// The store cannot.
    Never,
}

/// A process: a cache, its source, and its way to the store.
pub(crate) struct Process {
    lab: Lab,
    pub(crate) link: Arc<Link>,
}

impl Deref for Process {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        &self.lab
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let runtime = TestRuntime::new(1);
        let store = MapStore::default();
        let codec = KeyCodec::default();
        let backend = Arc::new(Emulated::new(store.clone(), Arc::new(runtime.clone()), codec));
        Self { runtime, store, backend }
    }

    /// A process with two tiers.
    pub(crate) fn process(&self, told: Told) -> Process {
        self.process_with(told, |builder| builder)
    }

    pub(crate) fn process_with(
        &self,
        told: Told,
        change: impl FnOnce(CacheBuilder) -> CacheBuilder,
    ) -> Process {
        self.any_process(told, |builder| change(builder.local(Arc::new(MapLocal::default()))))
    }

    /// A process that keeps nothing.
    pub(crate) fn bare_process(&self) -> Process {
        self.any_process(Told::Never, |builder| builder)
    }

    fn any_process(
        &self,
        told: Told,
        change: impl FnOnce(CacheBuilder) -> CacheBuilder,
    ) -> Process {
        let link = Link::new(&self.backend, told != Told::Never);
        let lab = Lab::of(&self.runtime, change(Cache::on_backend(link.clone())));
        let process = Process { lab, link };
        if told == Told::Always {
            process.hears();
            assert_eq!(process.cache.health().push, PushState::Trusted);
        }
        process
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.runtime.advance(Duration::from_millis(millis));
    }
}

impl Process {
    /// Its push connection is there, as an adapter tells it.
    pub(crate) fn hears(&self) {
        self.link.say(&Change::Everything);
        self.link.say(&Change::PushRestored);
        self.runtime.run_until_stalled();
        self.link.calls();
    }
}

/// What tests ask of a cache, on the clock's own thread.
impl Lab {
    #[track_caller]
    pub(crate) fn get(&self) -> Option<String> {
        self.runtime.block_on(self.cache.get::<String>("name")).unwrap()
    }

    #[track_caller]
    pub(crate) fn stale(&self) -> Option<Hit<String>> {
        self.runtime.block_on(self.cache.read::<String>("name", Accept::Stale)).unwrap()
    }

    #[track_caller]
    pub(crate) fn look(&self) -> Found<String> {
        self.runtime.block_on(self.cache.look::<String>("name", Accept::Fresh)).unwrap()
    }

    /// What the local tier has, as far as it is good.
    #[track_caller]
    pub(crate) fn peek(&self) -> Option<String> {
        self.cache.peek::<String>("name", Accept::Fresh).unwrap().map(|hit| hit.to_string())
    }

    #[track_caller]
    pub(crate) fn set(&self, value: &str) {
        let set = self.cache.set("name", value, crate::HOUR);
        assert_eq!(self.runtime.block_on(set).unwrap(), rucache_engine::Written::Done);
    }

    #[track_caller]
    pub(crate) fn delete(&self) -> rucache_engine::Removed {
        self.runtime.block_on(self.cache.delete("name")).unwrap()
    }

    #[track_caller]
    pub(crate) fn invalidate_tag(&self, tag: &str) {
        let done = self.runtime.block_on(self.cache.invalidate_tag(tag)).unwrap();
        assert_eq!(done, rucache_engine::Written::Done);
    }

    #[track_caller]
    pub(crate) fn clear(&self) {
        let done = self.runtime.block_on(self.cache.clear()).unwrap();
        assert_eq!(done, rucache_engine::Written::Done);
    }
}

/// The key of the entry that tests call `name`.
pub(crate) fn key() -> Key {
    Key::parse("default:name").unwrap()
}

/// Carries out `check` on a cache of one process in every arrangement of tiers.
pub(crate) fn everywhere(check: impl Fn(&Lab)) {
    println!("a local tier alone");
    check(&Lab::new());
    println!("a shared tier alone");
    check(&Site::new().bare_process());
    for told in [Told::Never, Told::NotYet, Told::Always] {
        println!("both tiers, told of changes: {told:?}");
        check(&Site::new().process(told));
    }
}

impl Process {
    /// The cache without its way to the store, which lives on with it.
    pub(crate) fn into_lab(self) -> Lab {
        self.lab
    }
}
