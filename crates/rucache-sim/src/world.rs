//! A world: a fleet, its store, its source, and what comes over them, from a seed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::crowd::{self, Mix};
use crate::history::History;
use crate::link::Link;
use crate::process::Process;
use crate::random::Random;
use crate::rest;
use crate::scheduler::{Owner, Scheduler};
use crate::server::Server;
use crate::setup::{Setup, Tiers};
use crate::trouble;
use crate::wire::{Weather, Wire};

/// See the module.
pub(crate) struct World {
    pub(crate) setup: Arc<Setup>,
    pub(crate) scheduler: Scheduler,
    pub(crate) history: Arc<History>,
    pub(crate) server: Arc<Server>,
    pub(crate) wires: Vec<Arc<Wire>>,
    state: Mutex<State>,
}

struct State {
    /// By place; absent while a process is down.
    processes: Vec<Option<Arc<Process>>>,
    next_number: u64,
    random: Random,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Work,
    Rest,
    End,
}

impl World {
    pub(crate) fn new(seed: u64, tiers: Tiers, traced: bool) -> Arc<Self> {
        let part = |part| Random::of_part(seed, part);
        let setup = Arc::new(Setup::draw(&mut part(1), tiers));
        let scheduler = Scheduler::new(part(2));
        let history = Arc::new(History::new(scheduler.clone(), setup.clone(), traced));
        let server = Arc::new(Server::new(scheduler.clone(), part(3)));
        let wire = |place| {
            let part = part(100 + place as u64);
            let (server, scheduler) = (server.clone(), scheduler.clone());
            Arc::new(Wire::new(server, scheduler, history.clone(), setup.transit, part))
        };
        let wires = (0..setup.processes).map(wire).collect();
        let state = State {
            processes: vec![None; setup.processes],
            next_number: 0,
            random: part(4),
            phase: Phase::Work,
        };
        let state = Mutex::new(state);
        let world = Arc::new(Self { setup, scheduler, history, server, wires, state });
        (0..world.setup.processes).for_each(|place| world.start(place));
        world.spawn(trouble::brew(world.clone(), part(5)));
        world.spawn(live(world.clone(), part(6)));
        world
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.scheduler.spawn(Owner::World, Box::pin(future));
    }

    /// Starts a process at `place`.
    pub(crate) fn start(&self, place: usize) {
        let (number, random) = {
            let mut state = self.lock();
            state.next_number += 1;
            let number = state.next_number;
            (number, Random::of_part(state.random.next(), number))
        };
        match Process::start(&self.setup, &self.wires[place], number, place, random) {
            Ok(process) => self.lock().processes[place] = Some(process),
            Err(error) => {
                self.history.violate("P1", || format!("a cache cannot be built: {error}"))
            }
        }
    }

    /// Ends the process at `place`.
    pub(crate) fn kill(&self, place: usize) {
        let process = self.lock().processes[place].take();
        if let Some(process) = process {
            process.kill();
        }
    }

    /// Breaks the push connection of the process at `place`.
    pub(crate) fn cut_push(&self, place: usize) {
        let link = self.process(place).and_then(|process| process.link.clone());
        link.iter().for_each(|link: &Arc<Link>| link.cut_push());
    }

    /// The process that runs at `place`.
    pub(crate) fn process(&self, place: usize) -> Option<Arc<Process>> {
        self.lock().processes[place].clone()
    }

    /// The processes that run.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        self.lock().processes.iter().flatten().cloned().collect()
    }

    /// Whether troubles should come no more.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().phase != Phase::Work
    }

    /// Whether everything was looked at.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().phase == Phase::End
    }

    fn enter(&self, phase: Phase) {
        self.lock().phase = phase;
        self.history.note(|| format!("--- {phase:?}"));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The life of a world: work, rest, a look at everything.
async fn live(world: Arc<World>, mut random: Random) {
    let setup = world.setup.clone();
    let mix = Mix::draw(&mut random);
    let until = world.scheduler.now().after(setup.work);
    while world.scheduler.now() < until {
        world.scheduler.sleep(random.between(Duration::ZERO, 2 * setup.pace)).await;
        let processes = world.processes();
        if !processes.is_empty() {
            crowd::call(&processes, &setup, &mix, &mut random);
        }
    }
    world.enter(Phase::Rest);
    // The last trouble ends by itself: killed processes are started again, and so on.
    world.scheduler.sleep(Duration::from_secs(6)).await;
    world.wires.iter().for_each(|wire| wire.set_weather(Weather::FAIR));
    rest::look_at_everything(&world, &mut random).await;
    world.enter(Phase::End);
}
