//! A process of the fleet: its cache, its connection, its callers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rucache_core::{Backend, Key, MapLocal};
use rucache_engine::{Cache, CacheError, LoadError, Loaded, Policy};

use crate::checker::CallId;
use crate::history::History;
use crate::link::Link;
use crate::random::Random;
use crate::runtime::ProcessRuntime;
use crate::scheduler::{Owner, Scheduler};
use crate::setup::Setup;
use crate::source::{self, Course, Fact, Refusal, draw_tags};
use crate::wire::Wire;

/// One process from its start to its end.
pub(crate) struct Process {
    pub(crate) number: u64,
    pub(crate) cache: Cache,
    pub(crate) history: Arc<History>,
    pub(crate) scheduler: Scheduler,
    pub(crate) link: Option<Arc<Link>>,
    pub(crate) policy: Policy,
    pub(crate) keys: Vec<Key>,
    random: Mutex<Random>,
}

impl Process {
    /// Starts one at `place`.
    pub(crate) fn start(
        setup: &Setup,
        wire: &Arc<Wire>,
        number: u64,
        place: usize,
        mut random: Random,
    ) -> Result<Arc<Self>, CacheError> {
        let (history, scheduler) = (wire.history.clone(), wire.scheduler.clone());
        history.process_began(number, place);
        let part = Random::of_part(random.next(), number);
        let runtime = Arc::new(ProcessRuntime::new(scheduler.clone(), number, part));
        let open = || Link::open(wire.clone(), number, setup.pushes);
        let link = setup.tiers.has_shared().then(open);
        let local = Arc::new(MapLocal::default());
        let builder = match link.clone() {
            None => Cache::builder(local),
            Some(link) => {
                let backend: Arc<dyn Backend> = link;
                let builder = Cache::on_backend(backend);
                if setup.tiers.has_local() { builder.local(local) } else { builder }
            }
        };
        let builder = builder.runtime(runtime).timing(setup.timing);
        let cache = builder.max_loads(setup.max_loads).build()?;
        let random = Mutex::new(random);
        Ok(Arc::new(Self {
            number,
            cache,
            history,
            scheduler,
            link,
            policy: setup.policy,
            keys: setup.keys.clone(),
            random,
        }))
    }

    /// Ends it as `kill -9` would.
    pub(crate) fn kill(&self) {
        self.history.process_ended(self.number);
        self.scheduler.kill(Owner::Process(self.number));
    }

    /// Runs `future` in it.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.scheduler.spawn(Owner::Process(self.number), Box::pin(future));
    }

    /// Loads `keys` for `call`, as chance has it; `healthy` loads bring values soon.
    pub(crate) async fn load(
        &self,
        call: CallId,
        keys: Vec<Key>,
        healthy: bool,
    ) -> Vec<Result<Loaded<Fact>, Refusal>> {
        let (course, tagged): (_, Vec<_>) = {
            let mut random = self.random();
            let course = Course::draw(&mut random, healthy);
            let tagged = keys.into_iter().map(|key| (key, draw_tags(&mut random))).collect();
            (course, tagged)
        };
        let first = tagged.first().filter(|_| course.recurses).map(|(key, _)| key.clone());
        let meanwhile = async {
            if let Some(key) = first {
                self.recurse(call, &key).await;
            }
        };
        source::load(&self.history, &self.scheduler, call, tagged, course, meanwhile).await
    }

    /// Asks for `key` from within a load of it: that would wait for itself.
    async fn recurse(&self, call: CallId, key: &Key) {
        let (history, scheduler) = (self.history.clone(), self.scheduler.clone());
        let (asked, course) = (key.clone(), Course::draw(&mut self.random(), true));
        let loader = move || async move {
            let asked = vec![(asked, Vec::new())];
            let nothing = std::future::ready(());
            let loaded = source::load(&history, &scheduler, call, asked, course, nothing).await;
            loaded.into_iter().next().unwrap_or(Err(Refusal))
        };
        let answer = self.cache.read_or_load(key, self.policy, loader).await;
        // Where the cache has something, there is nothing to wait for.
        let noticed = match answer {
            Ok(_) => true,
            Err(CacheError::Load(error)) => matches!(
                error,
                LoadError::Recursive | LoadError::Negative(_) | LoadError::Overloaded
            ),
            Err(_) => false,
        };
        self.history.recursed(call, key, noticed);
    }

    /// Tags for a value to be set.
    pub(crate) fn tags(&self) -> Vec<&'static str> {
        draw_tags(&mut self.random())
    }

    pub(crate) fn random(&self) -> MutexGuard<'_, Random> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
